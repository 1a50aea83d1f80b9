//! The kubelet's own restarts and delays: what it knows again from the status alone, and that coming late changes
//! nothing but the moment of the write.

use serde_json::Value;

use crate::life::Life;

const PODS: [&str; 12] = [
    "{spec: {containers: [{name: main}]}}",
    "{spec: {containers: [{name: main, command: [sh, -c, sleep 20 && exit 1]}]}}",
    "{spec: {containers: [{name: main, command: [no-such-program]}]}}",
    "{spec: {containers: [{name: main, image: 'x:missing'}]}}",
    "{spec: {restartPolicy: Never, containers: [{name: main, command: [sh, -c, sleep 20 && exit 4]}]}}",
    "{spec: {restartPolicy: OnFailure, containers: [{name: main, command: [sleep, '20']}]}}",
    "{spec: {containers: [{name: main, readinessProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 9}}]}}",
    "{spec: {containers: [{name: main, livenessProbe: {exec: {command: ['false']}}}]}}",
    "{spec: {containers: [{name: main, lifecycle: {postStart: {sleep: {seconds: 7}}}}]}}",
    "{spec: {initContainers: [{name: a, image: b, command: [sleep, '5']}, {name: s, image: b, restartPolicy: Always}], containers: [{name: main}]}}",
    "{metadata: {annotations: {sandbox.sluice.dev/evict-after: 33s}}, spec: {containers: [{name: main}]}}",
    "{spec: {initContainers: [{name: a, image: b, command: [sh, -c, exit 2]}], containers: [{name: main}]}}",
];

#[test]
fn looking_late_leads_to_the_same_status() {
    for pod in PODS {
        for end in ["1s", "12s", "40s", "10m"] {
            let (mut punctual, mut late) = (Life::of(pod), Life::of(pod));
            punctual.until(end).look();
            late.until("0s").asleep_until(end);
            assert_eq!(late.pod["status"], punctual.pod["status"], "{pod} after {end}");
            assert_eq!(late.events, punctual.events, "{pod} after {end}");
        }
    }
}

#[test]
fn a_second_look_at_the_same_moment_writes_nothing() {
    for pod in PODS {
        for end in ["0s", "12s", "40s", "10m"] {
            let mut life = Life::of(pod);
            life.until(end).look();
            let again = life.look();
            assert_eq!((again.status, again.events.len()), (None, 0), "{pod} after {end}");
        }
    }
}

/// What must not depend on the kubelet's memory: everything but counts and moments of crash loops.
fn essence(pod: &Value) -> Vec<Value> {
    let status = &pod["status"];
    let ready = |conditions: &Value| {
        let ready = conditions.as_array()?.iter().find(|condition| condition["type"] == "Ready")?;
        Some((ready["status"].clone(), ready["lastTransitionTime"].clone()))
    };
    let (is_ready, since) = ready(&status["conditions"]).expect("Ready is there");
    vec![
        status["phase"].clone(),
        status["podIP"].clone(),
        status["startTime"].clone(),
        status["reason"].clone(),
        is_ready,
        since,
    ]
}

#[test]
fn a_kubelet_that_forgets_everything_reads_it_back_from_the_status() {
    // Back-offs begin anew after a restart, so the looping pods are left out.
    for pod in [PODS[0], PODS[4], PODS[5], PODS[6], PODS[9], PODS[10]] {
        for end in ["3s", "12s", "25s", "1m"] {
            let (mut remembers, mut forgets) = (Life::of(pod), Life::of(pod));
            forgets.forgetful = true;
            remembers.until(end).look();
            forgets.until(end).look();
            assert_eq!(essence(&forgets.pod), essence(&remembers.pod), "{pod} after {end}");
        }
    }
}

#[test]
fn a_restarted_kubelet_goes_on_counting_restarts() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [sh, -c, exit 1]}]}}");
    life.until("20s");
    assert_eq!(life.container("main")["restartCount"], 2);
    life.forgetful = true;
    life.look();
    let main = life.container("main");
    assert_eq!(main["restartCount"], 3);
    assert_eq!(main["lastState"]["terminated"]["exitCode"], 1);
}

#[test]
fn a_restarted_kubelet_finishes_a_deletion() {
    let mut life = Life::of("{spec: {containers: [{name: main, lifecycle: {preStop: {sleep: {seconds: 5}}}}]}}");
    life.until("10s").delete(30).until("12s");
    life.forgetful = true;
    life.look();
    life.forgetful = false;
    life.until("1m").shows(&["0s 1/1 Running 0 ready", "10s 1/1 Terminating 0 ready", "17s gone"]);
}
