//! How releases end, how long they took, what they risked, and what comes of a revision that was rejected.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, set_by, sizes, snapshot, status_at, status_of, told};
use crate::{Plan, plan};

const STARTED: &str = "2026-01-01T11:00:00Z";
const NOW: &str = "2026-01-01T12:00:00Z";

fn canary() -> Value {
    json!({"steps": [{"setWeight": 20}, {"pause": {}}]})
}

#[expect(clippy::needless_pass_by_value, reason = "rows are read more easily without references")]
fn with(mut value: Value, more: Value) -> Value {
    for (key, more) in more.as_object().into_iter().flatten() {
        value[key] = more.clone();
    }
    value
}

/// A release of `web:2` over `web:1` that began an hour ago, its template written by `argocd`.
fn plan_of(step: i32, more: Value, change: impl FnOnce(&mut Value), new: i32, stable: i32) -> Plan {
    let started = json!({"duration": {"rolloutStartedAt": STARTED}, "why": "as before"});
    let mut rollout = rollout(10, &canary(), &status_at(&canary(), step, &with(started, more)));
    rollout["metadata"]["managedFields"] = json!([
        {"manager": "argocd", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {}}, "f:replicas": {}}}},
        {"manager": "kubectl-argo-rollouts", "subresource": "status",
            "fieldsV1": {"f:status": {"f:abort": {}, "f:promoteFull": {}}}},
    ]);
    change(&mut rollout);
    let sets = [set("web:1", 1, stable, stable, stable), set("web:2", 2, new, new, new)];
    plan(&snapshot(&rollout, &sets, &[], &[]), now())
}

#[test]
#[expect(clippy::type_complexity, reason = "a table; its comment names the columns")]
fn each_end_is_remembered_with_its_reason_and_who_asked_for_it() {
    let unchanged = |_: &mut Value| {};
    let another = |rollout: &mut Value| rollout["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:3");
    let back = |rollout: &mut Value| rollout["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:1");
    let late = json!({"rejected": [], "conditions": [{"type": "Progressing", "status": "True", "lastUpdateTime": STARTED}],
        "replicas": 9, "updatedReplicas": 1, "readyReplicas": 10, "availableReplicas": 10});
    let aborts_itself = |rollout: &mut Value| rollout["spec"]["progressDeadlineAbort"] = json!(true);
    let abort = "aborted on request at step 2/2 (pause)";
    let stuck = "no progress for 600 seconds at step 1/2 (setWeight: 20)";
    let (template, person) = (json!("argocd"), json!("kubectl-argo-rollouts"));
    type Change<'a> = &'a dyn Fn(&mut Value);
    // (step, status, change, new pods, stable pods → result, why, who)
    let rows: [(i32, Value, Change<'_>, i32, i32, &str, &str, &Value); 6] = [
        (2, json!({}), &unchanged, 10, 0, "Promoted", "Completed all 2 canary steps", &template),
        (2, json!({"promoteFull": true}), &unchanged, 10, 0, "FastPromoted", "Full promotion requested", &person),
        (1, json!({"abort": true}), &unchanged, 2, 8, "Aborted", abort, &person),
        (0, late, &aborts_itself, 1, 8, "Aborted", stuck, &Value::Null),
        (1, json!({}), &another, 2, 8, "Superseded", "superseded by revision 3", &template),
        (
            1,
            json!({}),
            &back,
            2,
            8,
            "FastRolledBack",
            "the template went back to the stable revision, which is 3 now",
            &template,
        ),
    ];
    for (step, status, change, new, stable, result, why, who) in rows {
        let plan = plan_of(step, status, change, new, stable);
        let history = status_of(&plan, "history").unwrap_or_default();
        let mut expected = json!([{"revision": 2, "images": ["web:2"], "podHash": hash("web:2"), "from": STARTED,
            "to": NOW, "result": result, "why": why}]);
        if !who.is_null() {
            expected[0]["who"] = who.clone();
        }
        assert_eq!(history, expected, "{}", plan.why);
        let is_over = result != "Superseded";
        let duration = status_of(&plan, "duration").expect("a duration");
        assert_eq!(duration["rolloutStartedAt"], if is_over { STARTED } else { NOW }, "{result}");
        assert_eq!(duration["completionStatus"], if is_over { json!(result) } else { Value::Null });
    }
}

#[test]
fn twenty_ends_are_remembered() {
    let old: Vec<Value> = (0..20).map(|revision| json!({"revision": revision})).collect();
    let plan = plan_of(1, json!({"abort": true, "history": old}), |_| {}, 2, 8);
    let history = status_of(&plan, "history").expect("a history");
    let revisions: Vec<&Value> = history.as_array().expect("a list").iter().map(|end| &end["revision"]).collect();
    assert_eq!(revisions.len(), 20);
    assert_eq!(revisions[..3], [&json!(2), &json!(0), &json!(1)]);
}

#[test]
fn time_that_people_take_is_counted_apart() {
    let at_pause = json!({"controllerPause": true,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T11:59:00Z"}]});
    let plan = plan_of(1, at_pause, |_| {}, 2, 8);
    assert_eq!(
        status_of(&plan, "duration"),
        Some(json!({"rolloutStartedAt": STARTED, "manualPauseStartedAt": NOW})),
        "from when it was seen"
    );
    let resumed = json!({"controllerPause": true, "duration": {"rolloutStartedAt": STARTED,
        "manualPauseStartedAt": "2026-01-01T11:58:30Z", "totalManualPauseDurationSeconds": 10}});
    let plan = plan_of(1, resumed, |_| {}, 2, 8);
    assert_eq!(
        status_of(&plan, "duration"),
        Some(json!({"rolloutStartedAt": STARTED, "totalManualPauseDurationSeconds": 100}))
    );
}

#[test]
fn exposure_is_the_sum_of_share_times_time() {
    let hundred = |percent: i32| json!({"exposure": {"percentSeconds": 700, "percent": percent, "since": "2026-01-01T11:58:20Z"}});
    // (case, step, exposure before, new pods, stable pods → after; none: unchanged)
    let rows = [
        ("two of ten pods", 0, json!({}), 2, 8, Some(json!({"percentSeconds": 0, "percent": 20, "since": NOW}))),
        ("the same share does not tick", 1, hundred(20), 2, 8, None),
        (
            "half of them after 100 seconds at 20 %",
            1,
            hundred(20),
            5,
            5,
            Some(json!({"percentSeconds": 2_700, "percent": 50, "since": NOW})),
        ),
        ("promoted", 2, hundred(100), 10, 0, Some(json!({"percentSeconds": 10_700}))),
        ("taken back", 0, with(hundred(20), json!({"abort": true})), 0, 10, Some(json!({"percentSeconds": 2_700}))),
        (
            "still on its way back",
            0,
            with(hundred(20), json!({"abort": true})),
            1,
            9,
            Some(json!({"percentSeconds": 2_700, "percent": 10, "since": NOW})),
        ),
    ];
    for (case, step, before, new, stable, after) in rows {
        assert_eq!(status_of(&plan_of(step, before, |_| {}, new, stable), "exposure"), after, "{case}");
    }
}

#[test]
fn the_status_says_why_and_when_it_goes_on_by_itself() {
    let plan = plan_of(0, json!({}), |_| {}, 1, 8);
    assert_eq!(status_of(&plan, "why"), Some(json!(plan.why)));
    assert_eq!(status_of(&plan, "nextTransitionTime"), Some(json!("2026-01-01T12:10:00Z")), "the progress deadline");
    let waits = json!({"controllerPause": true, "nextTransitionTime": NOW,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": STARTED}]});
    let plan = plan_of(1, waits, |_| {}, 2, 8);
    let crate::Action::Patch(operations) = &plan.status.as_ref().expect("a status").action else { panic!("a patch") };
    let removed = operations.iter().any(|o| o["op"] == "remove" && o["path"] == "/status/nextTransitionTime");
    assert!(removed, "nothing but a person moves it");
}

#[test]
fn a_rejected_template_that_comes_back_is_held_only_on_request() {
    let rejected = json!({"rejected": [{"podHash": hash("web:2"), "at": STARTED, "reason": "error-rate 3 % > 1 %"}],
        "currentPodHash": hash("web:1")});
    let plan = plan_of(2, rejected.clone(), |_| {}, 0, 10);
    assert_eq!(status_of(&plan, "abort"), None, "released anew");
    assert_eq!(told(&plan), ["RolloutNotCompleted"]);
    assert!(plan.events[0].message.ends_with("it was rejected at 2026-01-01T11:00:00Z: error-rate 3 % > 1 %"));

    let hold = |rollout: &mut Value| rollout["spec"]["strategy"]["canary"]["holdRejected"] = json!(true);
    let held = plan_of(2, rejected.clone(), hold, 0, 10);
    assert_eq!(status_of(&held, "abort"), Some(json!(true)));
    assert_eq!(told(&held), ["RolloutNotCompleted", "RolloutAborted"]);
    assert_eq!(
        held.why,
        "held: revision 2 waits for a retry; it was rejected at 2026-01-01T11:00:00Z: error-rate 3 % > 1 %; \
         stable has 10 of 10 pods available"
    );
    assert_eq!(
        status_of(&held, "message").unwrap_or_default(),
        "RolloutAborted: Rollout aborted update to revision 2; it was rejected at 2026-01-01T11:00:00Z: \
         error-rate 3 % > 1 %; retry to release it"
    );
    assert_eq!(status_of(&held, "history"), None, "nothing was released");
    assert_eq!(status_of(&held, "rejected"), None, "the evidence stays");

    let later = with(rejected, json!({"currentPodHash": hash("web:2"), "abort": true, "abortedAt": NOW}));
    assert!(plan_of(0, later.clone(), hold, 0, 10).why.starts_with("held: "), "and it stays so");
    let retried = plan_of(0, with(later, json!({"abort": false})), hold, 0, 10);
    assert!(retried.why.starts_with("step 1/2 (setWeight: 20): waiting"), "{}", retried.why);
    let size = retried.writes.iter().find_map(|write| set_by(write, "/spec/replicas"));
    assert_eq!(size, Some(json!(2)));
}

#[test]
fn a_crd_without_our_fields_is_not_written_to_for_them() {
    let plan = plan_of(0, json!({}), |_| {}, 1, 8);
    let crate::Action::Patch(operations) = &plan.status.as_ref().expect("a status").action else { panic!("a patch") };
    let known = |status: &mut Value| {
        for operation in operations.iter().filter(|operation| operation["op"] == "add") {
            let field = operation["path"].as_str().and_then(|path| path.strip_prefix("/status/")).expect("a field");
            status[field] = operation["value"].clone();
        }
        for ours in ["columns", "duration", "exposure", "history", "nextTransitionTime", "rejected", "why"] {
            status.as_object_mut().expect("a status").remove(ours);
        }
    };
    let again = plan_of(0, json!({}), |rollout| known(&mut rollout["status"]), 1, 8);
    assert_eq!(again.status, None);
}

#[test]
fn what_was_rejected_does_not_begin_again_when_the_stable_replica_set_is_deleted() {
    let aborted = json!({"abort": true, "abortedAt": "2026-01-01T11:00:00Z"});
    // pods of the aborted revision, which is all that is left
    for left in [0, 2] {
        let rollout = rollout(10, &canary(), &status_at(&canary(), 0, &aborted));
        let plan = plan(&snapshot(&rollout, &[set("web:2", 2, left, left, left)], &[], &[]), now());
        assert_eq!(sizes(&plan), [], "{}", plan.why);
        assert_eq!(
            plan.why,
            format!(
                "aborted: revision 2 is taken back and keeps its {left} pods, because the stable ReplicaSet is gone; \
                 retry, or release another version"
            )
        );
    }
}
