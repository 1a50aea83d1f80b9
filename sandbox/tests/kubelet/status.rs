//! The whole status object, as written on the wire.

use jiff::SignedDuration;
use serde_json::json;
use sluice_sandbox::kubelet::Options;

use crate::life::Life;

#[test]
fn a_running_pod_has_every_field_that_clients_read() {
    let mut life = Life::of(
        "{spec: {containers: [{name: main, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 2}}]}}",
    );
    life.until("2s");
    let condition = |kind: &str, second: i64| {
        json!({"type": kind, "status": "True", "observedGeneration": 1,
               "lastTransitionTime": format!("2026-01-01T00:00:0{second}Z")})
    };
    let container_id = life.container("main")["containerID"].clone();
    assert!(container_id.as_str().is_some_and(|id| id.len() == "containerd://".len() + 64), "{container_id}");
    assert_eq!(
        life.pod["status"],
        json!({
            "phase": "Running",
            "qosClass": "BestEffort",
            "observedGeneration": 1,
            "startTime": "2026-01-01T00:00:00Z",
            "hostIP": "192.168.0.1",
            "hostIPs": [{"ip": "192.168.0.1"}],
            "podIP": "10.244.0.7",
            "podIPs": [{"ip": "10.244.0.7"}],
            "conditions": [
                condition("PodReadyToStartContainers", 0),
                condition("Initialized", 0),
                condition("ContainersReady", 2),
                condition("Ready", 2),
                condition("PodScheduled", 0),
            ],
            "containerStatuses": [{
                "name": "main",
                "image": "docker.io/library/nginx:1.27",
                "imageID": life.container("main")["imageID"],
                "containerID": container_id,
                "restartCount": 0,
                "ready": true,
                "started": true,
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                "lastState": {},
            }],
        })
    );
}

#[test]
fn only_what_changed_is_written() {
    let mut life = Life::of(
        "{spec: {containers: [{name: main, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 2}}]}}",
    );
    life.until("1s").asleep_until("1500ms");
    assert_eq!(life.look().status, None);
    life.pod["metadata"]["generation"] = json!(2);
    let patch = life.look().status.expect("a new generation is observed");
    assert_eq!(patch["status"]["observedGeneration"], 2);
    assert_eq!(patch["status"].get("containerStatuses"), None);
}

#[test]
fn conditions_of_others_stay_as_they_are() {
    let mut life = Life::of("{spec: {containers: [{name: main}]}}");
    let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2025-12-31T23:59:59Z"});
    life.pod["status"]["conditions"] = json!([scheduled]);
    let patch = life.look().status.expect("the pod starts");
    let written: Vec<&str> =
        patch["status"]["conditions"].as_array().unwrap().iter().filter_map(|c| c["type"].as_str()).collect();
    assert_eq!(written, ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"]);
    assert_eq!(*life.condition("PodScheduled"), scheduled);
}

#[test]
fn a_message_that_no_longer_holds_is_removed() {
    let mut life = Life::of(
        "{spec: {containers: [{name: main, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 2}}]}}",
    );
    life.until("1s");
    assert_eq!(life.condition("Ready")["message"], "containers with unready status: [main]");
    life.until("2s");
    assert_eq!(life.condition("Ready").get("message"), None);
    assert_eq!(life.condition("Ready").get("reason"), None);
}

#[test]
fn a_pod_on_the_host_network_has_the_hosts_address() {
    let mut life = Life::of("{spec: {hostNetwork: true, containers: [{name: main}]}}");
    life.until("1s");
    assert_eq!(life.pod["status"]["podIP"], "192.168.0.1");
}

#[test]
fn a_slow_node_shows_the_pod_being_created() {
    let options = Options { start_takes: SignedDuration::from_secs(2), ..Options::default() };
    let mut life = Life::with("{spec: {containers: [{name: main}]}}", options);
    life.until("1m").shows(&["0s 0/1 ContainerCreating 0", "2s 1/1 Running 0 ready"]);
}

#[test]
fn repeats_of_an_event_are_counted() {
    let mut life = Life::of("{spec: {containers: [{name: main, command: [sh, -c, exit 1]}]}}");
    let first = life.look_at("0s").events[0].clone();
    let second = life.look_at("1s").events[0].clone();
    assert_eq!(first.name(&life.pod), second.name(&life.pod));
    assert_eq!(second.repeat(), json!({"count": 2, "lastTimestamp": "2026-01-01T00:00:01Z"}));

    let object = first.object(&life.pod, "node-1");
    assert_eq!((&object["count"], &object["reason"], &object["type"]), (&json!(1), &json!("Pulled"), &json!("Normal")));
    assert_eq!(object["involvedObject"]["fieldPath"], "spec.containers{main}");
    assert_eq!(object["involvedObject"]["uid"], crate::life::UID);
    assert_eq!(object["metadata"]["namespace"], "shop");
}
