//! When what is measured.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sluice_analysis::run::{Prepared, Task, What, plan};
use sluice_analysis::secrets::Secrets;
use sluice_crds::AnalysisRun;

use crate::support::{Story, at, metric};

#[test]
fn a_metric_waits_for_its_delay_and_then_follows_its_interval() {
    let rows: [(Value, &str, &[i64]); 6] = [
        (json!({}), "g", &[0]),
        (json!({"initialDelay": "1m"}), "g", &[60]),
        (json!({"initialDelay": "1m", "count": 3, "interval": "30s"}), "g", &[60, 90, 120]),
        (json!({"count": 2, "interval": "5m"}), "eg", &[0, 10, 310]),
        (json!({"count": 1, "consecutiveErrorLimit": 6}), "eeeeeeg", &[0, 10, 30, 70, 150, 230, 310]),
        (json!({"count": 3, "interval": "1h"}), "gegg", &[0, 3_600, 3_610, 7_210]),
    ];
    for (fields, measured, expected) in rows {
        let story = Story::new(&[metric("m", fields.clone())], json!({})).script("m", measured).play(10_000);
        assert_eq!(story.asked["m"], expected, "{fields}");
    }
}

#[test]
fn sixty_seconds_of_warm_up_and_ten_checks_in_five_minutes_roll_back_after_three_failures_in_a_row() {
    let watch = json!({"initialDelay": "60s", "interval": "30s", "count": 10, "consecutiveFailureLimit": 3});
    let good = Story::new(&[metric("m", watch.clone())], json!({})).script("m", "gbgbbggggg").play(600);
    assert_eq!((good.phase().as_str(), good.took()), ("Successful", Some(330)));
    let bad = Story::new(&[metric("m", watch)], json!({})).script("m", "gbgbbb").play(600);
    assert_eq!((bad.phase().as_str(), bad.took()), ("Failed", Some(210)));
}

#[test]
fn metrics_do_not_wait_for_each_other() {
    let metrics = [metric("slow", json!({"interval": "1m"})), metric("fast", json!({"interval": "10s"}))];
    let story = Story::new(&metrics, json!({})).script("slow", "g").script("fast", "e").play(60);
    assert_eq!(story.asked["slow"], [0, 60]);
    assert_eq!(story.asked["fast"], [0, 10, 30]);
    assert_eq!(story.plan().wake_at, Some(at(70)));
}

#[test]
fn a_metric_whose_answer_is_still_to_come_is_not_asked_again() {
    let story = Story::new(&[metric("a", json!({})), metric("b", json!({}))], json!({})).script("a", "g");
    let mut run = story.run.clone();
    run.status = Some(
        serde_json::from_value(json!({"phase": "Running", "startedAt": "2026-01-01T12:00:00Z"})).expect("a status"),
    );
    let prepared = Prepared::new(&run, Secrets::default()).expect("no mistakes");
    let plan = plan(&prepared, &run, &BTreeSet::from([0]), at(0));
    assert_eq!(plan.tasks, [Task { metric: 1, what: What::Measure { attempt: 1 } }]);
    assert_eq!(plan.wake_at, None);
}

#[test]
fn intervals_and_limits_may_come_from_arguments() {
    let fields = json!({"interval": "{{args.every}}", "count": "{{args.times}}", "successCondition": "result[0] < {{args.limit}}"});
    let args = json!({"args": [
        {"name": "every", "value": "20s"}, {"name": "times", "value": "2"}, {"name": "limit", "value": "0.05"},
    ]});
    let story = Story::new(&[metric("m", fields)], args).script("m", "g").play(600);
    assert_eq!((story.phase().as_str(), story.asked["m"].as_slice()), ("Successful", [0, 20].as_slice()));
}

#[test]
fn arguments_that_make_no_sense_are_all_told_before_the_run_begins() {
    let fields = json!({"interval": "{{args.every}}", "count": "{{args.times}}", "successCondition": "result[0] < {{args.limit}}"});
    let run: AnalysisRun = serde_json::from_value(json!({"metadata": {"name": "run"}, "spec": {
        "metrics": [metric("m", fields)],
        "args": [{"name": "every", "value": "soon"}, {"name": "times", "value": "few"}, {"name": "limit", "value": "0.05"}],
    }}))
    .expect("a run");
    let mistakes = Prepared::new(&run, Secrets::default()).expect_err("two mistakes");
    let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "spec.metrics[0].count: \"few\" is not a whole number; write one such as 5, or an argument such as {{args.count}}",
            "spec.metrics[0].interval: \"soon\" is not a duration; write 30s, 10m or 1h",
        ]
    );
}
