//! Analyses of Experiments, and what their verdicts come to.

use serde_json::{Value, json};

use super::fixture::{Bench, bench, metric, run, running, set, status, template, version, writes};
use crate::plan::Action;

/// One version that is up, and an analysis of it.
fn judged(analysis: &Value) -> Bench {
    let spec = json!({
        "templates": [version("new", 1)], "duration": "5m", "analyses": [analysis],
        "dryRun": [{"metricName": "errors"}], "measurementRetention": [{"metricName": "errors", "limit": 3}],
        "analysisRunMetadata": {"labels": {"team": "shop"}},
    });
    let mut bench = bench(spec, running(&["new"]));
    bench.sets = vec![set("new", 1, 1)];
    bench.templates = vec![template("errors", &metric())];
    bench
}

fn analysis(more: &Value) -> Value {
    let mut analysis = json!({"name": "judge", "templateName": "errors"});
    for (key, value) in more.as_object().into_iter().flatten() {
        analysis[key] = value.clone();
    }
    analysis
}

fn begun(bench: &mut Bench, name: &str, phase: &str, message: &str) {
    bench.status["analysisRuns"] = json!([{"name": "judge", "analysisRun": name, "phase": "Running"}]);
    bench.runs = vec![run(name, phase, message)];
}

#[test]
fn analyses_begin_once_all_pods_are_available_and_not_before() {
    let mut bench = judged(&analysis(&json!({})));
    assert_eq!(writes(&bench.plan()), ["create AnalysisRun trial-judge"]);
    bench.status = json!({"phase": "Pending"});
    assert_eq!(writes(&bench.plan()), [""; 0]);
}

#[test]
fn a_run_gets_its_arguments_and_all_that_is_said_about_runs() {
    let args = json!([{"name": "hash", "value": "{{templates.new.podTemplateHash}}"}]);
    let mut bench = judged(&analysis(&json!({"args": args})));
    bench.templates[0]["spec"]["args"] = json!([{"name": "hash"}]);
    let plan = bench.plan();
    let Action::Create(object) = &plan.writes[0].action else { panic!("a creation") };
    assert_eq!(object["spec"]["args"], json!([{"name": "hash", "value": "hash-new"}]));
    assert_eq!(object["spec"]["dryRun"], json!([{"metricName": "errors"}]));
    assert_eq!(object["spec"]["measurementRetention"], json!([{"metricName": "errors", "limit": 3}]));
    assert_eq!(object["metadata"]["labels"], json!({"team": "shop"}));
    assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "uid-trial");
}

#[test]
fn a_verdict_on_a_run_is_the_verdict_on_the_experiment() {
    // (phase of the run, phase of the Experiment, its message)
    let rows = [
        ("Running", "Running", "all pods were available; it runs until 2026-01-01T12:04:00Z"),
        ("Successful", "Running", "all pods were available; it runs until 2026-01-01T12:04:00Z"),
        ("Failed", "Failed", "analysis judge failed: errors 3 > 1 (AnalysisRun trial-judge)"),
        ("Error", "Error", "analysis judge could not be measured: errors 3 > 1 (AnalysisRun trial-judge)"),
        ("Inconclusive", "Inconclusive", "analysis judge has no clear verdict: errors 3 > 1 (AnalysisRun trial-judge)"),
    ];
    for (of_run, phase, message) in rows {
        let mut bench = judged(&analysis(&json!({})));
        begun(&mut bench, "trial-judge", of_run, "errors 3 > 1");
        let plan = bench.plan();
        assert!(plan.writes.is_empty(), "{of_run}");
        let said = status(&plan);
        assert_eq!([&said["phase"], &said["message"]], [phase, message], "{of_run}");
    }
}

#[test]
fn of_several_verdicts_the_worst_counts() {
    let spec = json!({"analyses": [
        {"name": "a", "templateName": "errors"}, {"name": "b", "templateName": "errors"}, {"name": "c", "templateName": "errors"},
    ]});
    let mut bench = bench(spec, json!({"phase": "Running", "availableAt": "2026-01-01T11:59:00Z"}));
    bench.status["analysisRuns"] =
        ["a", "b", "c"].iter().map(|name| json!({"name": name, "analysisRun": format!("trial-{name}")})).collect();
    bench.runs = vec![run("trial-a", "Inconclusive", ""), run("trial-b", "Error", ""), run("trial-c", "Failed", "")];
    assert_eq!(status(&bench.plan())["phase"], "Failed");
    bench.runs[2] = run("trial-c", "Successful", "");
    assert_eq!(status(&bench.plan())["phase"], "Error");
}

#[test]
fn it_ends_when_its_time_is_over_and_what_it_waits_for_has_succeeded() {
    // (its duration, whether the analysis is required, phase of the run, phase of the Experiment)
    let rows = [
        (Some("1m"), false, "Running", "Successful"),
        (Some("61s"), false, "Running", "Running"),
        (Some("1m"), true, "Running", "Running"),
        (Some("1m"), true, "Successful", "Successful"),
        (Some("1h"), true, "Successful", "Successful"),
        (Some("1h"), false, "Successful", "Running"),
        (None, true, "Successful", "Successful"),
        (None, true, "Running", "Running"),
        (None, false, "Successful", "Running"),
    ];
    for (duration, required, of_run, phase) in rows {
        let mut bench = judged(&analysis(&json!({"requiredForCompletion": required})));
        bench.spec["duration"] = json!(duration);
        begun(&mut bench, "trial-judge", of_run, "");
        assert_eq!(status(&bench.plan())["phase"], phase, "{duration:?} {required} {of_run}");
    }
}

#[test]
fn a_run_that_was_begun_just_before_a_crash_is_taken_up() {
    let mut bench = judged(&analysis(&json!({})));
    bench.runs = vec![run("trial-judge", "Running", "")];
    let plan = bench.plan();
    assert_eq!(writes(&plan), [""; 0]);
    assert_eq!(status(&plan)["analysisRuns"][0]["analysisRun"], "trial-judge");
}

#[test]
fn a_retry_measures_anew_under_the_next_name() {
    let mut bench = judged(&analysis(&json!({})));
    bench.runs = vec![run("trial-judge", "Failed", "")];
    assert_eq!(writes(&bench.plan()), ["create AnalysisRun trial-judge.1"]);
}

#[test]
fn a_run_that_somebody_deletes_is_measured_anew() {
    let mut bench = judged(&analysis(&json!({})));
    begun(&mut bench, "trial-judge", "Running", "");
    bench.runs.clear();
    assert_eq!(writes(&bench.plan()), ["create AnalysisRun trial-judge"]);
}
