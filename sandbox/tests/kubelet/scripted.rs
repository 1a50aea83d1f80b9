//! Annotations that script an application's behaviour.

use crate::life::Life;

fn annotated(annotations: &str, container: &str) -> Life {
    Life::of(&format!(
        "{{metadata: {{annotations: {{{annotations}}}}}, spec: {{containers: [{{name: main, {container}}}]}}}}"
    ))
}

#[test]
fn without_a_probe_readiness_follows_the_script() {
    let mut life =
        annotated("sandbox.sluice.dev/ready-after: 2500ms, sandbox.sluice.dev/unready-after: 8s", "ports: []");
    life.until("1m").shows(&["0s 0/1 Running 0", "2500ms 1/1 Running 0 ready", "8s 0/1 Running 0"]);
}

#[test]
fn with_a_probe_the_script_is_what_the_probe_meets() {
    let mut life = annotated(
        "sandbox.sluice.dev/ready-after: 3s, sandbox.sluice.dev/unready-after: 10s",
        "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 2, failureThreshold: 2}",
    );
    life.until("1m").shows(&["0s 0/1 Running 0", "4s 1/1 Running 0 ready", "12s 0/1 Running 0"]);
    let unhealthy: Vec<&String> = life.events.iter().filter(|event| event.contains("Unhealthy")).collect();
    assert_eq!(
        unhealthy,
        [
            "0s Unhealthy: Readiness probe failed: the application answers with an error",
            "10s Unhealthy: Readiness probe failed: the application answers with an error",
        ]
    );
}

#[test]
fn a_scripted_crash_happens_in_each_run() {
    let mut life = annotated("sandbox.sluice.dev/crash-after: 5s", "ports: []");
    life.until("16s").shows(&[
        "0s 1/1 Running 0 ready",
        "5s 0/1 Error 0",
        "6s 1/1 Running 1 ready",
        "11s 0/1 Error 1",
        "12s 0/1 CrashLoopBackOff 1",
    ]);
}

#[test]
fn behaviour_can_be_changed_while_the_pod_runs() {
    let mut life = annotated("team: shop", "ports: []");
    life.until("30s").annotate("unready-after", "0s");
    life.until("40s").annotate("unready-after", "1h");
    life.until("50s").annotate("crash-after", "0s");
    life.shows(&["0s 1/1 Running 0 ready", "30s 0/1 Running 0", "40s 1/1 Running 0 ready", "50s 0/1 Error 0"]);
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:00:50Z");
    assert_eq!(life.container("main")["state"]["terminated"]["finishedAt"], "2026-01-01T00:00:50Z");
}

#[test]
fn only_the_first_container_follows_the_script() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/unready-after: 5s}},
          spec: {containers: [{name: main}, {name: proxy}]}}",
    );
    life.until("10s").shows(&["0s 2/2 Running 0 ready", "5s 1/2 Running 0"]);
    assert_eq!(life.container("proxy")["ready"], true);
}

#[test]
fn a_mistake_in_an_annotation_is_told_once_and_the_pod_runs() {
    let mut life = annotated("sandbox.sluice.dev/ready-afer: 3s", "ports: []");
    life.until("10s");
    life.look();
    life.shows(&["0s 1/1 Running 0 ready"]);
    let told: Vec<&String> = life.events.iter().filter(|event| event.contains("InvalidSandboxAnnotation")).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("metadata.annotations[sandbox.sluice.dev/ready-afer]: no such behaviour"), "{told:?}");
}
