//! The Services of versions that ask for one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sluice_crds::template::{HASH_LABEL, PodTemplate};

use super::Snapshot;
use super::observe::{Trial, Version};
use crate::names::{EXPERIMENT_NAME, EXPERIMENT_TEMPLATE};
use crate::ping_pong;
use crate::plan::{Action, Event, Kind, Write};
use crate::snapshot::Service;

/// The Services that are missing.
pub(super) fn up(trial: &Trial<'_>) -> Vec<Write> {
    let missing = trial.versions.iter().filter(|version| version.service.is_none() && !version.service_name_is_taken);
    missing.filter_map(|version| create(trial, version)).collect()
}

fn create(trial: &Trial<'_>, version: &Version<'_>) -> Option<Write> {
    let name = version.service_name.as_ref()?;
    let mut selector = version.asked.selector.as_ref().and_then(|asked| asked.match_labels.clone()).unwrap_or_default();
    selector.insert(HASH_LABEL.to_owned(), version.hash());
    let object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": trial.namespace(),
            "annotations": {EXPERIMENT_NAME: trial.name(), EXPERIMENT_TEMPLATE: version.asked.name},
            "ownerReferences": [trial.owner_reference()],
        },
        "spec": {"selector": selector, "ports": ports(trial.snapshot, version.asked.template.as_ref()?)},
    });
    let sentence = format!("Created Service {name} (version {})", version.asked.name);
    Some(Write {
        target: trial.target(Kind::Service, name),
        action: Action::Create(object),
        reason: format!("version {} asks for a Service", version.asked.name),
        events: vec![Event::normal("ServiceCreated", sentence)],
    })
}

/// A Service that leads nowhere any more goes.
pub(super) fn delete(trial: &Trial<'_>, service: &Service) -> Write {
    Write {
        target: trial.target(Kind::Service, &service.meta.name),
        action: Action::Delete {
            uid: service.meta.uid.clone(),
            resource_version: service.meta.resource_version.clone(),
        },
        reason: "the Experiment is over and none of its pods is left".to_owned(),
        events: Vec::new(),
    }
}

/// The ports of a version's Service. Routers that send a share of a Rollout's traffic there ask for it by the ports of
/// its stable Service; for all others each port of the containers is one.
pub(super) fn ports(snapshot: &Snapshot, template: &PodTemplate) -> Vec<Value> {
    let stable = snapshot.rollout.as_ref().and_then(|rollout| ping_pong::service_names(rollout).0);
    let stable = stable.and_then(|name| snapshot.services.iter().find(|service| service.meta.name == name));
    let of_stable: Vec<Value> = stable.and_then(|stable| serde_json::from_str(&stable.ports).ok()).unwrap_or_default();
    if of_stable.is_empty() { ports_of(template) } else { of_stable.into_iter().map(without_node_port).collect() }
}

/// A port of a node belongs to one Service.
fn without_node_port(mut port: Value) -> Value {
    if let Some(fields) = port.as_object_mut() {
        fields.remove("nodePort");
    }
    port
}

/// A port of a Service for each port of the containers.
pub(crate) fn ports_of(template: &PodTemplate) -> Vec<Value> {
    let mut taken = BTreeSet::new();
    let mut ports = Vec::new();
    for container in template.containers() {
        for port in container.fields().get("ports").and_then(Value::as_array).into_iter().flatten() {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            let Some(number) = port["containerPort"].as_i64() else { continue };
            if taken.insert((number, protocol)) {
                let plain = format!("port-{number}-{}", protocol.to_ascii_lowercase());
                let name = port["name"].as_str().map_or(plain, str::to_owned);
                ports.push(json!({"name": name, "protocol": protocol, "port": number, "targetPort": number}));
            }
        }
    }
    ports
}
