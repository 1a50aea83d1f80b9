//! When a pod is ready: probes, hooks, gates.

use serde_json::json;

use crate::life::Life;

/// The history of a pod whose only container has these further fields.
fn history(fields: &str, until: &str, expected: &[&str]) {
    let mut life = Life::of(&format!("{{spec: {{containers: [{{name: main, {fields}}}]}}}}"));
    life.until(until).shows(expected);
}

#[test]
fn readiness_comes_after_delay_period_and_threshold() {
    let unready = "0s 0/1 Running 0";
    for (probe, ready_at) in [
        ("httpGet: {port: 80}", 0),
        ("httpGet: {port: 80}, initialDelaySeconds: 5", 5),
        ("httpGet: {port: 80}, initialDelaySeconds: 5, periodSeconds: 2, successThreshold: 3", 9),
        ("tcpSocket: {port: 80}, successThreshold: 2", 10),
        ("exec: {command: [test, -f, /etc/hostname]}, initialDelaySeconds: 1", 1),
    ] {
        let ready = format!("{ready_at}s 1/1 Running 0 ready");
        let expected: Vec<&str> = if ready_at == 0 { vec![&ready] } else { vec![unready, &ready] };
        history(&format!("readinessProbe: {{{probe}}}"), "5m", &expected);
    }
}

#[test]
fn a_probe_that_never_succeeds_keeps_the_pod_unready() {
    for probe in ["exec: {command: ['false']}", "httpGet: {port: nowhere}", "exec: {command: [cat, /tmp/nothing]}"] {
        history(&format!("readinessProbe: {{{probe}}}"), "5m", &["0s 0/1 Running 0"]);
    }
}

#[test]
fn nothing_is_asked_before_the_startup_probe_succeeded() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/started-after: 7s}},
          spec: {containers: [{name: main,
            startupProbe: {httpGet: {port: 80}, periodSeconds: 2, failureThreshold: 30},
            readinessProbe: {httpGet: {port: 80}, periodSeconds: 2, successThreshold: 2},
            livenessProbe: {exec: {command: ['false']}, periodSeconds: 5, failureThreshold: 2}}]}}",
    );
    life.until("13s").shows(&["0s 0/1 Running 0", "10s 1/1 Running 0 ready", "13s 0/1 Completed 0"]);
    let started = life.pod["status"]["containerStatuses"][0]["started"].clone();
    assert_eq!(started, json!(false));
}

#[test]
fn a_container_that_does_not_come_up_in_time_is_restarted() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/started-after: 1h}},
          spec: {containers: [{name: main, startupProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 5}}]}}",
    );
    life.until("9s").shows(&["0s 0/1 Running 0", "4s 0/1 Completed 0", "5s 0/1 Running 1", "9s 0/1 Completed 1"]);
    assert!(life.events.iter().any(|e| e == "4s Killing: Container main failed startup probe, will be restarted"));
}

#[test]
fn a_post_start_hook_delays_start_and_readiness() {
    history(
        "lifecycle: {postStart: {sleep: {seconds: 4}}}",
        "1m",
        &["0s 0/1 ContainerCreating 0", "4s 1/1 Running 0 ready"],
    );
    history(
        "lifecycle: {postStart: {exec: {command: [sleep, '4']}}}, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 6}",
        "1m",
        &["0s 0/1 ContainerCreating 0", "4s 0/1 Running 0", "6s 1/1 Running 0 ready"],
    );
}

#[test]
fn a_failing_post_start_hook_restarts_the_container() {
    history(
        "lifecycle: {postStart: {exec: {command: [sh, -c, 'sleep 2; exit 1']}}}",
        "5s",
        &["0s 0/1 ContainerCreating 0", "2s 0/1 Error 0", "3s 0/1 ContainerCreating 1", "5s 0/1 Error 1"],
    );
}

#[test]
fn containers_start_one_after_another_behind_their_hooks() {
    let mut life =
        Life::of("{spec: {containers: [{name: a, lifecycle: {postStart: {sleep: {seconds: 3}}}}, {name: b}]}}");
    life.until("10s").shows(&["0s 0/2 ContainerCreating 0", "3s 2/2 Running 0 ready"]);
}

#[test]
fn a_pod_with_readiness_gates_waits_for_somebody_to_set_them() {
    let mut life = Life::of("{spec: {readinessGates: [{conditionType: example.com/lb}], containers: [{name: main}]}}");
    life.until("10s");
    assert_eq!(life.condition("ContainersReady")["status"], "True");
    assert_eq!(life.condition("Ready")["reason"], "ReadinessGatesNotReady");
    assert_eq!(
        life.condition("Ready")["message"],
        "corresponding condition of pod readiness gate \"example.com/lb\" does not exist."
    );

    let gate = |status: &str| json!({"type": "example.com/lb", "status": status, "lastTransitionTime": "2026-01-01T00:00:10Z"});
    life.change(|pod| pod["status"]["conditions"].as_array_mut().unwrap().push(gate("True")));
    assert_eq!(life.condition("Ready")["status"], "True");
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:00:10Z");

    life.until("20s").change(|pod| {
        let conditions = pod["status"]["conditions"].as_array_mut().unwrap();
        conditions.retain(|condition| condition["type"] != "example.com/lb");
        conditions.push(gate("False"));
    });
    assert_eq!(
        life.condition("Ready")["message"],
        "the status of pod readiness gate \"example.com/lb\" is not \"True\", but False"
    );
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:00:20Z");
    life.shows(&["0s 1/1 Running 0", "10s 1/1 Running 0 ready", "20s 1/1 Running 0"]);
}

#[test]
fn the_moment_of_becoming_ready_is_exact_even_if_the_kubelet_looks_late() {
    let pod = "{spec: {containers: [{name: main, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 7}}]}}";
    let mut life = Life::of(pod);
    life.until("0s").asleep_until("1h");
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:00:07Z");
    assert_eq!(life.condition("Initialized")["lastTransitionTime"], "2026-01-01T00:00:00Z");
}
