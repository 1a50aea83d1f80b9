//! A status that Argo Rollouts left behind is taken over where it stands: nothing starts again, nothing is told
//! twice, and after one write of the status there is peace.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, service, set, sizes, snapshot, status_at, told};
use crate::{Action, Plan, plan};

const STARTED: &str = "2026-01-01T11:59:30Z";

fn canary() -> Value {
    json!({"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {"duration": "1m"}}]})
}

/// What stands in every status of theirs, with ten pods of which two are new.
fn theirs(phase: &str, message: &str, more: &Value) -> Value {
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": "as they say it",
            "lastUpdateTime": "2026-01-01T11:50:00Z", "lastTransitionTime": "2026-01-01T11:50:00Z"})
    };
    let mut status = json!({
        "HPAReplicas": 10, "availableReplicas": 10, "readyReplicas": 10, "replicas": 10, "updatedReplicas": 2,
        "blueGreen": {}, "canary": {}, "observedGeneration": "3", "selector": "app=web",
        "phase": phase, "message": message,
        "conditions": [
            condition("Available", "True", "AvailableReason"),
            condition("Completed", "False", "RolloutCompleted"),
            condition("Progressing", "Unknown", "RolloutPaused"),
            condition("Paused", "True", "RolloutPaused"),
        ],
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        status[field] = value.clone();
    }
    status
}

fn pause(reason: &str) -> Value {
    json!({"controllerPause": true, "pauseConditions": [{"reason": reason, "startTime": STARTED}]})
}

fn with(mut value: Value, more: &Value) -> Value {
    for (field, change) in more.as_object().into_iter().flatten() {
        value[field] = change.clone();
    }
    value
}

/// The Rollout once the plan's status was written.
fn written(rollout: &Value, plan: &Plan) -> Value {
    let mut rollout = rollout.clone();
    let Some(Action::Patch(operations)) = plan.status.as_ref().map(|write| &write.action) else { return rollout };
    for operation in operations.iter().filter(|operation| operation["op"] != "test") {
        let field = operation["path"].as_str().and_then(|path| path.strip_prefix("/status/")).expect("a field");
        match operation["op"].as_str() {
            Some("add") => rollout["status"][field] = operation["value"].clone(),
            _ => drop(rollout["status"].as_object_mut().and_then(|status| status.remove(field))),
        }
    }
    rollout
}

/// The plan, and the status that it leads to; then the next plan has nothing more to say.
fn taken_over(rollout: &Value, sets: &[Value], services: &[Value]) -> (Plan, Value) {
    let first = plan(&snapshot(rollout, sets, &[], services), now());
    let after = written(rollout, &first);
    if first.writes.is_empty() {
        let second = plan(&snapshot(&after, sets, &[], services), now());
        assert_eq!((told(&second), second.status), (Vec::new(), None), "{}", first.why);
    }
    (first, after["status"].clone())
}

#[test]
fn a_canary_goes_on_where_it_was() {
    // step, more of the status → phase, message, step after, events, sizes
    let rows = [
        (
            "waiting for a person",
            1,
            theirs("Paused", "CanaryPauseStep", &pause("CanaryPauseStep")),
            ("Paused", "CanaryPauseStep", 1, vec![], vec![]),
        ),
        (
            "resumed while nobody led",
            1,
            theirs("Paused", "CanaryPauseStep", &json!({"controllerPause": true})),
            (
                "Progressing",
                "more replicas need to be updated",
                2,
                vec!["RolloutStepCompleted", "RolloutResumed"],
                vec![],
            ),
        ),
        (
            "paused by an inconclusive run whose object is gone",
            2,
            theirs("Paused", "InconclusiveAnalysisRun", &pause("InconclusiveAnalysisRun")),
            ("Paused", "InconclusiveAnalysisRun", 2, vec![], vec![(hash("web:2"), 4), (hash("web:1"), 6)]),
        ),
        (
            "aborted",
            0,
            theirs(
                "Degraded",
                "RolloutAborted: Rollout aborted update to revision 2",
                &json!({"abort": true, "abortedAt": STARTED}),
            ),
            (
                "Degraded",
                "RolloutAborted: Rollout aborted update to revision 2",
                0,
                vec![],
                vec![(hash("web:1"), 10), (hash("web:2"), 0)],
            ),
        ),
        (
            "asked to abort while nobody led",
            1,
            theirs("Paused", "CanaryPauseStep", &with(pause("CanaryPauseStep"), &json!({"abort": true}))),
            (
                "Degraded",
                "RolloutAborted: Rollout aborted update to revision 2",
                0,
                vec!["RolloutAborted"],
                vec![(hash("web:1"), 10), (hash("web:2"), 0)],
            ),
        ),
        (
            "a step beyond the last one",
            9,
            theirs("Progressing", "waiting for all steps to complete", &json!({})),
            (
                "Progressing",
                "more replicas need to be updated",
                4,
                vec![],
                vec![(hash("web:2"), 5), (hash("web:1"), 6)],
            ),
        ),
    ];
    for (case, step, theirs, (phase, message, after, events, resized)) in rows {
        let rollout = rollout(10, &canary(), &status_at(&canary(), step, &theirs));
        let sets = [set("web:1", 1, 8, 8, 8), set("web:2", 2, 2, 2, 2)];
        let (plan, status) = taken_over(&rollout, &sets, &[]);
        assert_eq!((status["phase"].as_str(), status["message"].as_str()), (Some(phase), Some(message)), "{case}");
        assert_eq!(status["currentStepIndex"], after, "{case}");
        assert_eq!(told(&plan), events, "{case}: {}", plan.why);
        let resized: Vec<_> = resized.into_iter().map(|(hash, pods)| (format!("web-{hash}"), pods)).collect();
        assert_eq!(sizes(&plan), resized, "{case}: {}", plan.why);
    }
}

#[test]
fn a_timed_pause_ends_when_it_would_have_ended() {
    let theirs = theirs("Paused", "CanaryPauseStep", &pause("CanaryPauseStep"));
    let rollout = rollout(10, &canary(), &status_at(&canary(), 3, &theirs));
    let sets = [set("web:1", 1, 6, 6, 6), set("web:2", 2, 4, 4, 4)];
    let (plan, status) = taken_over(&rollout, &sets, &[]);
    assert_eq!(plan.wake_at, Some("2026-01-01T12:00:30Z".parse().expect("a time")));
    assert_eq!(status["pauseConditions"][0]["startTime"], STARTED);
}

#[test]
fn a_healthy_rollout_gets_our_fields_and_is_left_alone() {
    let status = theirs("Healthy", "", &json!({"updatedReplicas": 10, "stableRS": hash("web:2")}));
    let rollout = rollout(10, &canary(), &status_at(&canary(), 4, &status));
    let sets = [set("web:1", 1, 0, 0, 0), set("web:2", 2, 10, 10, 10)];
    let (plan, status) = taken_over(&rollout, &sets, &[]);
    assert!(told(&plan).is_empty());
    assert_eq!(plan.writes, Vec::new());
    assert_eq!(status["phase"], "Healthy");
    assert_eq!(status["columns"]["step"], "4/4");
    assert_eq!(status["why"], "revision 2 is stable: 10 of 10 pods available");
    assert_eq!(status["history"], Value::Null, "nothing has ended");
}

#[test]
fn a_first_deploy_that_never_had_a_stable_revision_goes_on() {
    for stable in [json!(""), Value::Null] {
        let theirs = theirs("Progressing", "updated replicas are still becoming available", &json!({}));
        let status = status_at(&canary(), 0, &with(theirs, &json!({"stableRS": stable})));
        let rollout = rollout(10, &canary(), &status);
        let (plan, status) = taken_over(&rollout, &[set("web:2", 2, 10, 10, 4)], &[]);
        assert_eq!(status["stableRS"].as_str().unwrap_or_default(), "", "not before its pods are available");
        assert_eq!(plan.writes, Vec::new());
        let (_, status) = taken_over(&rollout, &[set("web:2", 2, 10, 10, 10)], &[]);
        assert_eq!((status["stableRS"].as_str(), status["phase"].as_str()), (Some(&*hash("web:2")), Some("Healthy")));
    }
}

/// A Rollout to `web:2` beside a stable `web:1`.
fn blue_green(strategy: &Value, more: &Value) -> Value {
    let mut rollout = rollout(3, &json!({}), &Value::Null);
    rollout["spec"]["strategy"] = json!({"blueGreen": strategy});
    let selectors = json!({"activeSelector": hash("web:1"), "previewSelector": hash("web:2")});
    let theirs = theirs("Paused", "BlueGreenPause", &pause("BlueGreenPause"));
    let counts = json!({"HPAReplicas": 3, "availableReplicas": 3, "readyReplicas": 3, "replicas": 6,
        "updatedReplicas": 3, "blueGreen": selectors, "currentPodHash": hash("web:2"), "stableRS": hash("web:1"),
        "selector": format!("app=web,rollouts-pod-template-hash={}", hash("web:1"))});
    rollout["status"] = with(with(theirs, &counts), more);
    rollout
}

#[test]
fn a_blue_green_release_goes_on_where_it_was() {
    let both = [set("web:1", 1, 3, 3, 3), set("web:2", 2, 3, 3, 3)];
    let services = [service("active", Some(&hash("web:1"))), service("preview", Some(&hash("web:2")))];
    let asked = json!({"activeService": "active", "previewService": "preview", "autoPromotionEnabled": false});
    let timed = json!({"activeService": "active", "previewService": "preview", "autoPromotionSeconds": 60});
    // strategy, more of the status → phase, message, Services written, events
    let rows = [
        ("waiting for a person", &asked, json!({}), ("Paused", "BlueGreenPause", vec![], vec![])),
        ("waiting for its time", &timed, json!({}), ("Paused", "BlueGreenPause", vec![], vec![])),
        (
            "resumed while nobody led",
            &asked,
            json!({"pauseConditions": null}),
            (
                "Progressing",
                "active service cutover pending",
                vec!["active"],
                vec!["RolloutResumed", "RolloutCompleted"],
            ),
        ),
        (
            "aborted",
            &asked,
            json!({"abort": true, "abortedAt": STARTED, "pauseConditions": null, "controllerPause": null}),
            ("Degraded", "RolloutAborted: Rollout aborted update to revision 2", vec![], vec![]),
        ),
    ];
    for (case, strategy, more, (phase, message, switched, events)) in rows {
        let (plan, status) = taken_over(&blue_green(strategy, &more), &both, &services);
        assert_eq!((status["phase"].as_str(), status["message"].as_str()), (Some(phase), Some(message)), "{case}");
        let writes = plan.writes.iter().filter(|write| write.target.kind == crate::Kind::Service);
        let written: Vec<&str> = writes.map(|write| write.target.name.as_str()).collect();
        assert_eq!(written, switched, "{case}: {}", plan.why);
        assert_eq!(told(&plan), events, "{case}");
    }
    let (plan, _) = taken_over(&blue_green(&timed, &json!({})), &both, &services);
    assert_eq!(plan.wake_at, Some("2026-01-01T12:00:30Z".parse().expect("a time")));
}
