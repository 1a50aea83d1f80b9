//! The promises as far as they are about Experiments, checked on every single write for one.

use serde_json::Value;
use sluice_planner::{Action, Kind, Write};
use sluice_sandbox::World;

use super::Scene;

use super::{HASH, Judge, Size};

/// On what was made for an Experiment.
pub(super) const OF_EXPERIMENT: &str = "experiment.argoproj.io/name";

const VERDICTS: [&str; 4] = ["Successful", "Failed", "Error", "Inconclusive"];

impl Judge {
    /// Judges a write for an Experiment against what the cluster holds before it.
    ///
    /// # Panics
    /// It breaks a promise.
    pub fn before_trial(world: &World, experiment: &Value, write: &Write) {
        let name = &write.target.name;
        let there = match write.target.kind {
            Kind::ReplicaSet => world.get("apps", "replicasets", "default", name),
            Kind::Service => world.get("", "services", "default", name),
            Kind::AnalysisRun => world.get("argoproj.io", "analysisruns", "default", name),
            Kind::Experiment => {
                assert_eq!(experiment["metadata"]["name"], name.as_str(), "a status of another Experiment");
                return keeps_its_verdict(experiment, write);
            }
            kind => panic!("an Experiment writes no {kind:?}"),
        };
        let Some(object) = there else { return };
        let object = object.value();
        let owners = object["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
        let is_ours = owners.iter().any(|owner| owner["uid"] == experiment["metadata"]["uid"]);
        assert!(is_ours || matches!(write.action, Action::Create(_)), "{name} is not this Experiment's");
        match (&write.action, write.target.kind) {
            (Action::Patch(operations), Kind::ReplicaSet) => {
                let size = |operation: &&Value| operation["op"] == "add" && operation["path"] == "/spec/replicas";
                let to = operations.iter().find(size).and_then(|operation| operation["value"].as_i64());
                if to.is_some_and(|to| to < object["spec"]["replicas"].as_i64().unwrap_or(0)) {
                    assert!(has_verdict(experiment), "{name} goes before there is a verdict");
                    has_no_share(world, &object["metadata"]["labels"][HASH]);
                }
            }
            (Action::Delete { .. }, Kind::Service) => {
                assert!(has_verdict(experiment), "Service {name} goes before there is a verdict");
                has_no_share(world, &object["spec"]["selector"][HASH]);
            }
            _ => {}
        }
    }
}

/// The pods of Experiments.
pub(super) fn sizes(world: &Scene<'_>) -> Vec<Size> {
    super::sizes_of(world, |set| set["metadata"]["annotations"].get(OF_EXPERIMENT).is_some())
}

fn has_verdict(experiment: &Value) -> bool {
    VERDICTS.iter().any(|verdict| experiment["status"]["phase"] == *verdict)
}

fn keeps_its_verdict(experiment: &Value, write: &Write) {
    let Action::Patch(operations) = &write.action else { panic!("a status is patched") };
    let phase = operations.iter().find(|o| o["path"] == "/status").map(|operation| &operation["value"]["phase"]);
    let before = &experiment["status"]["phase"];
    assert!(!has_verdict(experiment) || phase == Some(before), "{before} becomes {phase:?}");
}

/// Promise 2: no router sends anything to the pods of this hash.
fn has_no_share(world: &World, hash: &Value) {
    let services = world.list("", "services", "default");
    let selecting = services.iter().filter(|service| service.value()["spec"]["selector"][HASH] == *hash);
    let names: Vec<&str> = selecting.map(|service| service.name()).collect();
    for (group, plural) in [("networking.istio.io", "virtualservices"), ("gateway.networking.k8s.io", "httproutes")] {
        for route in world.list(group, plural, "default") {
            for name in &names {
                assert_eq!(share_of(route.value(), name), 0, "{name} loses pods while {} leads to it", route.name());
            }
        }
    }
}

/// The largest weight with which an object of a router leads to a Service.
pub(super) fn share_of(value: &Value, service: &str) -> i64 {
    match value {
        Value::Object(fields) => {
            let host = fields.get("destination").map_or(&Value::Null, |destination| &destination["host"]);
            let names_it = [host, fields.get("name").unwrap_or(&Value::Null)];
            let weight = fields.get("weight").and_then(Value::as_i64).unwrap_or(0);
            let own = if names_it.iter().any(|name| *name == service) { weight } else { 0 };
            fields.values().map(|field| share_of(field, service)).max().unwrap_or(0).max(own)
        }
        Value::Array(items) => items.iter().map(|item| share_of(item, service)).max().unwrap_or(0),
        _ => 0,
    }
}
