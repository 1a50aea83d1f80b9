//! Experiments as an API server would send them, from as little as a case has to say.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_crds::{AnalysisRun, Experiment};

use crate::experiment::{Snapshot, plan};
use crate::plan::{Action, Plan};
use crate::snapshot::{Pod, ReplicaSet, Service, Template};

pub(super) const NOW: &str = "2026-01-01T12:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// A version of this name with so many pods.
pub(super) fn version(name: &str, replicas: i32) -> Value {
    json!({
        "name": name, "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{
                "name": "web", "image": format!("web:{name}"), "ports": [{"name": "http", "containerPort": 8080}],
            }]},
        },
    })
}

/// What there is around an Experiment called `trial`.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) spec: Value,
    pub(super) status: Value,
    pub(super) annotations: Value,
    pub(super) owners: Value,
    pub(super) sets: Vec<Value>,
    pub(super) pods: Vec<Value>,
    pub(super) services: Vec<Value>,
    pub(super) runs: Vec<Value>,
    pub(super) templates: Vec<Value>,
}

pub(super) fn bench(spec: Value, status: Value) -> Bench {
    let none = Vec::new;
    Bench {
        spec,
        status,
        annotations: json!({}),
        owners: json!([]),
        sets: none(),
        pods: none(),
        services: none(),
        runs: none(),
        templates: none(),
    }
}

fn meta(name: &str, owner: &str) -> Value {
    json!({
        "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 1, "resourceVersion": "7",
        "annotations": {}, "ownerReferences": [{"uid": owner, "controller": true}],
    })
}

/// The ReplicaSet of a version: pods wanted and available.
pub(super) fn set(version: &str, wanted: i32, available: i32) -> Value {
    let mut meta = meta(&format!("trial-{version}"), "uid-trial");
    meta["labels"] = json!({"rollouts-pod-template-hash": format!("hash-{version}")});
    meta["annotations"] = json!({"experiment.argoproj.io/template-name": version});
    json!({
        "metadata": meta,
        "spec": {"replicas": wanted, "template": {}},
        "status": {
            "replicas": wanted, "readyReplicas": available, "availableReplicas": available, "observedGeneration": 1,
        },
    })
}

pub(super) fn service(name: &str, hash: &str, owner: &str) -> Value {
    json!({"metadata": meta(name, owner), "spec": {"selector": {"rollouts-pod-template-hash": hash}}})
}

pub(super) fn run(name: &str, phase: &str, message: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": meta_of_run(name), "spec": {},
        "status": {"phase": phase, "message": message},
    })
}

fn meta_of_run(name: &str) -> Value {
    let mut meta = meta(name, "uid-trial");
    meta["ownerReferences"] = json!([{
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": "trial", "uid": "uid-trial", "controller": true,
    }]);
    meta
}

pub(super) fn template(name: &str, metric: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}")}, "spec": {"metrics": [metric]},
    })
}

/// A metric that is measured once.
pub(super) fn metric() -> Value {
    json!({"name": "errors", "successCondition": "result[0] < 1", "provider": {"prometheus": {"address": "http://p", "query": "errors"}}})
}

impl Bench {
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment",
            "metadata": {
                "name": "trial", "namespace": "shop", "uid": "uid-trial", "resourceVersion": "7",
                "annotations": self.annotations, "ownerReferences": self.owners,
            },
            "spec": self.spec,
        });
        if !self.status.is_null() {
            object["status"] = self.status.clone();
        }
        let experiment: Experiment = serde_json::from_value(object).expect("an Experiment");
        let runs = self.runs.iter().map(|run| {
            let run: AnalysisRun = serde_json::from_value(run.clone()).expect("a run");
            Arc::new(run)
        });
        Snapshot {
            experiment: Arc::new(experiment),
            rollout: None,
            replica_sets: read(&self.sets, ReplicaSet::from_json),
            pods: read(&self.pods, Pod::from_json),
            services: read(&self.services, Service::from_json),
            runs: runs.collect(),
            templates: read(&self.templates, Template::from_json),
            cluster_templates: Vec::new(),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        plan(&self.snapshot(), now())
    }
}

fn read<T>(objects: &[Value], from_json: fn(&Value) -> Result<T, String>) -> Vec<Arc<T>> {
    objects.iter().map(|object| Arc::new(from_json(object).expect("readable"))).collect()
}

/// What a plan writes, in order: the verb, the object, and for a ReplicaSet its size.
pub(super) fn writes(plan: &Plan) -> Vec<String> {
    let told = plan.writes.iter().map(|write| {
        let name = &write.target.name;
        match &write.action {
            Action::Create(object) => format!("create {} {name}", object["kind"].as_str().unwrap_or_default()),
            Action::Delete { .. } => format!("delete {:?} {name}", write.target.kind),
            Action::Patch(_) => {
                let changes: Vec<String> = changes(write).map(|(path, value)| format!("{path}={value}")).collect();
                format!("{name}: {}", changes.join(" "))
            }
            Action::Evict { .. } => "evict".to_owned(),
        }
    });
    told.collect()
}

fn changes(write: &crate::plan::Write) -> impl Iterator<Item = (String, Value)> + '_ {
    let Action::Patch(operations) = &write.action else { return Vec::new().into_iter() };
    let changes = operations.iter().filter(|operation| operation["op"] != "test");
    let told = changes
        .map(|operation| (operation["path"].as_str().unwrap_or_default().to_owned(), operation["value"].clone()));
    told.collect::<Vec<_>>().into_iter()
}

/// The status that a plan writes.
pub(super) fn status(plan: &Plan) -> Value {
    let write = plan.status.as_ref().expect("a status");
    changes(write).find(|(path, _)| path == "/status").map(|(_, value)| value).expect("a status")
}

/// The status of an Experiment whose pods have all been available since one minute ago.
pub(super) fn running(versions: &[&str]) -> Value {
    let statuses: Vec<Value> = versions
        .iter()
        .map(|name| {
            json!({
                "name": name, "status": "Running", "lastTransitionTime": "2026-01-01T11:59:00Z", "availableReplicas": 1,
            })
        })
        .collect();
    json!({"phase": "Running", "availableAt": "2026-01-01T11:59:00Z", "templateStatuses": statuses})
}

/// The status of one that has its verdict.
pub(super) fn over(phase: &str) -> Value {
    json!({"phase": phase, "message": "it is so", "templateStatuses": [{"name": "new", "status": "Successful"}]})
}
