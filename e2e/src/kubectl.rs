//! kubectl as a user types it, against the control plane of the tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// kubectl in a namespace of its own, which goes when the test is over.
pub struct Kubectl {
    kubeconfig: PathBuf,
    namespace: String,
}

impl Kubectl {
    /// Makes a namespace whose name begins with `purpose`.
    pub fn in_new_namespace(purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{purpose}-{}-{count}", std::process::id());
        let kubectl = Self { kubeconfig: kubeconfig(), namespace };
        kubectl.must(&["create", "namespace", &kubectl.namespace]);
        kubectl
    }

    /// The namespace that commands work in unless they say otherwise.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            // What kubectl remembers of one control plane must not be believed of the next one on its port.
            .arg("--cache-dir")
            .arg(self.kubeconfig.with_file_name("kubectl-cache"))
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs it, with `input` for `-f -`.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // kubectl may refuse its flags without reading.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("kubectl ends")
    }

    /// What it prints, when it must succeed.
    #[track_caller]
    pub fn must(&self, arguments: &[&str]) -> String {
        self.must_with(arguments, "")
    }

    /// The same, with `input` for `-f -`.
    #[track_caller]
    pub fn must_with(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let (printed, complaint) = texts(&output);
        assert!(output.status.success(), "kubectl {} failed: {complaint}", arguments.join(" "));
        printed
    }

    /// What it complains of, when it must be refused.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let (printed, complaint) = texts(&output);
        assert!(!output.status.success(), "kubectl {} was not refused: {printed}", arguments.join(" "));
        complaint
    }

    /// An object as it is stored.
    #[track_caller]
    pub fn object(&self, kind: &str, name: &str) -> Value {
        let printed = self.must(&["get", kind, name, "--output", "json"]);
        serde_json::from_str(&printed).expect("kubectl prints JSON")
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        // A test that failed already has something better to say than that this failed too.
        let _ = self.command(&["delete", "namespace", &self.namespace, "--wait=false"]).output();
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The kubeconfig of the control plane that `cargo xtask e2e` started.
fn kubeconfig() -> PathBuf {
    std::env::var_os("SLUICE_KUBECONFIG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .expect("SLUICE_KUBECONFIG names no control plane; run these tests with: cargo xtask e2e")
}
