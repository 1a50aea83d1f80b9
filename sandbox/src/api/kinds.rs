//! What the server decides about built-in objects beyond their schema: first status, addresses, finalizers.

use serde_json::{Map, Value, json};

use super::crd;
use super::status::Answer;
use super::verbs::Target;
use crate::world::{World, child_mut, metadata_mut, metadata_text, object_mut};

/// Brings a new object into the state in which its kind begins.
pub(crate) fn prepare_create(world: &mut World, target: &Target, value: &mut Value) -> Answer<()> {
    if target.resource.rules.custom {
        if target.version_facts().is_some_and(super::registry::Version::has_status) {
            object_mut(value).remove("status");
        }
        return Ok(());
    }
    let first_status = match target.kind() {
        "Pod" => Some(json!({"phase": "Pending", "qosClass": quality_of_service(&value["spec"])})),
        "Namespace" => {
            begin_namespace(value);
            Some(json!({"phase": "Active"}))
        }
        "Deployment" | "Job" => Some(json!({})),
        "CustomResourceDefinition" => Some(crd::first_status(value)),
        "ReplicaSet" => Some(json!({"replicas": 0})),
        "Service" => {
            give_addresses(world, value);
            Some(json!({"loadBalancer": {}}))
        }
        "Ingress" => Some(json!({"loadBalancer": {}})),
        "PodDisruptionBudget" => Some(json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        })),
        "HorizontalPodAutoscaler" => Some(json!({"currentMetrics": null, "desiredReplicas": 0})),
        _ => None,
    };
    if let Some(status) = first_status {
        object_mut(value).insert("status".into(), status);
    }
    Ok(())
}

/// Carries over what an update may leave out.
pub(crate) fn prepare_update(target: &Target, before: &Value, value: &mut Value) {
    if target.is("", "Service") {
        keep_addresses(before, value);
    }
    if target.is("", "Namespace") && target.subresource != "finalize" {
        let finalizers = before["spec"]["finalizers"].clone();
        if !finalizers.is_null() {
            child_mut(object_mut(value), "spec").insert("finalizers".into(), finalizers);
        }
    }
}

/// Which metadata a write of the status takes along. Built-in kinds differ; custom resources take nothing but ownership.
pub(crate) fn take_status_metadata(target: &Target, sent: &Map<String, Value>, kept: &mut Map<String, Value>) {
    let taken: &[&str] = if target.resource.rules.custom {
        &["managedFields"]
    } else {
        match target.kind() {
            "Pod" => &["labels", "annotations", "finalizers", "managedFields"],
            "Deployment" | "ReplicaSet" => &["annotations", "finalizers", "ownerReferences", "managedFields"],
            _ => &["labels", "annotations", "finalizers", "ownerReferences", "managedFields"],
        }
    };
    for field in taken {
        match sent.get(*field) {
            Some(value) => kept.insert((*field).to_owned(), value.clone()),
            None => kept.remove(*field),
        };
    }
    if let Some(revision) = sent.get("resourceVersion") {
        kept.insert("resourceVersion".into(), revision.clone());
    }
}

/// A namespace can be selected by its name, and holds itself back until it is empty.
fn begin_namespace(value: &mut Value) {
    let name = metadata_text(value, "name").to_owned();
    let labels = child_mut(metadata_mut(value), "labels");
    labels.insert("kubernetes.io/metadata.name".into(), json!(name));
    let spec = child_mut(object_mut(value), "spec");
    let finalizers = spec.entry("finalizers").or_insert_with(|| json!([]));
    if let Value::Array(finalizers) = finalizers
        && !finalizers.iter().any(|one| one == "kubernetes")
    {
        finalizers.push(json!("kubernetes"));
    }
}

/// A service that doesn't say otherwise gets an address inside of the cluster.
fn give_addresses(world: &mut World, value: &mut Value) {
    let revision = world.revision();
    let spec = child_mut(object_mut(value), "spec");
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or("ClusterIP").to_owned();
    if kind == "ExternalName" {
        return;
    }
    let given = spec.get("clusterIP").and_then(Value::as_str).unwrap_or("");
    let address = if given.is_empty() {
        // Each write has a revision of its own, so addresses don't meet before 65,000 writes have passed.
        format!("10.96.{}.{}", (revision >> 8) & 0xff, revision & 0xff)
    } else {
        given.to_owned()
    };
    spec.insert("clusterIPs".into(), json!([address]));
    spec.insert("clusterIP".into(), json!(address));
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        give_node_ports(world, spec);
    }
}

fn give_node_ports(world: &mut World, spec: &mut Map<String, Value>) {
    const FIRST: u64 = 30_000;
    const COUNT: u64 = 2_768;
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let port = object_mut(port);
        if port.get("nodePort").and_then(Value::as_u64).unwrap_or(0) == 0 {
            let drawn = FIRST + world.random().below(COUNT);
            port.insert("nodePort".into(), json!(drawn));
        }
    }
}

fn keep_addresses(before: &Value, value: &mut Value) {
    let spec = child_mut(object_mut(value), "spec");
    if spec.get("type").and_then(Value::as_str) == Some("ExternalName") {
        return;
    }
    for field in ["clusterIP", "clusterIPs"] {
        let left_out = spec.get(field).is_none_or(|given| given.is_null() || given == "" || given == &json!([]));
        let kept = &before["spec"][field];
        if left_out && !kept.is_null() {
            spec.insert(field.into(), kept.clone());
        }
    }
}

/// How the kubelet would rank a pod when memory gets short.
fn quality_of_service(spec: &Value) -> &'static str {
    let containers = || {
        let lists = ["containers", "initContainers"];
        lists.into_iter().filter_map(|list| spec[list].as_array()).flatten()
    };
    let amount = |container: &Value, part: &str, resource: &str| container["resources"][part].get(resource).cloned();
    let any = containers().any(|container| {
        ["requests", "limits"]
            .iter()
            .any(|part| ["cpu", "memory"].iter().any(|resource| amount(container, part, resource).is_some()))
    });
    let full = containers().all(|container| {
        ["cpu", "memory"].iter().all(|resource| {
            let limit = amount(container, "limits", resource);
            let request = amount(container, "requests", resource);
            limit.is_some() && (request.is_none() || request == limit)
        })
    });
    match (any, full) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
