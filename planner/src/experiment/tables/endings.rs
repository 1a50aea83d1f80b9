//! After the verdict: what ends at once, what stays for a while, and what goes.

use serde_json::{Value, json};

use super::fixture::{Bench, bench, over, run, running, service, set, status, version, writes};

fn ended(delay: Option<i32>, wanted: i32, available: i32, deadline: Option<&str>) -> Bench {
    let spec = json!({"templates": [version("new", 2)], "scaleDownDelaySeconds": delay});
    let mut bench = bench(spec, over("Successful"));
    let mut set = set("new", wanted, available);
    if let Some(deadline) = deadline {
        set["metadata"]["annotations"]["scale-down-deadline"] = json!(deadline);
    }
    bench.sets = vec![set];
    bench
}

#[test]
fn pods_stay_for_the_delay_and_then_go() {
    let annotation = "/metadata/annotations/scale-down-deadline";
    // (the delay, the deadline that is there, what is written)
    let rows: [(Option<i32>, Option<&str>, Vec<String>); 6] = [
        (None, None, vec![format!("trial-new: {annotation}=\"2026-01-01T12:00:30Z\"")]),
        (Some(600), None, vec![format!("trial-new: {annotation}=\"2026-01-01T12:10:00Z\"")]),
        (Some(0), None, vec!["trial-new: /spec/replicas=0".to_owned()]),
        (None, Some("2026-01-01T12:00:01Z"), vec![]),
        (None, Some("2026-01-01T12:00:00Z"), vec![format!("trial-new: {annotation}=null /spec/replicas=0")]),
        (Some(0), Some("2026-01-01T12:00:05Z"), vec![]),
    ];
    for (delay, deadline, expected) in rows {
        let plan = ended(delay, 2, 2, deadline).plan();
        assert_eq!(writes(&plan), expected, "{delay:?} {deadline:?}");
    }
    let waiting = ended(None, 2, 2, Some("2026-01-01T12:00:01Z")).plan();
    assert_eq!(waiting.wake_at.map(|at| at.to_string()).as_deref(), Some("2026-01-01T12:00:01Z"));
    assert_eq!(waiting.why, "it is so; its pods stay until 2026-01-01T12:00:01Z");
}

#[test]
fn pods_that_a_rollout_sends_traffic_to_stay_until_it_does_so_no_more() {
    let mut bench = ended(Some(0), 2, 2, None);
    bench.annotations = json!({"rollouts.argoproj.io/sluice-routing": "web"});
    let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "uid-web", "controller": true});
    bench.owners = json!([owner]);
    bench.services = vec![service("trial-new", "hash-new", "uid-trial")];
    let plan = bench.plan();
    assert_eq!(writes(&plan), [""; 0]);
    assert_eq!(plan.why, "it is so; its pods stay until the Rollout has taken their traffic away");
    let copied = Bench { owners: json!([]), ..bench.clone() };
    assert_eq!(writes(&copied.plan()), ["trial-new: /spec/replicas=0"], "a copy of it has no Rollout to wait for");
    bench.annotations = json!({});
    assert_eq!(writes(&bench.plan()), ["trial-new: /spec/replicas=0"]);
}

#[test]
fn a_service_goes_with_the_last_pod() {
    // (pods wanted, available, what is written)
    for (wanted, available, expected) in
        [(2, 2, vec!["trial-new: /spec/replicas=0"]), (0, 1, vec![]), (0, 0, vec!["delete Service trial-new"])]
    {
        let mut bench = ended(Some(0), wanted, available, None);
        bench.services = vec![service("trial-new", "hash-new", "uid-trial")];
        assert_eq!(writes(&bench.plan()), expected, "{wanted} {available}");
    }
}

#[test]
fn what_still_measures_is_ended_and_its_end_is_kept_in_the_status() {
    let mut bench = ended(None, 0, 0, None);
    bench.spec["analyses"] = json!([{"name": "judge", "templateName": "errors"}]);
    bench.status["analysisRuns"] = json!([{"name": "judge", "analysisRun": "trial-judge", "phase": "Running"}]);
    bench.runs = vec![run("trial-judge", "Running", "")];
    assert_eq!(writes(&bench.plan()), ["trial-judge: /spec/terminate=true"]);
    bench.runs = vec![run("trial-judge", "Successful", "")];
    let plan = bench.plan();
    assert_eq!(writes(&plan), [""; 0]);
    assert_eq!(status(&plan)["analysisRuns"][0]["phase"], "Successful");
}

#[test]
fn whoever_ends_it_early_ends_it_well_unless_something_has_failed() {
    let mut bench = bench(json!({"templates": [version("new", 1)], "terminate": true}), running(&["new"]));
    bench.sets = vec![set("new", 1, 1)];
    let said = status(&bench.plan());
    assert_eq!([&said["phase"], &said["templateStatuses"][0]["status"]], ["Successful", "Successful"]);
    bench.spec["analyses"] = json!([{"name": "judge", "templateName": "errors"}]);
    bench.status["analysisRuns"] = json!([{"name": "judge", "analysisRun": "trial-judge", "phase": "Running"}]);
    bench.runs = vec![run("trial-judge", "Failed", "errors 3 > 1")];
    assert_eq!(status(&bench.plan())["phase"], "Failed");
}

#[test]
fn at_rest_nothing_is_written() {
    let mut bench = ended(None, 0, 0, None);
    for _ in 0..2 {
        let plan = bench.plan();
        assert!(plan.writes.is_empty() && plan.wake_at.is_none());
        let Some(_) = &plan.status else { return };
        bench.status = status(&plan);
    }
    panic!("a status each time");
}

#[test]
fn one_that_is_deleted_is_left_to_the_garbage_collector() {
    let bench = ended(Some(0), 2, 2, None);
    let mut snapshot = bench.snapshot();
    let mut object: Value = serde_json::to_value(&*snapshot.experiment).expect("JSON");
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T11:00:00Z");
    snapshot.experiment = std::sync::Arc::new(serde_json::from_value(object).expect("an Experiment"));
    let plan = crate::experiment::plan(&snapshot, super::fixture::now());
    assert!(plan.writes.is_empty() && plan.status.is_none());
}
