//! A playground for a test, and `sluice` as a user types it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A shop whose releases wait for a person.
pub(crate) const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shop.yaml");

/// A playground that ends with the test.
pub(crate) struct Playground {
    process: Child,
    pub(crate) kubeconfig: String,
}

impl Playground {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["playground", "--for-seconds", "300"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the playground starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let kubeconfig = lines
            .find_map(|line| line.trim().strip_prefix("export KUBECONFIG=").map(ToOwned::to_owned))
            .expect("it says where the kubeconfig is");
        Self { process, kubeconfig }
    }

    /// With the demo healthy, at its first revision.
    pub(crate) fn with_healthy_demo() -> Self {
        let playground = Self::start(&["--apply", SHOP]);
        playground.must(&["status", "shop", "--timeout", "120s"]);
        playground
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        said(Command::new(env!("CARGO_BIN_EXE_sluice")).args(arguments).env("KUBECONFIG", &self.kubeconfig), input)
    }

    /// What it prints, when it must succeed.
    #[track_caller]
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "sluice {}: {}{}", arguments.join(" "), said.out, said.err);
        said.out
    }

    /// Creates a Rollout beside the demo, which is as that one, with these steps.
    pub(crate) fn create_like_shop(&self, name: &str, steps: &Value) {
        let mut rollout: Value =
            serde_json::from_str(&self.must(&["get", "rollout", "shop", "-o", "json"])).expect("JSON");
        rollout["metadata"] = json!({"name": name});
        rollout["spec"]["selector"]["matchLabels"]["app"] = name.into();
        rollout["spec"]["template"]["metadata"]["labels"]["app"] = name.into();
        rollout["spec"]["strategy"]["canary"] = json!({"steps": steps});
        rollout["status"] = Value::Null;
        let created = self.run_with(&["create", "-f", "-"], &rollout.to_string());
        let line = format!("rollout.argoproj.io/{name} created\n");
        assert_eq!(created, Said { code: Some(0), out: line, err: String::new() });
        self.must(&["status", name, "--timeout", "120s"]);
    }

    /// The Rollout of the demo, once it is as it should be.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let said = self.run(&["get", "rollout", "shop", "-o", "json"]);
            let rollout: Value = serde_json::from_str(&said.out).unwrap_or_default();
            if holds(&rollout) {
                return rollout;
            }
            assert!(Instant::now() < deadline, "never {what}; last: {} {}", rollout["status"], said.err);
        }
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        // Asked to end, it takes its folder with it.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if !asked.is_ok_and(|asked| asked.success()) {
            let _ended = self.process.kill();
        }
        let _gone = self.process.wait();
    }
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn said(command: &mut Command, input: &str) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // It may end without reading.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}
