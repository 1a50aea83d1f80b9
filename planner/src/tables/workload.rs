//! A template that is in another object: how many pods a Deployment keeps, and what is said.

use std::sync::Arc;

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, set_by, snapshot, status_of, template};
use crate::plan::{Kind, Plan};
use crate::snapshot::Snapshot;
use crate::workload::{Workload, WorkloadKind, WorkloadName, WorkloadSeen};
use crate::{plan, release, waits_for_pods};

const KEY: &str = "rollouts.argoproj.io/sluice-scaled-down";
const FINALIZER: &str = "rollouts.argoproj.io/sluice-workload";

fn deployment(replicas: i32, available: i32, remembered: &Value) -> Value {
    let annotations = if remembered.is_null() { json!({}) } else { json!({KEY: remembered.to_string()}) };
    json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "deployment-uid", "generation": 4, "annotations": annotations,
        },
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template("web:2"),
        },
        "status": {"availableReplicas": available, "observedGeneration": 4},
    })
}

/// What a Deployment says of 10 pods that are now so many.
fn remembered(to: i32, taken_back: u32, at: &str) -> Value {
    json!({"rollout": "web", "from": 10, "to": to, "taken_back": taken_back, "at": at})
}

/// A Rollout of 10 pods that takes its template from a Deployment.
fn referring(mode: &str, status: &Value) -> Value {
    let mut rollout = rollout(10, &json!({}), status);
    rollout["spec"]["template"] = Value::Null;
    rollout["spec"]["selector"] = Value::Null;
    rollout["spec"]["workloadRef"] =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": mode});
    rollout["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = json!("4");
    rollout["metadata"]["annotations"][KEY] = json!("web");
    rollout["metadata"]["finalizers"] = json!([FINALIZER]);
    rollout
}

fn seen(rollout: &Value, sets: &[Value], there: Option<&Value>) -> Snapshot {
    let mut snapshot = snapshot(rollout, sets, &[], &[]);
    let name = WorkloadName { kind: WorkloadKind::Deployment, name: "web".to_owned() };
    let seen = there.map_or(WorkloadSeen::Absent, |there| {
        let read = Workload::from_json(WorkloadKind::Deployment, there);
        WorkloadSeen::There(Arc::new(read.expect("a Deployment")))
    });
    snapshot.workloads.insert(name, seen);
    snapshot
}

/// The size that a plan gives the Deployment.
fn resized(plan: &Plan) -> Option<i64> {
    let write = plan.writes.iter().find(|write| write.target.kind == Kind::Deployment)?;
    set_by(write, "/spec/replicas")?.as_i64()
}

/// In the first release: nothing is stable yet.
fn first() -> Value {
    json!({"phase": "Progressing", "currentPodHash": hash("web:2"), "currentStepIndex": null})
}

/// After it.
fn complete() -> Value {
    json!({"phase": "Healthy", "currentPodHash": hash("web:2"), "stableRS": hash("web:2")})
}

#[test]
#[expect(clippy::type_complexity, reason = "a table; its comment names the columns")]
fn pods_of_a_deployment_go_as_those_of_the_rollout_come() {
    let none = Value::Null;
    let at_6 = remembered(6, 0, "2026-01-01T11:59:00Z");
    // (case, mode, status, pods ready, available; the Deployment's, what is remembered → its new size)
    let rows: [(&str, &str, Value, (i32, i32), i32, &Value, Option<i64>); 16] = [
        ("none is available", "progressively", first(), (4, 0), 10, &none, None),
        ("four are available", "progressively", first(), (4, 4), 10, &none, Some(6)),
        ("two more", "progressively", first(), (6, 6), 6, &at_6, Some(4)),
        ("one isn't available any more, but ready", "progressively", first(), (4, 3), 6, &at_6, None),
        ("two are not even ready", "progressively", first(), (2, 2), 6, &at_6, Some(8)),
        ("all are available", "progressively", first(), (10, 10), 6, &at_6, Some(0)),
        ("others took some", "progressively", first(), (2, 2), 3, &at_6, None),
        ("the first release is not complete", "onsuccess", first(), (10, 10), 10, &none, None),
        ("it is", "onsuccess", complete(), (10, 10), 10, &none, Some(0)),
        ("too few are available", "onsuccess", complete(), (10, 7), 10, &none, None),
        ("as few as may be", "onsuccess", complete(), (10, 8), 10, &none, Some(0)),
        ("nothing is left to take", "onsuccess", complete(), (10, 10), 0, &none, None),
        ("the mode was changed on the way", "onsuccess", first(), (4, 4), 6, &at_6, Some(10)),
        ("it is complete", "progressively", complete(), (10, 10), 6, &at_6, Some(0)),
        ("never", "never", complete(), (10, 10), 10, &none, None),
        ("never from now on", "never", complete(), (10, 10), 6, &at_6, None),
    ];
    for (case, mode, status, (ready, available), replicas, remembered, expected) in rows {
        let sets = [set("web:2", 2, 10, ready, available)];
        let deployment = deployment(replicas, replicas, remembered);
        let plan = plan(&seen(&referring(mode, &status), &sets, Some(&deployment)), now());
        assert_eq!(resized(&plan), expected, "{case}: {}", plan.why);
    }
}

#[test]
fn another_size_than_the_rollouts_shrinks_in_proportion() {
    let mut rollout = referring("progressively", &first());
    rollout["spec"]["replicas"] = json!(4);
    let sets = [set("web:2", 2, 4, 1, 1)];
    let plan = plan(&seen(&rollout, &sets, Some(&deployment(10, 10, &Value::Null))), now());
    assert_eq!(resized(&plan), Some(8));
}

#[test]
fn who_gives_a_deployment_its_pods_again_is_contradicted_more_and_more_seldom() {
    // (how often before, when last → scaled down now, or when)
    let rows = [
        (0, "2026-01-01T11:59:59Z", None),
        (1, "2026-01-01T11:59:50Z", Some("2026-01-01T12:00:20Z")),
        (1, "2026-01-01T11:59:30Z", None),
        (2, "2026-01-01T11:59:30Z", Some("2026-01-01T12:00:30Z")),
        (40, "2026-01-01T11:59:00Z", Some("2026-01-01T12:09:00Z")),
        (40, "2026-01-01T10:00:00Z", None),
    ];
    for (before, at, waits_until) in rows {
        let sets = [set("web:2", 2, 10, 10, 10)];
        let deployment = deployment(10, 3, &remembered(0, before, at));
        let plan = plan(&seen(&referring("onsuccess", &complete()), &sets, Some(&deployment)), now());
        let wake_at = plan.wake_at.map(|at| at.to_string());
        match waits_until {
            None => assert_eq!(resized(&plan), Some(0), "{before} at {at}"),
            Some(until) => {
                assert_eq!((resized(&plan), wake_at.as_deref()), (None, Some(until)), "{before} at {at}");
                let said = format!(
                    "scaled up to 10 again by others, {before} times so far; it is scaled down once more at {until}"
                );
                assert!(plan.why.contains(&said), "{}", plan.why);
            }
        }
    }
}

#[test]
fn a_rollout_is_held_before_its_deployment_loses_a_pod() {
    let mut rollout = referring("onsuccess", &complete());
    rollout["metadata"]["finalizers"] = json!(["theirs"]);
    let plan = plan(&seen(&rollout, &[set("web:2", 2, 10, 10, 10)], Some(&deployment(10, 10, &Value::Null))), now());
    let kinds: Vec<Kind> = plan.writes.iter().map(|write| write.target.kind).collect();
    assert_eq!(kinds, [Kind::Rollout, Kind::Deployment]);
    assert_eq!(set_by(&plan.writes[0], "/metadata/finalizers"), Some(json!(["theirs", FINALIZER])));
}

#[test]
fn what_is_wrong_with_the_workload_is_said_at_the_field_that_names_it() {
    let of_others = json!({"rollout": "api", "from": 3, "to": 0, "at": "2026-01-01T11:00:00Z"});
    let mut broken = deployment(10, 10, &Value::Null);
    broken["spec"]["template"]["spec"]["containers"][0]["image"] = json!("");
    // (the Deployment, the message)
    let rows = [
        (None, "spec.workloadRef: Deployment web is not there; create it, or name the one that has the template"),
        (
            Some(deployment(10, 10, &of_others)),
            "spec.workloadRef: Deployment web is scaled down by Rollout \"api\"; set scaleDown: never in one of the two; \
             if api is gone, remove rollouts.argoproj.io/sluice-scaled-down from it",
        ),
        (
            Some(broken),
            "spec.workloadRef: Deployment web has at spec.template.spec.containers[0].image: is required; \
             write one such as registry.example.com/web:1.2",
        ),
    ];
    for (deployment, expected) in rows {
        let sets = [set("web:2", 2, 10, 10, 10)];
        let plan = plan(&seen(&referring("onsuccess", &complete()), &sets, deployment.as_ref()), now());
        let message = status_of(&plan, "message").unwrap_or_default();
        assert_eq!(message, format!("InvalidSpec: The Rollout \"web\" is invalid: {expected}"));
        assert_eq!(resized(&plan), None);
    }
}

#[test]
fn nothing_is_planned_before_the_workload_was_looked_for() {
    let snapshot = snapshot(&referring("onsuccess", &complete()), &[set("web:2", 2, 10, 10, 10)], &[], &[]);
    let plan = plan(&snapshot, now());
    assert_eq!((plan.writes.len(), plan.status.is_some()), (0, false));
    assert_eq!(plan.why, "Deployment web has not been read yet");
}

#[test]
fn as_many_pods_are_asked_for_as_the_deployment_has() {
    let mut rollout = referring("onsuccess", &Value::Null);
    rollout["spec"]["replicas"] = Value::Null;
    let plan = plan(&seen(&rollout, &[], Some(&deployment(7, 7, &Value::Null))), now());
    assert_eq!(set_by(&plan.writes[0], "/spec/replicas"), Some(json!(7)));
}

#[test]
#[expect(clippy::type_complexity, reason = "a table; its comment names the columns")]
fn a_deleted_rollout_is_held_until_the_deployment_serves_or_the_time_is_over() {
    let at_0 = remembered(0, 0, "2026-01-01T11:00:00Z");
    let at_10 = remembered(10, 0, "2026-01-01T11:59:30Z");
    let long_at_10 = remembered(10, 0, "2026-01-01T11:49:00Z");
    let anothers = json!({"rollout": "other", "from": 5, "to": 0, "taken_back": 0, "at": "2026-01-01T11:00:00Z"});
    // (case, deleted at, the Deployment's pods and those available, what is remembered → kinds of writes, waits)
    let rows: [(&str, &str, i32, i32, &Value, &[Kind], bool); 8] = [
        ("it has none", "2026-01-01T11:59:59Z", 0, 0, &at_0, &[Kind::Deployment], false),
        ("they start", "2026-01-01T11:59:59Z", 10, 4, &at_10, &[], true),
        ("nobody looked for a day", "2025-12-31T12:00:00Z", 0, 0, &at_0, &[Kind::Deployment], false),
        ("its note is lost", "2026-01-01T11:59:59Z", 0, 0, &Value::Null, &[Kind::Deployment], false),
        ("they serve", "2026-01-01T11:59:59Z", 10, 10, &at_10, &[Kind::Deployment, Kind::Rollout], false),
        ("they never do", "2026-01-01T11:48:00Z", 10, 4, &long_at_10, &[Kind::Rollout, Kind::Deployment], false),
        ("it is another's", "2026-01-01T11:59:59Z", 0, 0, &anothers, &[Kind::Rollout], false),
        ("somebody else scales it", "2026-01-01T11:59:59Z", 3, 3, &Value::Null, &[Kind::Rollout], false),
    ];
    for (case, at, replicas, available, remembered, kinds, waits) in rows {
        let mut rollout = referring("onsuccess", &complete());
        rollout["metadata"]["deletionTimestamp"] = json!(at);
        let deployment = deployment(replicas, available, remembered);
        let plan = plan(&seen(&rollout, &[set("web:2", 2, 10, 10, 10)], Some(&deployment)), now());
        let written: Vec<Kind> = plan.writes.iter().map(|write| write.target.kind).collect();
        assert_eq!((written.as_slice(), plan.wake_at.is_some()), (kinds, waits), "{case}: {}", plan.why);
    }
}

#[test]
fn in_mid_release_a_deployment_is_not_given_back_because_it_has_the_new_template() {
    let mut status = complete();
    status["stableRS"] = json!(hash("web:1"));
    let snapshot =
        seen(&referring("onsuccess", &status), &[], Some(&deployment(0, 0, &remembered(0, 0, "2026-01-01T11:00:00Z"))));
    let plan = release(&snapshot, now());
    assert!(plan.writes.is_empty() && plan.wake_at.is_some() && !waits_for_pods(&snapshot, now()));
    assert!(plan.why.starts_with("Deployment web has the template of the new version"), "{}", plan.why);
}
