//! Pods that are to finish, as Jobs make them.

use crate::life::Life;

/// The history of a pod of a Job with this restart policy and command.
fn task(restart_policy: &str, script: &str, until: &str) -> Life {
    let mut life = Life::of(&format!(
        "{{metadata: {{ownerReferences: [{{kind: Job, controller: true}}]}},
           spec: {{restartPolicy: {restart_policy}, containers: [{{name: main, command: [sh, -c, '{script}']}}]}}}}"
    ));
    life.until(until);
    life
}

#[test]
fn a_task_that_succeeds_leaves_a_succeeded_pod() {
    for policy in ["Never", "OnFailure"] {
        let life = task(policy, "sleep 5 && exit 0", "1h");
        life.shows(&["0s 1/1 Running 0 ready", "5s 0/1 Completed 0"]);
        assert_eq!(life.pod["status"]["phase"], "Succeeded");
        assert_eq!(life.condition("Ready")["reason"], "PodCompleted");
        assert_eq!(life.condition("Initialized")["status"], "True");
    }
}

#[test]
fn a_task_that_fails_leaves_a_failed_pod_or_is_tried_again() {
    let life = task("Never", "sleep 5 && exit 7", "1h");
    life.shows(&["0s 1/1 Running 0 ready", "5s 0/1 Error 0"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 7);
    assert_eq!(life.condition("Ready")["reason"], "PodFailed");

    let life = task("OnFailure", "sleep 5 && exit 7", "12s");
    life.shows(&[
        "0s 1/1 Running 0 ready",
        "5s 0/1 Error 0",
        "6s 1/1 Running 1 ready",
        "11s 0/1 Error 1",
        "12s 0/1 CrashLoopBackOff 1",
    ]);
    assert_eq!(life.pod["status"]["phase"], "Running");
}

#[test]
fn a_task_whose_program_is_unknown_succeeds_at_once() {
    task("Never", "./smoke-test --all", "1h").shows(&["0s 0/1 Completed 0"]);
}

#[test]
fn a_task_that_never_ends_runs() {
    task("Never", "sleep infinity", "1h").shows(&["0s 1/1 Running 0 ready"]);
}

#[test]
fn a_task_whose_program_does_not_exist_fails() {
    let mut life = Life::of("{spec: {restartPolicy: Never, containers: [{name: main, command: [no-such-program]}]}}");
    life.until("1h").shows(&["0s 0/1 StartError 0"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 128);
}

#[test]
fn a_pod_ends_with_its_last_container() {
    let mut life = Life::of(
        "{spec: {restartPolicy: Never, containers: [{name: a, command: [sleep, '3']}, {name: b, command: [sh, -c, 'sleep 8; exit 1']}]}}",
    );
    life.until("5s");
    assert_eq!(life.pod["status"]["phase"], "Running");
    life.until("1m");
    assert_eq!(life.pod["status"]["phase"], "Failed");
}

#[test]
fn a_pod_past_its_deadline_fails() {
    let mut life = Life::of("{spec: {restartPolicy: Never, activeDeadlineSeconds: 10, containers: [{name: main}]}}");
    life.until("1m").shows(&["0s 1/1 Running 0 ready", "10s 0/1 DeadlineExceeded 0"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
}
