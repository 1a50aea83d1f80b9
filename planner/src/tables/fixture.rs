//! Snapshots as an API server would send them, from as little as a case has to say.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_crds::template::{PodTemplate, TemplateHash};
use sluice_traffic::Objects;

use crate::plan::{Action, Kind, Plan, Write};
use crate::read_rollout::steps_hash;
use crate::snapshot::{Pod, ReplicaSet, Service, Snapshot};
use crate::workload::Workloads;

pub(crate) fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

pub(crate) fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

/// The hash that a template of this image gets.
pub(crate) fn hash(image: &str) -> String {
    TemplateHash::of(&PodTemplate::from(template(image)), None).as_str().to_owned()
}

/// A Rollout to `web:2` with this strategy and status.
pub(crate) fn rollout(replicas: i32, canary: &Value, status: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "rollout-uid", "generation": 3,
            "annotations": {"rollout.argoproj.io/revision": "2"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template("web:2"),
            "strategy": {"canary": canary},
        },
        "status": status,
    })
}

/// The status of a release of `web:2` over a stable `web:1` at this step.
pub(crate) fn status_at(canary: &Value, step: i32, more: &Value) -> Value {
    let canary: sluice_crds::rollout::CanaryStrategy = serde_json::from_value(canary.clone()).expect("a strategy");
    let mut status = json!({
        "phase": "Progressing",
        "currentPodHash": hash("web:2"),
        "stableRS": hash("web:1"),
        "currentStepHash": steps_hash(canary.steps()).as_str(),
        "currentStepIndex": step,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        status[key] = value.clone();
    }
    status
}

/// A ReplicaSet of this image and revision: pods wanted, ready and available.
pub(crate) fn set(image: &str, revision: i32, wanted: i32, ready: i32, available: i32) -> Value {
    let hash = hash(image);
    let mut template = template(image);
    template["metadata"]["labels"]["rollouts-pod-template-hash"] = json!(hash);
    json!({
        "metadata": {
            "name": format!("web-{hash}"), "namespace": "shop", "uid": format!("set-{revision}"), "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": format!("2026-01-01T0{revision}:00:00Z"),
            "labels": {"app": "web", "rollouts-pod-template-hash": hash},
            "annotations": {
                "rollout.argoproj.io/revision": revision.to_string(),
                "rollout.argoproj.io/desired-replicas": "10",
            },
            "ownerReferences": [{"uid": "rollout-uid", "controller": true}],
        },
        "spec": {"replicas": wanted, "template": template},
        "status": {
            "replicas": wanted, "readyReplicas": ready, "availableReplicas": available, "observedGeneration": 1,
        },
    })
}

pub(crate) fn service(name: &str, hash: Option<&str>) -> Value {
    let mut service = json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("service-{name}"),
            "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"},
        },
        "spec": {"selector": {"app": "web"}},
    });
    if let Some(hash) = hash {
        service["spec"]["selector"]["rollouts-pod-template-hash"] = json!(hash);
    }
    service
}

pub(crate) fn snapshot(rollout: &Value, sets: &[Value], pods: &[Value], services: &[Value]) -> Snapshot {
    let rollout: Rollout = serde_json::from_value(rollout.clone()).expect("a Rollout");
    Snapshot {
        rollout: Arc::new(rollout.into()),
        replica_sets: sets.iter().map(|set| Arc::new(ReplicaSet::from_json(set).expect("a ReplicaSet"))).collect(),
        pods: pods.iter().map(|pod| Arc::new(Pod::from_json(pod).expect("a pod"))).collect(),
        runs: Vec::new(),
        experiments: Vec::new(),
        templates: Vec::new(),
        cluster_templates: Vec::new(),
        services: services.iter().map(|service| Arc::new(Service::from_json(service).expect("a Service"))).collect(),
        routing: Objects::default(),
        workloads: Workloads::new(),
        plugins: Arc::default(),
        called: None,
        probed: None,
    }
}

/// The value that a patch sets at a path.
pub(crate) fn set_by(write: &Write, path: &str) -> Option<Value> {
    let Action::Patch(operations) = &write.action else { return None };
    let found = operations.iter().find(|operation| operation["op"] == "add" && operation["path"] == path)?;
    Some(found["value"].clone())
}

/// Sizes that a plan writes: name and pods, in order.
pub(crate) fn sizes(plan: &Plan) -> Vec<(String, i64)> {
    let resizes = plan.writes.iter().filter(|write| write.target.kind == Kind::ReplicaSet);
    resizes.filter_map(|write| Some((write.target.name.clone(), set_by(write, "/spec/replicas")?.as_i64()?))).collect()
}

/// What the plan makes of one field of the status.
pub(crate) fn status_of(plan: &Plan, field: &str) -> Option<Value> {
    set_by(plan.status.as_ref()?, &format!("/status/{field}"))
}

/// Reasons of the events behind the status.
pub(crate) fn told(plan: &Plan) -> Vec<&'static str> {
    plan.events.iter().map(|event| event.reason).collect()
}
