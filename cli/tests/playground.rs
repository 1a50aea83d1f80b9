//! The playground as a newcomer meets it: one command, then plain kubectl.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A playground that ends with the test.
struct Playground {
    process: Child,
    kubeconfig: String,
}

impl Playground {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["playground", "--for-seconds", "120"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the playground starts");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let kubeconfig = lines
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("export KUBECONFIG=").map(ToOwned::to_owned))
            .expect("it says where the kubeconfig is");
        Self { process, kubeconfig }
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        let program = std::env::var("KUBECTL").unwrap_or_else(|_| "kubectl".to_owned());
        let output = Command::new(program).args(arguments).env("KUBECONFIG", &self.kubeconfig).output();
        output.expect("kubectl starts")
    }

    /// What kubectl says in the end; asked again until it says `wanted`.
    fn says(&self, arguments: &[&str], wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let said = String::from_utf8_lossy(&self.kubectl(arguments).stdout).into_owned();
            if said.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "kubectl {arguments:?} never said {wanted:?}; last:\n{said}");
        }
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _gone = self.process.wait();
    }
}

const STATUS: [&str; 7] = ["patch", "rollout", "shop", "--subresource", "status", "--type", "merge"];

#[test]
fn the_demo_is_released_promoted_and_aborted() {
    let playground = Playground::start(&[]);
    let does = |arguments: &[&str]| {
        let output = playground.kubectl(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let change = |patch: &str| does(&[&STATUS[..], &["-p", patch]].concat());
    playground.says(&["get", "rollout", "shop"], "Healthy");
    let image = r#"[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "shop:2.0"}]"#;
    does(&["patch", "rollout", "shop", "--type", "json", "-p", image]);
    playground.says(&["get", "rollout", "shop"], "20/20");
    change(r#"{"status": {"pauseConditions": null}}"#);
    playground.says(&["get", "rollout", "shop"], "60/60");
    change(r#"{"status": {"abort": true}}"#);
    playground.says(&["get", "rollout", "shop", "-o", "wide"], "RolloutAborted");
    playground.says(
        &[
            "get",
            "replicasets",
            "-o",
            "jsonpath={range .items[*]}{.spec.template.spec.containers[0].image} {.spec.replicas}{\"\\n\"}{end}",
        ],
        "shop:1.0 5",
    );
}

#[test]
fn rollouts_are_taken_and_checked() {
    let playground = Playground::start(&["--empty"]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/canary.yaml");
    let applied = playground.kubectl(&["apply", "-f", example]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    playground.says(&["get", "rollout", "shop"], "shop");
    let both = r#"{"spec": {"strategy": {"blueGreen": {"activeService": "shop"}}}}"#;
    let refused = playground.kubectl(&["patch", "rollout", "shop", "--type", "merge", "-p", both]);
    assert!(!refused.status.success(), "a Rollout has one strategy");
}

#[test]
fn the_controllers_own_lines_are_printed_on_request() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["playground", "--for-seconds", "120", "--loglevel", "info"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the playground starts");
    let lines = BufReader::new(process.stderr.take().expect("its log")).lines();
    let named = lines.map_while(Result::ok).find(|line| line.contains("kind=\"ReplicaSet\"") && line.contains("shop"));
    let _ended = process.kill();
    let _gone = process.wait();
    assert!(named.is_some(), "no line names a write");
}
