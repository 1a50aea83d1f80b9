//! Pods that no API server would accept: the model must not panic, hang, or start anything.

use serde_json::{Value, json};
use sluice_sandbox::kubelet::{Node, Options, PodMemory, mark_pod_on_lost_node, step};

fn look(pod: &Value) {
    let node = Node { name: "node-1".into(), ip: "192.168.0.1".into() };
    let mut memory = PodMemory::of(pod, "10.244.0.1");
    for moment in ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "1969-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
        let now = moment.parse().expect("a moment");
        memory = step(pod, &node, memory, now, &Options::default()).memory;
        std::hint::black_box(mark_pod_on_lost_node(pod, now));
    }
}

#[test]
fn any_value_in_any_place_is_survived() {
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(1e300),
        json!("x"),
        json!("9999999999h"),
        json!([]),
        json!([1, null, {"name": 3}]),
        json!({"a": {"b": []}}),
    ];
    let pod = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 30, "ownerReferences": [{"kind": "Job", "controller": true}],
            "annotations": {"sandbox.sluice.dev/ready-after": "1s"}},
        "spec": {"nodeName": "node-1", "restartPolicy": "Always", "activeDeadlineSeconds": 100, "terminationGracePeriodSeconds": 30,
            "readinessGates": [{"conditionType": "x"}],
            "initContainers": [{"name": "a", "image": "b", "restartPolicy": "Always"}],
            "containers": [{"name": "main", "image": "nginx", "command": ["sleep"], "args": ["5"],
                "resources": {"limits": {"cpu": "1"}}, "ports": [{"name": "http"}],
                "lifecycle": {"postStart": {"sleep": {"seconds": 1}}, "preStop": {"exec": {"command": ["sleep", "1"]}}},
                "readinessProbe": {"httpGet": {"port": "http"}, "initialDelaySeconds": 1, "periodSeconds": 1, "successThreshold": 1},
                "livenessProbe": {"exec": {"command": ["false"]}, "failureThreshold": 1, "terminationGracePeriodSeconds": 1}}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "startTime": "2026-01-01T00:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "containerStatuses": [{"name": "main", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:00Z"}}}]}
    });
    let mut places = Vec::new();
    list_places(&pod, String::new(), &mut places);
    assert!(places.len() > 60, "{}", places.len());
    for place in places.iter().filter(|place| *place != "/spec/nodeName") {
        for value in &wrong {
            let mut pod = pod.clone();
            *pod.pointer_mut(place).expect("the place exists") = value.clone();
            look(&pod);
        }
    }
}

fn list_places(value: &Value, here: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                list_places(value, format!("{here}/{}", name.replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                list_places(item, format!("{here}/{i}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !here.is_empty() {
        places.push(here);
    }
}

#[test]
fn a_crash_loop_without_any_wait_does_not_hang() {
    let pod = json!({"spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "nginx", "command": ["false"]}]}});
    let node = Node { name: "node-1".into(), ip: String::new() };
    let now = "2026-01-01T00:00:00Z".parse().expect("a moment");
    let options = Options::default().faster(u32::MAX);
    let first = step(&pod, &node, PodMemory::of(&pod, ""), now, &options);
    let later = "2026-01-02T00:00:00Z".parse().expect("a moment");
    let second = step(&pod, &node, first.memory, later, &options);
    assert!(second.status.is_some());
    assert!(second.wake_at.is_some_and(|wake_at| wake_at < later), "the rest is done in further steps");
}
