//! What a node does to its pods: eviction, and a node that was away.

use sluice_sandbox::kubelet::{Node, Options, PodMemory, mark_pod_on_lost_node, step};

use crate::life::Life;

#[test]
fn a_node_short_of_memory_evicts() {
    let mut life = Life::of(
        "{metadata: {annotations: {sandbox.sluice.dev/evict-after: 5s}}, spec: {containers: [{name: main, lifecycle: {preStop: {sleep: {seconds: 9}}}}]}}",
    );
    life.until("1m").shows(&["0s 1/1 Running 0 ready", "5s 0/1 Evicted 0"]);
    assert_eq!(life.pod["status"]["phase"], "Failed");
    assert_eq!(life.pod["status"]["reason"], "Evicted");
    assert_eq!(life.pod["status"]["message"], "The node was low on resource: memory.");
    assert_eq!(life.condition("DisruptionTarget")["reason"], "TerminationByKubelet");
    assert_eq!(life.container("main")["state"]["terminated"]["exitCode"], 137);
    assert!(life.reasons().contains(&"Evicted"));
}

#[test]
fn an_eviction_can_be_ordered_at_any_time() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    life.until("50s").annotate("evict-after", "0s").shows(&["0s 1/1 Running 0 ready", "50s 0/1 Evicted 0"]);
}

#[test]
fn an_evicted_pod_can_be_deleted() {
    let mut life =
        Life::of("{metadata: {annotations: {sandbox.sluice.dev/evict-after: 5s}}, spec: {containers: [{name: main}]}}");
    life.until("10s").delete(30);
    assert!(life.is_gone());
}

#[test]
fn a_pod_is_ready_again_from_the_moment_its_node_is_back() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    life.until("10s");
    // The node goes silent: nobody looks, the node controller marks the pod.
    let lost_at = "2026-01-01T00:00:40Z".parse().expect("a moment");
    let patch = mark_pod_on_lost_node(&life.pod, lost_at).expect("a ready pod is marked");
    let marked = patch["status"]["conditions"][0].clone();
    let conditions = life.pod["status"]["conditions"].as_array_mut().expect("conditions");
    let ready = conditions.iter_mut().find(|condition| condition["type"] == "Ready").expect("Ready");
    *ready = marked;
    assert_eq!(life.condition("ContainersReady")["status"], "True");

    life.asleep_until("100s");
    assert_eq!(life.condition("Ready")["status"], "True");
    assert_eq!(life.condition("Ready")["lastTransitionTime"], "2026-01-01T00:01:40Z");
}

#[test]
fn a_pod_of_another_node_is_left_alone() {
    let life = Life::of("{spec: {containers: [{name: main}]}}");
    let elsewhere = Node { name: "node-2".into(), ip: "192.168.0.2".into() };
    let now = "2026-01-01T00:00:00Z".parse().expect("a moment");
    let outcome = step(&life.pod, &elsewhere, PodMemory::of(&life.pod, ""), now, &Options::default());
    assert!(outcome.status.is_none() && outcome.events.is_empty() && outcome.wake_at.is_none());
}
