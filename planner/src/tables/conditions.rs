//! The conditions: a row a reason, and when their times move.

use serde_json::{Value, json};

use super::fixture::{hash, now, rollout, set, snapshot, status_at, status_of};
use crate::{Action, Kind, Target, Write, create_refused, plan};

const EARLIER: &str = "2026-01-01T11:55:00Z";
const NOW: &str = "2026-01-01T12:00:00Z";

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "as before",
        "lastUpdateTime": EARLIER, "lastTransitionTime": EARLIER})
}

fn of_kind(conditions: &Value, kind: &str) -> Value {
    let mut conditions = conditions.as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == kind).cloned().unwrap_or(Value::Null)
}

/// What a plan makes of a condition: status, reason, last update and last transition.
fn becomes(kind: &str, step: i32, status: &Value, new: (i32, i32, i32), stable: i32) -> [Value; 4] {
    let canary = json!({"steps": [{"setWeight": 20}, {"pause": {}}]});
    let mut rollout = rollout(10, &canary, &status_at(&canary, step, status));
    // Younger than its ReplicaSets, which it has adopted.
    rollout["metadata"]["creationTimestamp"] = json!("2026-01-01T10:00:00Z");
    let sets = [set("web:1", 1, stable, stable, stable), set("web:2", 2, new.0, new.1, new.2)];
    let plan = plan(&snapshot(&rollout, &sets, &[], &[]), now());
    let written = status_of(&plan, "conditions").unwrap_or_else(|| status["conditions"].clone());
    let there = of_kind(&written, kind);
    [
        there["status"].clone(),
        there["reason"].clone(),
        there["lastUpdateTime"].clone(),
        there["lastTransitionTime"].clone(),
    ]
}

/// Counts of ten pods of which two are new: what the sets of most rows say, so that nothing has come nearer.
#[expect(clippy::needless_pass_by_value, reason = "rows are read more easily without references")]
fn counted(more: Value) -> Value {
    let mut status = json!({"replicas": 10, "updatedReplicas": 2, "readyReplicas": 10, "availableReplicas": 10});
    for (key, value) in more.as_object().into_iter().flatten() {
        status[key] = value.clone();
    }
    status
}

#[test]
fn progressing_says_what_happened_last() {
    let was = |status: &str, reason: &str| json!({"conditions": [condition("Progressing", status, reason)]});
    let with = |mut status: Value, more: Value| {
        for (key, value) in more.as_object().into_iter().flatten() {
            status[key] = value.clone();
        }
        counted(status)
    };
    let stable = |reason: &str| with(was("True", reason), json!({"stableRS": super::fixture::hash("web:2")}));
    let paused =
        json!({"controllerPause": true, "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": EARLIER}]});
    let mut stuck = was("True", "ReplicaSetUpdated");
    stuck["conditions"][0]["lastUpdateTime"] = json!("2026-01-01T11:50:00Z");
    // (case, step, status, new pods, stable pods → status, reason, last update, last transition)
    let rows = [
        ("an adopted ReplicaSet", 0, counted(json!({})), (2, 0, 0), 8, ["True", "FoundNewReplicaSet", NOW, NOW]),
        (
            "nothing came nearer",
            0,
            with(was("True", "NewReplicaSetCreated"), json!({"readyReplicas": 8, "availableReplicas": 8})),
            (2, 0, 0),
            8,
            ["True", "NewReplicaSetCreated", EARLIER, EARLIER],
        ),
        (
            "a pod came",
            0,
            with(was("True", "NewReplicaSetCreated"), json!({"readyReplicas": 8, "availableReplicas": 8})),
            (2, 1, 1),
            8,
            ["True", "ReplicaSetUpdated", NOW, EARLIER],
        ),
        (
            "a pause",
            1,
            with(was("True", "ReplicaSetUpdated"), paused),
            (2, 2, 2),
            8,
            ["Unknown", "RolloutPaused", EARLIER, NOW],
        ),
        (
            "a pause by hand was taken back",
            0,
            with(
                was("Unknown", "RolloutPaused"),
                json!({"phase": "Paused", "readyReplicas": 8, "availableReplicas": 8}),
            ),
            (2, 0, 0),
            8,
            ["Unknown", "RolloutResumed", NOW, EARLIER],
        ),
        (
            "a retry",
            0,
            with(was("False", "RolloutAborted"), json!({"abortedAt": EARLIER})),
            (2, 0, 0),
            8,
            ["Unknown", "RolloutRetry", NOW, NOW],
        ),
        (
            "an abort",
            1,
            with(was("True", "ReplicaSetUpdated"), json!({"abort": true})),
            (2, 2, 2),
            8,
            ["False", "RolloutAborted", EARLIER, NOW],
        ),
        (
            "no progress for 600 seconds",
            0,
            with(stuck, json!({"readyReplicas": 8, "availableReplicas": 8})),
            (2, 0, 0),
            8,
            ["False", "ProgressDeadlineExceeded", "2026-01-01T11:50:00Z", NOW],
        ),
        (
            "promoted, old pods on their way out",
            2,
            stable("ReplicaSetUpdated"),
            (10, 10, 10),
            2,
            ["True", "ReplicaSetUpdated", NOW, EARLIER],
        ),
        ("complete", 2, stable("ReplicaSetUpdated"), (10, 10, 10), 0, ["True", "NewReplicaSetAvailable", NOW, EARLIER]),
        (
            "complete, and then pods were lost",
            2,
            stable("NewReplicaSetAvailable"),
            (10, 9, 9),
            0,
            ["True", "ReplicaSetNotAvailable", NOW, EARLIER],
        ),
        (
            "made at last",
            0,
            with(was("False", "ReplicaSetCreateError"), json!({})),
            (2, 1, 1),
            8,
            ["True", "ReplicaSetUpdated", NOW, NOW],
        ),
    ];
    for (case, step, status, new, stable, expected) in rows {
        assert_eq!(becomes("Progressing", step, &status, new, stable), expected.map(Value::from), "{case}");
    }
}

#[test]
fn the_other_conditions_move_their_time_only_with_their_status() {
    let stable =
        |conditions: Value| counted(json!({"stableRS": super::fixture::hash("web:2"), "conditions": conditions}));
    let none = json!([]);
    // (kind, conditions before, available new pods of ten → status, reason, last transition)
    let rows = [
        ("Available", none.clone(), 10, json!("True"), json!("AvailableReason"), json!(NOW)),
        (
            "Available",
            json!([condition("Available", "True", "AvailableReason")]),
            10,
            json!("True"),
            json!("AvailableReason"),
            json!(EARLIER),
        ),
        (
            "Available",
            json!([condition("Available", "True", "AvailableReason")]),
            9,
            json!("False"),
            json!("AvailableReason"),
            json!(NOW),
        ),
        ("Completed", none.clone(), 10, json!("True"), json!("RolloutCompleted"), json!(NOW)),
        ("Healthy", none.clone(), 10, json!("True"), json!("RolloutHealthy"), json!(NOW)),
        ("Healthy", none.clone(), 9, Value::Null, Value::Null, Value::Null),
        (
            "Healthy",
            json!([condition("Healthy", "True", "RolloutHealthy")]),
            9,
            json!("False"),
            json!("RolloutHealthy"),
            json!(NOW),
        ),
        ("Paused", none, 10, Value::Null, Value::Null, Value::Null),
        (
            "Paused",
            json!([condition("Paused", "True", "RolloutPaused")]),
            10,
            json!("False"),
            json!("RolloutPaused"),
            json!(NOW),
        ),
        (
            "InvalidSpec",
            json!([condition("InvalidSpec", "True", "InvalidSpec")]),
            10,
            Value::Null,
            Value::Null,
            Value::Null,
        ),
    ];
    for (kind, before, available, status, reason, moved) in rows {
        let [is, because, _, at] = becomes(kind, 2, &stable(before.clone()), (10, available, available), 0);
        assert_eq!([is, because, at], [status, reason, moved], "{kind} with {available} pods after {before}");
    }
}

/// The creation of the ReplicaSet of `web:2`, as a plan asks for it.
fn creation() -> Write {
    Write {
        target: Target { kind: Kind::ReplicaSet, namespace: "shop".to_owned(), name: "web-abc".to_owned() },
        action: Action::Create(json!({})),
        reason: "revision 2 needs a ReplicaSet".to_owned(),
        events: Vec::new(),
    }
}

/// What is said when it is refused so many seconds from now; it is written into the Rollout.
fn refused(rollout: &mut Value, seconds: i64) -> Option<crate::Plan> {
    let at = now() + jiff::SignedDuration::from_secs(seconds);
    let snapshot = snapshot(rollout, &[set("web:1", 1, 10, 10, 10)], &[], &[]);
    let plan = create_refused(&snapshot, &creation(), "exceeded quota: sets", at)?;
    let Some(Write { action: Action::Patch(operations), .. }) = &plan.status else { panic!("a status") };
    for operation in operations.iter().filter(|operation| operation["op"] == "add") {
        *rollout.pointer_mut("/status").expect("a status") = {
            let mut status = rollout["status"].clone();
            status[operation["path"].as_str().expect("a path").trim_start_matches("/status/")] =
                operation["value"].clone();
            status
        };
    }
    Some(plan)
}

const REFUSED: &str = "Failed to create ReplicaSet \"web-abc\": exceeded quota: sets";

#[test]
fn a_refused_replica_set_is_said_once_with_the_servers_sentence() {
    let mut rollout = rollout(10, &json!({"steps": [{"setWeight": 20}]}), &json!({"phase": "Healthy"}));
    rollout["status"]["stableRS"] = json!(hash("web:1"));
    rollout["status"]["currentPodHash"] = json!(hash("web:1"));
    let plan = refused(&mut rollout, 0).expect("something to say");
    let progressing = of_kind(&rollout["status"]["conditions"], "Progressing");
    assert_eq!(
        [&progressing["status"], &progressing["reason"], &progressing["message"]],
        [&json!("False"), &json!("ReplicaSetCreateError"), &json!(REFUSED)]
    );
    assert_eq!(rollout["status"]["why"], json!(format!("stuck: {REFUSED}")));
    assert_eq!(plan.events.last().map(|event| event.message.as_str()), Some(REFUSED));
    assert_eq!(refused(&mut rollout, 5), None, "said already");
    let patch = Write { action: Action::Patch(Vec::new()), ..creation() };
    let snapshot = snapshot(&rollout, &[], &[], &[]);
    assert_eq!(create_refused(&snapshot, &patch, "no", now()), None, "no creation");
}

#[test]
fn the_deadline_of_a_refused_replica_set_runs() {
    // (progressDeadlineAbort, seconds → reason of Progressing, events)
    type Moment = (i64, &'static str, &'static [&'static str]);
    let rows: [(bool, [Moment; 3]); 2] = [
        (
            false,
            [
                (0, "ReplicaSetCreateError", &["RolloutNotCompleted", "ReplicaSetCreateError"]),
                (59, "ReplicaSetCreateError", &[]),
                (60, "ProgressDeadlineExceeded", &[]),
            ],
        ),
        (
            true,
            [
                (0, "ReplicaSetCreateError", &["RolloutNotCompleted", "ReplicaSetCreateError"]),
                (59, "ReplicaSetCreateError", &[]),
                (60, "RolloutAborted", &["RolloutAborted"]),
            ],
        ),
    ];
    for (aborts, moments) in rows {
        let mut rollout = rollout(10, &json!({"steps": [{"setWeight": 20}]}), &json!({"phase": "Healthy"}));
        rollout["spec"]["progressDeadlineSeconds"] = json!(60);
        rollout["spec"]["progressDeadlineAbort"] = json!(aborts);
        rollout["status"]["stableRS"] = json!(hash("web:1"));
        rollout["status"]["currentPodHash"] = json!(hash("web:1"));
        for (seconds, reason, events) in moments {
            let plan = refused(&mut rollout, seconds);
            let progressing = of_kind(&rollout["status"]["conditions"], "Progressing");
            assert_eq!(progressing["reason"], json!(reason), "after {seconds} s");
            let told = plan.map(|plan| plan.events.iter().map(|event| event.reason).collect::<Vec<_>>());
            assert_eq!(told.unwrap_or_default(), events, "after {seconds} s");
        }
    }
}
