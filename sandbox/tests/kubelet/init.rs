//! Init containers and sidecars.

use crate::life::Life;

#[test]
fn init_containers_run_one_after_another() {
    let mut life = Life::of(
        "{spec: {initContainers: [{name: a, image: busybox, command: [sleep, '3']}, {name: b, image: busybox, command: [sleep, '4']}],
          containers: [{name: main}]}}",
    );
    life.until("1m").shows(&["0s 0/1 Init:0/2 0", "3s 0/1 Init:1/2 0", "7s 1/1 Running 0 ready"]);
    assert_eq!(life.condition("Initialized")["lastTransitionTime"], "2026-01-01T00:00:07Z");
    assert_eq!(life.container("a")["state"]["terminated"]["reason"], "Completed");
    assert_eq!(life.container("a")["ready"], true);
}

#[test]
fn an_unknown_program_in_an_init_container_does_its_task_at_once() {
    let mut life = Life::of(
        "{spec: {initContainers: [{name: migrate, image: shop/migrate}, {name: copy, image: busybox, command: [cp, /a, /b]}], containers: [{name: main}]}}",
    );
    life.until("1m").shows(&["0s 1/1 Running 0 ready"]);
}

#[test]
fn a_failing_init_container_is_tried_again() {
    let mut life = Life::of(
        "{spec: {initContainers: [{name: a, image: busybox, command: [sh, -c, exit 1]}], containers: [{name: main}]}}",
    );
    life.until("12s").shows(&[
        "0s 0/1 Init:Error 0",
        "2s 0/1 Init:CrashLoopBackOff 0",
        "11s 0/1 Init:Error 0",
        "12s 0/1 Init:CrashLoopBackOff 0",
    ]);
    assert_eq!(life.container("a")["restartCount"], 2);
    assert_eq!(life.container("main")["state"]["waiting"]["reason"], "PodInitializing");
    assert_eq!(life.condition("Initialized")["message"], "containers with incomplete status: [a]");
}

#[test]
fn a_failing_init_container_ends_a_pod_that_is_never_restarted() {
    let mut life = Life::of(
        "{spec: {restartPolicy: Never, initContainers: [{name: a, image: busybox, command: [sh, -c, exit 1]}], containers: [{name: main}]}}",
    );
    life.until("1m").shows(&["0s 0/1 Init:Error 0"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
}

#[test]
fn an_init_image_that_is_missing_holds_everything_up() {
    let mut life = Life::of("{spec: {initContainers: [{name: a, image: 'x:missing'}], containers: [{name: main}]}}");
    life.until("5s").shows(&["0s 0/1 Init:ErrImagePull 0", "1s 0/1 Init:ImagePullBackOff 0"]);
}

const WITH_SIDECAR: &str = "{metadata: {annotations: {team: shop}}, spec: {
  initContainers: [{name: proxy, image: envoy, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 2}}],
  containers: [{name: main, lifecycle: {preStop: {sleep: {seconds: 4}}}}]}}";

#[test]
fn a_sidecar_starts_first_and_stops_last() {
    let mut life = Life::of(WITH_SIDECAR);
    life.until("10s").delete(30).until("1m").shows(&[
        "0s 0/1 Init:0/1 0",
        "2s 1/1 Running 0 ready",
        "10s 1/1 Terminating 0 ready",
        "14s gone",
    ]);
    let stops: Vec<&String> = life.events.iter().filter(|event| event.contains("Stopping")).collect();
    assert_eq!(stops, ["10s Killing: Stopping container main", "14s Killing: Stopping container proxy"]);
}

#[test]
fn a_crashing_sidecar_makes_the_pod_unready_and_comes_back() {
    let mut life = Life::of(
        "{spec: {initContainers: [{name: proxy, image: envoy, restartPolicy: Always, command: [sh, -c, sleep 5 && exit 1]}],
          containers: [{name: main}]}}",
    );
    life.until("7s");
    assert_eq!(life.container("proxy")["restartCount"], 1);
    assert_eq!(life.container("main")["ready"], true);
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:00:06Z");
}

#[test]
fn a_task_with_a_sidecar_completes_when_the_task_does() {
    let mut life = Life::of(
        "{spec: {restartPolicy: Never, initContainers: [{name: proxy, image: envoy, restartPolicy: Always}],
          containers: [{name: main, command: [sleep, '3']}]}}",
    );
    life.until("1m");
    assert_eq!(life.pod["status"]["phase"], "Succeeded");
    assert_eq!(life.container("proxy")["state"]["terminated"]["finishedAt"], "2026-01-01T00:00:03Z");
}
