//! `sluice simulate` as a user and a CI job run it.

mod support;

use std::process::Command;

use serde_json::Value;
use support::{Said, said};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/playground/demo.yaml");

fn simulate(arguments: &[&str]) -> Said {
    simulate_text("", arguments)
}

fn simulate_text(input: &str, arguments: &[&str]) -> Said {
    said(Command::new(env!("CARGO_BIN_EXE_sluice")).arg("simulate").args(arguments), input)
}

#[test]
fn each_scenario_ends_as_it_should_and_ci_can_say_so() {
    for (scenario, expected) in [
        ("good", "promoted before 30s"),
        ("bad-errors", "aborted by error-rate at step 1 before 30s"),
        ("slow", "aborted by latency-p95 before 30s"),
        ("crash", "aborted by restarts before 1m"),
        ("flaky", "promoted before 30s"),
        ("no-data", "inconclusive by error-rate before 5m"),
    ] {
        let said = simulate(&["-f", DEMO, "--scenario", scenario, "--expect", expected]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{scenario}: {}", said.out);
    }
}

#[test]
fn what_was_not_expected_is_exit_code_1_and_stdout_stays_json() {
    let said = simulate(&["-f", DEMO, "--scenario", "bad-errors", "--expect", "promoted", "-o", "json"]);
    assert_eq!(said.code, Some(1));
    let begins = "error: expected promoted, and it was aborted by error-rate at step 1/4 after ";
    assert!(said.err.starts_with(begins) && said.err.contains("error-rate 0.2 > 0.05"), "{}", said.err);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&told["formatVersion"], &told["rollout"]), (&1.into(), &"default/shop".into()));
    assert_eq!((&told["outcome"]["end"], &told["outcome"]["by"][0]), (&"aborted".into(), &"error-rate".into()));
    let samples = told["samples"].as_array().expect("samples");
    assert!(samples.iter().any(|one| one["weight"] == 20 && one["errors"].as_u64() > Some(0)), "{samples:?}");
    let timeline = told["timeline"].as_array().expect("a timeline");
    assert!(timeline.iter().any(|one| one["what"].as_str().is_some_and(|what| what.contains("is bad"))));
}

#[test]
fn the_same_manifests_tell_the_same_story() {
    let tell = || simulate(&["-f", DEMO, "--scenario", "crash"]);
    assert_eq!(tell(), tell());
}

#[test]
fn a_page_needs_nothing_besides_itself_and_manifests_put_nothing_into_it() {
    let manifests = std::fs::read_to_string(DEMO).expect("the demo");
    let manifests = manifests.replace("name: error-rate", "name: <script>alert(1)</script>");
    let said = simulate_text(&manifests, &["-f", "-", "--scenario", "bad-errors", "-o", "html"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("<!doctype html>") && said.out.contains("<polyline class=\"errors\""));
    assert!(!said.out.contains("<script") && said.out.contains("&lt;script&gt;alert(1)"));
    assert!(!said.out.contains("http://") && !said.out.contains("https://"), "it points elsewhere");
}

#[test]
fn a_pause_without_end_is_promoted_by_a_person_a_minute_later() {
    for example in ["canary.yaml", "gateway-api.yaml"] {
        let file = format!("{}/../docs/examples/{example}", env!("CARGO_MANIFEST_DIR"));
        let said = simulate(&["-f", &file, "--expect", "promoted before 1h"]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
        assert!(said.out.contains("a person promotes it"), "{}", said.out);
    }
}

#[test]
fn what_can_not_be_simulated_is_one_line_that_says_what_to_do() {
    let two = std::fs::read_to_string(DEMO).expect("the demo").replace(
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}",
        "---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}",
    );
    // (manifests, arguments, exit code, part of the line)
    for (manifests, arguments, code, part) in [
        (two.as_str(), &["-f", "-"][..], 1, "several Rollouts; choose with --rollout: default/shop, default/web"),
        (
            two.as_str(),
            &["-f", "-", "--rollout", "nope"],
            1,
            "have no Rollout nope; they have: default/shop, default/web",
        ),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", &["-f", "-"], 1, "the manifests have no Rollout"),
        ("a: [", &["-f", "-"], 1, "<stdin> is no YAML"),
        ("a: b", &["-f", "-"], 1, "a document without apiVersion and kind"),
        ("", &["-f", "nope.yaml"], 1, "can't read nope.yaml"),
    ] {
        let said = simulate_text(manifests, arguments);
        assert_eq!((said.code, said.out.as_str(), said.err.lines().count()), (Some(code), "", 1), "{said:?}");
        assert!(said.err.starts_with("error: ") && said.err.contains(part), "{said:?}");
    }
    let said = simulate(&["-f", DEMO, "--expect", "finished"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("\"finished\" is no end of a release"), "{}", said.err);
}

#[test]
fn kinds_that_nothing_serves_are_left_out_with_a_note() {
    let mut manifests = std::fs::read_to_string(DEMO).expect("the demo");
    manifests.push_str("---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: shop}\n");
    let said = simulate_text(&manifests, &["-f", "-", "--expect", "promoted"]);
    let note = "note: <stdin>: ServiceMonitor shop is left out: nothing here serves \"monitoring.coreos.com/v1\"\n";
    assert_eq!((said.code, said.err.as_str()), (Some(0), note));
}
