//! Graceful deletion.

use serde_json::json;

use crate::life::Life;

/// What becomes of a pod with this container that is deleted after 10 s with the usual 30 s of grace.
fn deleted(container: &str) -> Life {
    let mut life = Life::of(&format!("{{spec: {{containers: [{{name: main, {container}}}]}}}}"));
    life.until("10s").delete(30);
    life.until("2m");
    life
}

#[test]
fn a_server_goes_at_once() {
    let life = deleted("ports: []");
    life.shows(&["0s 1/1 Running 0 ready", "10s gone"]);
    assert_eq!(life.pod["status"]["phase"], "Succeeded");
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 0);
    assert_eq!(life.condition("Ready")["status"], "False");
    assert!(life.events.contains(&"10s Killing: Stopping container main".to_owned()));
}

#[test]
fn a_shell_dies_of_the_signal() {
    let life = deleted("command: [sh, -c, sleep 600]");
    life.shows(&["0s 1/1 Running 0 ready", "10s gone"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 143);
}

/// As with a real kubelet the containers stay ready while the hook runs; it is the endpoints that lose the pod at
/// once, because it is terminating.
#[test]
fn a_pre_stop_hook_delays_the_end() {
    for hook in ["sleep: {seconds: 5}", "exec: {command: [sleep, '5']}", "exec: {command: [sh, -c, 'sleep 5; exit 1']}"]
    {
        let life = deleted(&format!("lifecycle: {{preStop: {{{hook}}}}}"));
        life.shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "15s gone"]);
    }
}

#[test]
fn a_failing_pre_stop_hook_is_told() {
    let life = deleted("lifecycle: {preStop: {exec: {command: [no-such-program]}}}");
    assert!(life.is_gone());
    assert!(life.reasons().contains(&"FailedPreStopHook"));
}

#[test]
fn the_grace_period_ends_what_does_not_end_by_itself() {
    let stubborn = "command: [sh, -c, \"trap '' TERM; sleep 600\"]";
    let life = deleted(stubborn);
    life.shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "40s gone"]);
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 137);

    // The hook counts into the grace period, and what comes after it has two seconds at least.
    let both = format!("{stubborn}, lifecycle: {{preStop: {{sleep: {{seconds: 12}}}}}}");
    deleted(&both).shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "40s gone"]);
    let long = format!("{stubborn}, lifecycle: {{preStop: {{sleep: {{seconds: 60}}}}}}");
    deleted(&long).shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "42s gone"]);
}

#[test]
fn a_scripted_shutdown_takes_its_time() {
    for (shutdown, gone) in [("3s", "13s gone"), ("never", "40s gone"), ("1h", "40s gone")] {
        let mut life = Life::of(&format!(
            "{{metadata: {{annotations: {{sandbox.sluice.dev/shutdown-after: {shutdown}}}}}, spec: {{containers: [{{name: main}}]}}}}"
        ));
        life.until("10s").delete(30).until("2m").shows(&[
            "0s 1/1 Running 0 ready",
            "10s 1/1 Terminating 0 ready",
            gone,
        ]);
    }
}

#[test]
fn readiness_is_still_probed_while_the_pod_terminates() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/unready-after: 12s}},
          spec: {containers: [{name: main, lifecycle: {preStop: {sleep: {seconds: 5}}}}]}}",
    );
    life.until("10s").delete(30).until("1m").shows(&[
        "0s 1/1 Running 0 ready",
        "10s 1/1 Terminating 0 ready",
        "12s 0/1 Terminating 0",
        "15s gone",
    ]);
}

#[test]
fn a_process_may_end_by_itself_while_it_is_asked_to() {
    let mut life =
        Life::of("{spec: {containers: [{name: main, command: [sh, -c, \"trap '' TERM; sleep 15; exit 4\"]}]}}");
    life.until("10s").delete(30).until("1m").shows(&[
        "0s 1/1 Running 0 ready",
        "10s 1/1 Terminating 0 ready",
        "15s gone",
    ]);
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 4);

    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/shutdown-after: never}}, spec: {containers: [{name: main}]}}",
    );
    life.until("10s").delete(600).until("20s").annotate("shutdown-after", "15s");
    life.until("1h").shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "25s gone"]);
}

#[test]
fn a_second_delete_may_be_less_patient() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/shutdown-after: never}}, spec: {containers: [{name: main}]}}",
    );
    life.until("10s").delete(60).until("15s").delete(5).until("2m").shows(&[
        "0s 1/1 Running 0 ready",
        "10s 1/1 Terminating 0 ready",
        "20s gone",
    ]);
}

#[test]
fn a_pod_that_never_ran_goes_at_once() {
    for spec in [
        "{spec: {containers: [{name: main, image: 'x:missing'}]}}",
        "{spec: {containers: [{name: main, image: 'Bad Name'}]}}",
        "{spec: {containers: [{name: main, command: [no-such-program]}]}}",
        "{spec: {initContainers: [{name: wait, image: busybox, command: [sleep, infinity]}], containers: [{name: main}]}}",
    ] {
        let mut life = Life::of(spec);
        life.until("10s").delete(30);
        assert!(life.is_gone(), "{spec}");
        assert_eq!(life.pod["status"]["phase"], "Failed", "{spec}");
    }
}

#[test]
fn a_finished_pod_goes_at_once() {
    let mut life = Life::of("{spec: {restartPolicy: Never, containers: [{name: main, command: ['true']}]}}");
    life.until("10s").delete(30).shows(&["0s 0/1 Completed 0", "10s gone"]);
    assert_eq!(life.pod["status"]["phase"], "Succeeded");
}

#[test]
fn a_pod_held_by_a_finalizer_is_deleted_only_once() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    life.until("10s").delete(30);
    assert!(life.is_gone());
    life.change(|pod| pod["metadata"]["deletionGracePeriodSeconds"] = json!(0));
    assert_eq!(life.look().delete, None);
}

#[test]
fn the_delete_carries_the_uid() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    life.until("1s");
    life.pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:31Z");
    life.pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    assert_eq!(life.look().delete.as_deref(), Some(crate::life::UID));
}

#[test]
fn a_crash_loop_is_not_restarted_while_terminating() {
    let mut life = Life::of(
        "{spec: {containers: [{name: crash, command: [sh, -c, exit 1]}, {name: main, lifecycle: {preStop: {sleep: {seconds: 20}}}}]}}",
    );
    life.until("9s").delete(30).until("1m");
    assert!(life.is_gone());
    assert_eq!(life.container("crash")["restartCount"], 1);
}
