//! The transcripts in docs/cli.md, which are what the commands print: all but names that are drawn and times.

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;
use support::{Playground, said};

const PAGE: &str = include_str!("../../docs/cli.md");

/// What the page says that this command prints.
fn written(command: &str) -> &'static str {
    let start = format!("$ {command}\n");
    let from = PAGE.find(&start).unwrap_or_else(|| panic!("docs/cli.md has no transcript of {command}")) + start.len();
    let rest = &PAGE[from..];
    &rest[..rest.find("```").expect("the transcript ends")]
}

/// Words of each line, without what is drawn by lot and without times.
fn words(text: &str) -> Vec<Vec<String>> {
    let is_time = |word: &str| word.ends_with(['s', 'm']) && word.starts_with(|first: char| first.is_ascii_digit());
    let word = |word: &str| match word.split_once("shop-") {
        Some((before, _)) => format!("{before}shop-…"),
        None if is_time(word) => "…".to_owned(),
        None => word.to_owned(),
    };
    text.lines().map(|line| line.split_whitespace().map(word).collect()).collect()
}

#[track_caller]
fn is_as_written(command: &str, printed: &str) {
    assert_eq!(words(printed), words(written(command)), "docs/cli.md should say of {command}:\n{printed}");
}

#[test]
fn get_and_why_and_history_are_as_documented() {
    let playground = Playground::start(&["--empty"]);
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "errors"},
        "spec": {"metrics": [{
            "name": "error-rate", "interval": "1s", "count": 5, "failureLimit": 1, "failureCondition": "result[0] > 0.05",
            "provider": {"prometheus": {"query": "vector(0.2)"}},
        }]},
    });
    let pod = json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "web", "image": "shop:1.0"}]},
    });
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"analysis": {"templates": [{"templateName": "errors"}]}}]);
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "shop"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "shop"}}, "template": pod,
            "strategy": {"canary": {"maxSurge": 1, "maxUnavailable": 0, "steps": steps}},
        },
    });
    let created = playground.run_with(&["create", "-f", "-"], &format!("{template}\n---\n{rollout}\n"));
    assert_eq!(created.code, Some(0), "{created:?}");
    playground.must(&["status", "shop", "--timeout", "120s"]);
    playground.must(&["set", "image", "shop", "web=shop:2.0"]);
    playground.must(&["status", "shop", "--until=paused", "--timeout", "120s"]);
    is_as_written("sluice get rollout shop", &playground.must(&["get", "rollout", "shop"]));
    playground.must(&["promote", "shop"]);
    assert_eq!(playground.run(&["status", "shop", "--timeout", "120s"]).code, Some(3));
    playground.until("back at stable", |rollout| rollout["status"]["columns"]["weight"] == "0/0");
    is_as_written("sluice why shop", &playground.must(&["why", "shop"]));
    is_as_written("sluice history shop", &playground.must(&["history", "shop"]));
}

#[test]
fn lint_is_as_documented() {
    let manifest = "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  metrics:
    - name: error-rate
      interval: 1 minute
      failureCondition: result[0 > 0.05
      provider: {prometheus: {query: vector(1)}}
";
    let playground = Playground::start(&["--empty"]);
    let said = playground.run_with(&["lint", "-f", "-"], manifest);
    assert_eq!(said.code, Some(1));
    is_as_written("sluice lint -f - < template.yaml", &said.out);
}

#[test]
fn a_simulation_is_as_documented() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/src/playground/demo.yaml");
    let sluice = env!("CARGO_BIN_EXE_sluice");
    let told = said(Command::new(sluice).args(["simulate", "-f", demo, "--scenario", "bad-errors"]), "");
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    is_as_written("sluice simulate -f cli/src/playground/demo.yaml --scenario bad-errors", &told.out);
}

/// Words of a line without any with a digit: how quickly what happens is up to the machine.
fn steady(line: &str) -> Vec<String> {
    let words = line.split_whitespace();
    words.filter(|word| !word.contains(|char: char| char.is_ascii_digit())).map(str::to_owned).collect()
}

#[test]
fn the_playground_tells_what_is_documented_in_this_order() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["playground", "--scenario", "bad-errors", "--for-seconds", "120"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the playground starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines().map_while(Result::ok);
    for line in written("sluice playground --scenario bad-errors").lines() {
        let wanted = steady(line);
        assert!(lines.any(|told| steady(&told) == wanted), "it never told: {line}");
    }
    let _ended = process.kill();
    let _gone = process.wait();
}
