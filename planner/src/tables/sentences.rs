//! Phase, message and the sentence that says why.

use serde_json::{Value, json};

use super::fixture::{now, rollout, set, snapshot, status_at, status_of};
use crate::plan;

struct Row {
    case: &'static str,
    step: i32,
    status: Value,
    /// wanted, ready, available
    new: (i32, i32, i32),
    stable: (i32, i32, i32),
    phase: &'static str,
    message: &'static str,
    why: &'static str,
}

fn rows() -> Vec<Row> {
    let pause = |since: &str| json!({"controllerPause": true, "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": since}]});
    vec![
        Row {
            case: "new pods are missing",
            step: 0,
            status: json!({}),
            new: (0, 0, 0),
            stable: (10, 10, 10),
            phase: "Progressing",
            message: "more replicas need to be updated",
            why: "step 1/4 (setWeight: 20): waiting: revision 2 has 0 of 2 pods available",
        },
        Row {
            case: "old pods are still there",
            step: 0,
            status: json!({}),
            new: (2, 2, 2),
            stable: (9, 9, 9),
            phase: "Progressing",
            message: "more replicas need to be updated",
            why: "step 1/4 (setWeight: 20): waiting: stable has 9 pods and goes to 8",
        },
        Row {
            case: "a pause without an end",
            step: 1,
            status: pause("2026-01-01T11:00:00Z"),
            new: (2, 2, 2),
            stable: (8, 8, 8),
            phase: "Paused",
            message: "CanaryPauseStep",
            why: "step 2/4 (pause): paused until somebody promotes; revision 2 has 2 of 2 pods available",
        },
        Row {
            case: "a pause with an end",
            step: 3,
            status: pause("2026-01-01T11:59:30Z"),
            new: (5, 5, 5),
            stable: (5, 5, 5),
            phase: "Paused",
            message: "CanaryPauseStep",
            why: "step 4/4 (pause: 1m): paused until 2026-01-01T12:00:30Z; revision 2 has 5 of 5 pods available",
        },
        Row {
            case: "a pause that another verdict asked for",
            step: 0,
            status: json!({"controllerPause": true, "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": "2026-01-01T11:00:00Z"}]}),
            new: (2, 2, 2),
            stable: (8, 8, 8),
            phase: "Paused",
            message: "InconclusiveAnalysisRun",
            why: "step 1/4 (setWeight: 20): paused (InconclusiveAnalysisRun) until somebody promotes or aborts",
        },
        Row {
            case: "an abort on its way back",
            step: 1,
            status: json!({"abort": true}),
            new: (2, 2, 2),
            stable: (8, 8, 8),
            phase: "Degraded",
            message: "RolloutAborted: Rollout aborted update to revision 2",
            why: "aborted: revision 2 is taken back; stable has 8 of 10 pods available, the canary 2 left",
        },
        Row {
            case: "all steps done, old pods still serve",
            step: 4,
            status: json!({}),
            new: (10, 8, 8),
            stable: (3, 3, 3),
            phase: "Progressing",
            message: "old replicas are pending termination",
            why: "all 4 steps done: waiting: revision 2 has 8 of 10 pods available",
        },
        Row {
            case: "promoted",
            step: 4,
            status: json!({}),
            new: (10, 10, 10),
            stable: (0, 0, 0),
            phase: "Healthy",
            message: "",
            why: "revision 2 is stable: 10 of 10 pods available",
        },
    ]
}

#[test]
fn a_user_sees_where_the_release_is_and_what_it_waits_for() {
    let canary = json!({"steps": [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "1m"}}]});
    for row in rows() {
        let of = |image: &str, revision, (wanted, ready, available)| set(image, revision, wanted, ready, available);
        let sets = [of("web:1", 1, row.stable), of("web:2", 2, row.new)];
        let mut status = status_at(&canary, row.step, &row.status);
        status["phase"] = json!("");
        status["message"] = json!("unread");
        let plan = plan(&snapshot(&rollout(10, &canary, &status), &sets, &[], &[]), now());
        assert_eq!(status_of(&plan, "phase"), Some(json!(row.phase)), "{}: {}", row.case, plan.why);
        assert_eq!(status_of(&plan, "message"), Some(json!(row.message)), "{}", row.case);
        assert_eq!(plan.why, row.why, "{}", row.case);
    }
}

#[test]
fn what_keeps_pods_back_is_part_of_the_sentence() {
    let canary = json!({"steps": [{"setWeight": 20}]});
    let rollout = rollout(10, &canary, &status_at(&canary, 0, &json!({})));
    let pod = json!({
        "metadata": {"name": "web-x", "uid": "pod", "ownerReferences": [{"uid": "set-2", "controller": true}]},
        "status": {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}}]},
    });
    let sets = [set("web:1", 1, 8, 8, 8), set("web:2", 2, 2, 0, 0)];
    let plan_with = |sets: &[Value]| plan(&snapshot(&rollout, sets, std::slice::from_ref(&pod), &[]), now()).why;
    let waiting = "step 1/1 (setWeight: 20): waiting: revision 2 has 0 of 2 pods available";
    assert_eq!(plan_with(&sets), format!("{waiting}; pod web-x: container web: CrashLoopBackOff (back-off 10s)"));
    let mut refused = sets.clone();
    refused[1]["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods"}]);
    assert_eq!(plan_with(&refused), format!("{waiting}; FailedCreate: exceeded quota: pods"));
}
