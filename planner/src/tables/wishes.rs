//! What people ask for, and what comes of it in one pass.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, service, set, set_by, sizes, snapshot, status_at, status_of, told};
use crate::plan;

fn canary() -> Value {
    json!({"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 20}, {"pause": {"duration": 60}}, {"setWeight": 50}]})
}

fn paused_since(time: &str) -> Value {
    json!({"controllerPause": true, "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": time}]})
}

/// Two new pods and eight old ones, all available.
fn plan_at(step: i32, more: &Value) -> crate::Plan {
    let rollout = rollout(10, &canary(), &status_at(&canary(), step, more));
    plan(&snapshot(&rollout, &[set("web:1", 1, 8, 8, 8), set("web:2", 2, 2, 2, 2)], &[], &[]), now())
}

#[test]
fn steps_advance_as_far_as_they_can_and_tell_each() {
    // step, status → events, step after (None: unchanged)
    let rows = [
        ("a reached weight leads into the pause", 0, json!({}), vec!["RolloutStepCompleted", "RolloutPaused"], Some(1)),
        ("a pause without an end waits", 1, paused_since("2025-01-01T00:00:00Z"), vec![], None),
        (
            "a resumed pause passes the next weight, which is reached already",
            1,
            json!({"controllerPause": true}),
            vec!["RolloutStepCompleted", "RolloutResumed", "RolloutStepCompleted", "RolloutPaused"],
            Some(3),
        ),
        ("a pause ends at its time, not before", 3, paused_since("2026-01-01T11:59:01Z"), vec![], None),
        (
            "a pause ends at its time",
            3,
            paused_since("2026-01-01T11:59:00Z"),
            vec!["RolloutStepCompleted", "RolloutResumed"],
            Some(4),
        ),
        (
            "a step that somebody moved on counts from there",
            2,
            paused_since("2026-01-01T11:00:00Z"),
            vec!["RolloutStepCompleted", "RolloutPaused"],
            Some(3),
        ),
        ("a weight that is not reached waits", 4, json!({}), vec![], None),
    ];
    for (case, step, status, events, after) in rows {
        let plan = plan_at(step, &status);
        assert_eq!(told(&plan), events, "{case}: {}", plan.why);
        assert_eq!(status_of(&plan, "currentStepIndex"), after.map(|step| json!(step)), "{case}");
    }
}

#[test]
fn a_pass_comes_back_when_a_pause_ends() {
    let plan = plan_at(3, &paused_since("2026-01-01T11:59:30Z"));
    assert_eq!(plan.wake_at, Some("2026-01-01T12:00:30Z".parse().expect("a time")));
}

#[test]
fn a_pass_comes_back_when_the_progress_deadline_is_over() {
    let progressing = json!({"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "",
        "lastUpdateTime": "2026-01-01T11:59:00Z", "lastTransitionTime": "2026-01-01T11:59:00Z"});
    let counts = json!({"replicas": 10, "updatedReplicas": 2, "readyReplicas": 10, "availableReplicas": 10,
        "conditions": [progressing]});
    assert_eq!(plan_at(4, &counts).wake_at, Some("2026-01-01T12:09:00Z".parse().expect("a time")));
}

#[test]
fn a_status_write_tests_every_wish_that_it_has_seen() {
    let plan = plan_at(0, &json!({}));
    let crate::Action::Patch(operations) = &plan.status.as_ref().expect("a status").action else { panic!("a patch") };
    let tested: Vec<&str> = operations
        .iter()
        .filter(|operation| operation["op"] == "test")
        .filter_map(|operation| operation["path"].as_str())
        .collect();
    let wanted = [
        "/metadata/uid",
        "/metadata/generation",
        "/status/abort",
        "/status/promoteFull",
        "/status/pauseConditions",
        "/status/currentStepIndex",
        "/status/controllerPause",
        "/status/currentPodHash",
        "/status/stableRS",
        "/status/abortedAt",
    ];
    assert_eq!(tested, wanted);
}

#[test]
fn an_abort_is_taken_back_by_what_comes_after_it() {
    let aborted = |more: Value| {
        let mut status = json!({"abort": true, "abortedAt": "2026-01-01T11:00:00Z"});
        for (key, value) in more.as_object().into_iter().flatten() {
            status[key] = value.clone();
        }
        status
    };
    let removed = |plan: &crate::Plan, field: &str| {
        let crate::Action::Patch(operations) = &plan.status.as_ref().expect("a status").action else { return false };
        operations.iter().any(|o| o["op"] == "remove" && o["path"] == format!("/status/{field}").as_str())
    };
    let stays = plan_at(0, &aborted(json!({})));
    assert!(!removed(&stays, "abort"), "{}", stays.why);
    let retried = plan_at(0, &aborted(json!({"abort": false})));
    assert!(removed(&retried, "abortedAt"), "{}", retried.why);
    let promoted = plan_at(0, &aborted(json!({"promoteFull": true})));
    assert!(removed(&promoted, "abort") && removed(&promoted, "abortedAt"), "{}", promoted.why);
    let both_at_once = plan_at(0, &json!({"abort": true, "promoteFull": true}));
    assert!(removed(&both_at_once, "promoteFull"), "an abort wins: {}", both_at_once.why);
}

#[test]
fn services_move_only_to_pods_that_serve() {
    let (first, second) = (hash("web:1"), hash("web:2"));
    let mut canary = canary();
    canary["stableService"] = json!("stable");
    canary["canaryService"] = json!("canary");
    // available new pods, available stable pods, abort, where the canary Service points → where it goes
    let rows = [
        ("new pods serve", 1, 8, false, &first, Some(&second)),
        ("no new pod serves yet", 0, 8, false, &first, None),
        ("aborted", 2, 8, true, &second, Some(&first)),
        ("aborted, and stable does not serve", 2, 0, true, &second, None),
        ("there already", 2, 8, false, &second, None),
    ];
    for (case, new, stable, abort, from, to) in rows {
        let rollout = rollout(10, &canary, &status_at(&canary, 0, &json!({"abort": abort})));
        let sets = [set("web:1", 1, 8, stable, stable), set("web:2", 2, 2, new, new)];
        let services = [service("stable", Some(&first)), service("canary", Some(from))];
        let plan = plan(&snapshot(&rollout, &sets, &[], &services), now());
        let written = plan.writes.iter().find(|write| write.target.name == "canary");
        let written = written.and_then(|write| set_by(write, "/spec/selector/rollouts-pod-template-hash"));
        assert_eq!(written, to.map(|hash| json!(hash)), "{case}");
    }
}

#[test]
fn the_stable_service_stays_with_pods_that_are_ready() {
    let canary = json!({"steps": [{"setWeight": 100}], "stableService": "stable"});
    let (first, second) = (hash("web:1"), hash("web:2"));
    let rollout = rollout(4, &canary, &status_at(&canary, 0, &json!({})));
    // ready and available new pods, available stable pods, where the Service points → where it goes
    let rows = [
        ("it moves to available pods", (3, 3), 1, &first, Some(&second)),
        ("not to pods that are only ready", (3, 0), 1, &first, None),
        ("it stays with pods that are only ready", (3, 0), 1, &second, None),
        ("it stays where as much is served as it could go back to", (1, 0), 1, &second, None),
        ("it goes back to where more is served", (1, 0), 2, &second, Some(&first)),
        ("it goes back when nothing is served", (0, 0), 1, &second, Some(&first)),
    ];
    for (case, (ready, available), stable, from, to) in rows {
        let sets = [set("web:1", 1, stable, stable, stable), set("web:2", 2, 4, ready, available)];
        let plan = plan(&snapshot(&rollout, &sets, &[], &[service("stable", Some(from))]), now());
        let written = plan.writes.iter().find_map(|write| set_by(write, "/spec/selector/rollouts-pod-template-hash"));
        assert_eq!(written, to.map(|hash| json!(hash)), "{case}");
    }
}

#[test]
fn a_revision_that_a_service_still_selects_keeps_a_pod() {
    let canary = json!({"steps": [{"setWeight": 100}], "stableService": "stable", "maxSurge": 1, "maxUnavailable": 3});
    let rollout = rollout(4, &canary, &status_at(&canary, 0, &json!({})));
    let sets = [set("web:1", 1, 1, 1, 1), set("web:2", 2, 4, 2, 2)];
    let size_of_stable = |service: &Value| {
        let plan = plan(&snapshot(&rollout, &sets, &[], std::slice::from_ref(service)), now());
        let name = format!("web-{}", hash("web:1"));
        sizes(&plan).into_iter().find(|(set, _)| *set == name).map(|(_, size)| size)
    };
    // Nobody has looked after this Service yet, so it moves only to a complete revision.
    let mut selects_stable = service("stable", Some(&hash("web:1")));
    selects_stable["metadata"]["annotations"] = json!({});
    assert_eq!(size_of_stable(&selects_stable), None, "it keeps its one pod");
    assert_eq!(size_of_stable(&service("stable", Some(&hash("web:2")))), Some(0));
}
