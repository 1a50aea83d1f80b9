//! The playground as a newcomer meets it: one command, then plain kubectl.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shop.yaml");

/// A playground that ends with the test.
struct Playground {
    process: Child,
    kubeconfig: String,
    /// What it prints afterwards.
    lines: Receiver<String>,
}

impl Playground {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["playground", "--for-seconds", "120"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the playground starts");
        let mut printed = BufReader::new(process.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let kubeconfig = printed
            .find_map(|line| line.trim().strip_prefix("export KUBECONFIG=").map(ToOwned::to_owned))
            .expect("it says where the kubeconfig is");
        let (sender, lines) = channel();
        std::thread::spawn(move || printed.all(|line| sender.send(line).is_ok()));
        Self { process, kubeconfig, lines }
    }

    /// The next line with these words in it.
    fn tells(&self, words: &str) -> String {
        let mut told = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(90)) {
            if line.contains(words) {
                return line;
            }
            told.push(line);
        }
        panic!("it never told of {words:?}, only:\n{}", told.join("\n"));
    }

    fn sluice(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(env!("CARGO_BIN_EXE_sluice")).args(arguments).env("KUBECONFIG", &self.kubeconfig).output();
        let output = output.expect("sluice starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
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
fn the_demo_promotes_a_good_version_and_takes_a_bad_one_back_and_says_why_with_numbers() {
    let playground = Playground::start(&[]);
    playground.tells("shop:2.0 is released by itself");
    playground.tells("traffic: rev 1 40%, rev 2 60%");
    playground.tells("shop: revision 2 ended as Promoted");
    let tried = playground.tells("break it");
    assert!(tried.ends_with("set image shop web=shop:bad-errors"), "{tried}");
    playground.sluice(&["set", "image", "shop", "web=shop:bad-errors"]);
    playground.tells("is bad (bad: result[0] > 0.05)");
    let ended = playground.tells("shop: revision 3 ended as Aborted");
    assert!(ended.contains("error-rate 0.") && ended.contains(" > 0.05"), "{ended}");
    let why = playground.sluice(&["why", "shop"]);
    assert!(why.contains("bad: result[0] > 0.05"), "{why}");
    playground.sluice(&["set", "image", "shop", "web=shop:3.0"]);
    playground.tells("shop: revision 4 ended as Promoted");
}

#[test]
fn time_goes_by_faster_on_request_and_ones_own_manifests_take_the_place_of_the_demo() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/canary.yaml");
    let playground = Playground::start(&["--apply", example, "--scenario", "good", "--speed", "100x"]);
    playground.tells("shop: the next version is released by itself, to be watched (good)");
    playground.tells("paused until somebody promotes");
    playground.sluice(&["promote", "shop"]);
    // Behind a pause of ten minutes.
    playground.tells("shop: revision 2 ended as Promoted");
}

#[test]
fn what_is_ended_leaves_nothing_behind() {
    let mut playground = Playground::start(&["--empty"]);
    let folder = std::path::Path::new(&playground.kubeconfig).parent().expect("a folder").to_owned();
    assert!(folder.exists());
    let asked = Command::new("kill").args(["-INT", &playground.process.id().to_string()]).status().expect("kill");
    assert!(asked.success());
    assert_eq!(playground.tells("gone"), "The playground is gone, and everything in it.");
    assert!(playground.process.wait().expect("it ends").success());
    assert!(!folder.exists());
}

#[test]
fn manifests_that_are_refused_are_named_all_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "playground",
            "--for-seconds",
            "1",
            "--apply",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/refused.yaml"),
        ])
        .output()
        .expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: ") && err.contains("Service one: ") && err.contains("Rollout two: "), "{err}");
}

#[test]
fn plain_kubectl_releases_promotes_and_aborts() {
    let playground = Playground::start(&["--apply", SHOP]);
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
