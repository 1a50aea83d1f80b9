//! Containers that exit, can't start, or are killed by a probe.

use crate::life::Life;

#[test]
fn a_server_simply_runs() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    life.until("1h").shows(&["0s 1/1 Running 0 ready"]);
    assert_eq!(life.reasons(), ["Pulled", "Created", "Started"]);
}

#[test]
fn a_crash_loop_backs_off_longer_each_time_up_to_five_minutes() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [sh, -c, exit 3]}]}}");
    life.until("20m").shows(&[
        "0s 0/1 Error 0",
        "1s 0/1 Error 1",
        "2s 0/1 CrashLoopBackOff 1",
        "11s 0/1 Error 2",
        "12s 0/1 CrashLoopBackOff 2",
        "31s 0/1 Error 3",
        "32s 0/1 CrashLoopBackOff 3",
        "71s 0/1 Error 4",
        "72s 0/1 CrashLoopBackOff 4",
        "151s 0/1 Error 5",
        "152s 0/1 CrashLoopBackOff 5",
        "311s 0/1 Error 6",
        "312s 0/1 CrashLoopBackOff 6",
        "611s 0/1 Error 7",
        "612s 0/1 CrashLoopBackOff 7",
        "911s 0/1 Error 8",
        "912s 0/1 CrashLoopBackOff 8",
    ]);
    let main = life.container("main");
    assert_eq!(main["lastState"]["terminated"]["exitCode"], 3);
    assert_eq!(main["lastState"]["terminated"]["reason"], "Error");
    assert_eq!(
        main["state"]["waiting"]["message"],
        "back-off 5m restarting failed container=main pod=web_shop(11111111-2222-3333-4444-555555555555)"
    );
    assert_eq!(life.pod["status"]["phase"], "Running");
}

#[test]
fn a_container_that_works_for_a_while_is_ready_in_between() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [sh, -c, sleep 20 && exit 1]}]}}");
    life.until("60s").shows(&[
        "0s 1/1 Running 0 ready",
        "20s 0/1 Error 0",
        "21s 1/1 Running 1 ready",
        "41s 0/1 Error 1",
        "42s 0/1 CrashLoopBackOff 1",
        "51s 1/1 Running 2 ready",
    ]);
}

#[test]
fn a_container_that_worked_for_long_starts_its_back_off_anew() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [sleep, '601']}]}}");
    life.until("40m").shows(&[
        "0s 1/1 Running 0 ready",
        "601s 0/1 Completed 0",
        "602s 1/1 Running 1 ready",
        "1203s 0/1 Completed 1",
        "1204s 1/1 Running 2 ready",
        "1805s 0/1 Completed 2",
        "1806s 1/1 Running 3 ready",
    ]);
}

#[test]
fn a_command_that_does_not_exist_never_starts() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [/bin/does-not-exist]}]}}");
    life.until("25s").shows(&[
        "0s 0/1 RunContainerError 0",
        "1s 0/1 RunContainerError 1",
        "2s 0/1 CrashLoopBackOff 1",
        "11s 0/1 RunContainerError 2",
        "12s 0/1 CrashLoopBackOff 2",
    ]);
    let main = life.container("main");
    assert_eq!(main["lastState"]["terminated"]["reason"], "StartError");
    assert_eq!(main["lastState"]["terminated"]["exitCode"], 128);
    assert_eq!(main["lastState"]["terminated"]["startedAt"], "1970-01-01T00:00:00Z");
    assert_eq!(main["started"], false);
    assert_eq!(life.reasons()[..3], ["Pulled", "Created", "Failed"]);
}

#[test]
fn a_failing_liveness_probe_restarts_the_container() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/unhealthy-after: 10s}},
          spec: {containers: [{name: main, livenessProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 3}}]}}",
    );
    life.until("33s").shows(&[
        "0s 1/1 Running 0 ready",
        "10s 0/1 Running 0",
        "14s 0/1 Completed 0",
        "15s 1/1 Running 1 ready",
        "25s 0/1 Running 1",
        "29s 0/1 Completed 1",
        "30s 0/1 CrashLoopBackOff 1",
    ]);
    assert_eq!(
        life.events[3..6],
        [
            "10s Unhealthy: Liveness probe failed: the application answers with an error",
            "14s Killing: Container main failed liveness probe, will be restarted",
            "15s Pulled: Container image \"nginx:1.27\" already present on machine",
        ]
    );
}

#[test]
fn a_liveness_kill_waits_for_the_hook_and_the_grace_period() {
    let mut life = Life::of(
        "{spec: {terminationGracePeriodSeconds: 9, containers: [{name: main, command: [sh, -c, \"trap '' TERM; sleep 600\"],
          lifecycle: {preStop: {sleep: {seconds: 4}}},
          livenessProbe: {exec: {command: ['false']}, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 5}}]}}",
    );
    life.until("15s").shows(&["0s 1/1 Running 0 ready", "14s 0/1 Error 0", "15s 1/1 Running 1 ready"]);
    assert_eq!(life.container("main")["lastState"]["terminated"]["exitCode"], 137);
}

#[test]
fn a_probe_may_bring_its_own_grace_period() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/shutdown-after: never}},
          spec: {containers: [{name: main, livenessProbe: {exec: {command: ['false']}, periodSeconds: 1,
          failureThreshold: 1, initialDelaySeconds: 5, terminationGracePeriodSeconds: 3}}]}}",
    );
    life.until("8s").shows(&["0s 1/1 Running 0 ready", "8s 0/1 Error 0"]);
}

#[test]
fn a_health_file_that_the_script_removes_fails_the_probe() {
    let mut life = Life::of(
        "{spec: {containers: [{name: main, image: busybox,
          args: [/bin/sh, -c, 'touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600'],
          livenessProbe: {exec: {command: [cat, /tmp/healthy]}, initialDelaySeconds: 5, periodSeconds: 5}}]}}",
    );
    life.until("45s").shows(&["0s 1/1 Running 0 ready", "40s 0/1 Error 0", "41s 1/1 Running 1 ready"]);
    assert_eq!(life.container("main")["lastState"]["terminated"]["exitCode"], 143);
}

#[test]
fn one_crashing_container_makes_the_pod_unready_but_not_its_neighbour() {
    let mut life = Life::of("{spec: {containers: [{name: main}, {name: side, command: [sh, -c, sleep 5 && exit 1]}]}}");
    life.until("11s").shows(&["0s 2/2 Running 0 ready", "5s 1/2 Error 0", "6s 2/2 Running 1 ready", "11s 1/2 Error 1"]);
    assert_eq!(life.condition("ContainersReady")["message"], "containers with unready status: [side]");
}
