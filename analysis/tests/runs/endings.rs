//! How runs end: the worst metric, dry runs, termination, and what is left of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sluice_analysis::run::{Prepared, assess, plan, refuse};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::RunSummary;
use sluice_crds::mistake::{FieldPath, Mistake};

use crate::support::{Story, at, metric};

fn counts(summary: Option<&RunSummary>) -> Value {
    serde_json::to_value(summary).expect("JSON")
}

#[test]
fn the_first_bad_verdict_ends_the_run_at_once() {
    let metrics =
        [metric("good", json!({"interval": "10s"})), metric("bad", json!({"interval": "10s", "initialDelay": "5s"}))];
    let story = Story::new(&metrics, json!({})).script("good", "g").script("bad", "gb").play(600);
    assert_eq!((story.phase().as_str(), story.took()), ("Failed", Some(15)));
    assert_eq!(story.message(), "Metric \"bad\" assessed Failed due to failed (1) > failureLimit (0): bad 0.2 > 0.1");
    assert_eq!(story.result("good").phase.as_ref().map(ToString::to_string).as_deref(), Some("Successful"));
    assert_eq!(counts(story.status().run_summary.as_ref()), json!({"count": 2, "successful": 1, "failed": 1}));
}

#[test]
fn of_several_bad_verdicts_the_worst_is_the_runs() {
    let rows = [
        ("i", "b", "Failed"),
        ("i", "e", "Error"),
        ("e", "b", "Failed"),
        ("g", "i", "Inconclusive"),
        ("g", "g", "Successful"),
    ];
    for (one, other, phase) in rows {
        let once = json!({"consecutiveErrorLimit": 0});
        let metrics = [metric("one", once.clone()), metric("other", once)];
        let story = Story::new(&metrics, json!({})).script("one", one).script("other", other).play(600);
        assert_eq!(story.phase(), phase, "{one} and {other}");
    }
}

#[test]
fn dry_run_metrics_are_measured_and_counted_apart() {
    let metrics = [metric("real", json!({"count": 2, "interval": "10s"})), metric("trial-1", json!({}))];
    let dry_run = json!({"dryRun": [{"metricName": "trial.*"}]});
    let story = Story::new(&metrics, dry_run.clone()).script("real", "g").script("trial-1", "b").play(600);
    assert_eq!((story.phase().as_str(), story.message()), ("Successful", ""));
    assert_eq!(counts(story.status().run_summary.as_ref()), json!({"count": 1, "successful": 1}));
    assert_eq!(counts(story.status().dry_run_summary.as_ref()), json!({"count": 1, "failed": 1}));
    assert_eq!(story.result("trial-1").dry_run, Some(true));

    let alone = Story::new(&metrics[1..], dry_run).script("trial-1", "b").play(600);
    assert_eq!(alone.phase(), "Successful", "a run that only tries something out ends, and harms nothing");
}

#[test]
fn a_terminated_run_ends_with_the_worst_that_it_knows() {
    let metrics =
        [metric("m", json!({"interval": "10s", "failureLimit": 3})), metric("later", json!({"initialDelay": "1h"}))];
    let story = Story::new(&metrics, json!({})).script("m", "gb").script("later", "g").play(25).terminate().play(25);
    assert_eq!((story.phase().as_str(), story.message()), ("Successful", "Run Terminated"));
    assert_eq!(story.asked["m"], [0, 10, 20]);
    let names: Vec<&str> = story.status().metric_results.iter().flatten().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["m"], "what was never measured has no result");

    let begun = Story::new(&metrics, json!({})).terminate().play(25);
    assert_eq!((begun.phase().as_str(), begun.took()), ("Successful", Some(0)));
}

#[test]
fn a_verdict_stays_whatever_is_answered_later() {
    let story = Story::new(&[metric("m", json!({}))], json!({})).script("m", "g").play(600);
    let prepared = Prepared::new(&story.run, Secrets::default()).expect("no mistakes");
    let late = sluice_analysis::run::Answer { metric: 0, asked_at: at(0), outcome: crate::support::outcome('b') };
    let again = assess(&prepared, &story.run, vec![late.clone(), late], at(700));
    assert_eq!(Some(&again.status), story.run.status.as_ref());
}

#[test]
fn ten_measurements_are_kept_unless_a_rule_says_otherwise() {
    let rows = [
        (json!([]), 10),
        (json!([{"metricName": "m", "limit": 3}]), 3),
        (json!([{"metricName": "other", "limit": 3}]), 10),
        (json!([{"metricName": ".*", "limit": 3}, {"metricName": "^m$", "limit": 12}]), 12),
        (json!([{"metricName": "m", "limit": 0}]), 1),
    ];
    for (rules, kept) in rows {
        let fields = json!({"count": 15, "interval": "10s"});
        let story =
            Story::new(&[metric("m", fields)], json!({"measurementRetention": rules})).script("m", "g").play(600);
        let result = story.result("m");
        assert_eq!((story.phase().as_str(), result.count), ("Successful", Some(15)), "{rules}");
        assert_eq!(result.measurements.as_ref().map(Vec::len), Some(kept), "{rules}");
    }
}

#[test]
fn a_finished_run_is_deleted_when_its_verdict_says_so() {
    let all = json!({"secondsAfterCompletion": 100, "secondsAfterSuccess": 10, "secondsAfterFailure": 20});
    let rows = [
        (all.clone(), "g", Some(10)),
        (all.clone(), "b", Some(20)),
        (all.clone(), "i", Some(100)),
        (all, "e", Some(100)),
        (json!({"secondsAfterSuccess": 10}), "b", None),
        (json!({"secondsAfterCompletion": 100}), "g", Some(100)),
        (json!({"secondsAfterCompletion": -5}), "g", Some(0)),
        (json!({}), "g", None),
    ];
    for (ttl, measured, seconds) in rows {
        let fields = json!({"consecutiveErrorLimit": 0});
        let story =
            Story::new(&[metric("m", fields)], json!({"ttlStrategy": ttl.clone()})).script("m", measured).play(600);
        let plan = story.plan();
        assert!(plan.finished);
        assert_eq!(plan.delete_at, seconds.map(at), "{ttl} after {measured}");
        assert_eq!(plan.wake_at, plan.delete_at);
    }
}

#[test]
fn a_run_that_failed_before_it_began_ends_and_is_deleted_too() {
    let run: AnalysisRun = serde_json::from_value(json!({
        "metadata": {"name": "run"}, "spec": {"metrics": [], "ttlStrategy": {"secondsAfterCompletion": 60}},
    }))
    .expect("a run");
    let mistake = Mistake::about(FieldPath::of("spec.metrics"), "has no metric", "write at least one");
    let status = refuse(&run, &[mistake], at(5));
    assert_eq!(status.phase.as_ref().map(ToString::to_string).as_deref(), Some("Error"));
    assert_eq!(status.message.as_deref(), Some("spec.metrics: has no metric; write at least one"));
    let run = AnalysisRun { status: Some(status), ..run };
    let empty = Story::new(&[metric("m", json!({}))], json!({}));
    let prepared = Prepared::new(&empty.run, Secrets::default()).expect("no mistakes");
    assert_eq!(plan(&prepared, &run, &BTreeSet::new(), at(5)).delete_at, Some(at(65)));
}
