//! What the server decides about built-in objects beyond their schema: first status, addresses, finalizers.

use serde_json::{Map, Value, json};

use super::crd;
use super::status::{Answer, Status};
use super::verbs::Target;
use crate::schema::builtin_defaults::{admit_pod, generate_selector, pod_status};
use crate::world::{World, child_mut, metadata_mut, metadata_text, object_mut};

/// A pod runs as an account that is there. The one that every namespace is given may come later.
pub(crate) fn check_account(world: &World, target: &Target, value: &Value) -> Answer<()> {
    let account = value["spec"]["serviceAccountName"].as_str().unwrap_or("");
    let expected = target.is("", "Pod") && !matches!(account, "" | "default");
    if !expected || world.get("", "serviceaccounts", &target.namespace, account).is_some() {
        return Ok(());
    }
    let namespace = &target.namespace;
    let why = format!("error looking up service account {namespace}/{account}: serviceaccount {account:?} not found");
    Err(Status::forbidden("", "pods", metadata_text(value, "name"), why))
}

/// Brings a new object into the state in which its kind begins.
pub(crate) fn prepare_create(world: &mut World, target: &Target, value: &mut Value) {
    if target.resource.rules.custom {
        if target.version_facts().is_some_and(super::registry::Version::has_status) {
            object_mut(value).remove("status");
        }
        return;
    }
    let first_status = match target.kind() {
        "Pod" => {
            let token_volume = format!("kube-api-access-{}", world.random().name_suffix());
            admit_pod(value, &token_volume);
            Some(pod_status(value))
        }
        "Namespace" => {
            begin_namespace(value);
            Some(json!({"phase": "Active"}))
        }
        "Job" => {
            generate_selector(value);
            Some(json!({}))
        }
        "Deployment" => Some(json!({})),
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
    give_families(spec, address == "None");
    spec.insert("clusterIPs".into(), json!([address]));
    spec.insert("clusterIP".into(), json!(address));
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        give_node_ports(world, spec);
    }
}

/// The cluster has IPv4 alone; a headless Service without a selector may have endpoints of any family.
fn give_families(spec: &mut Map<String, Value>, headless: bool) {
    let selects = spec.get("selector").and_then(Value::as_object).is_some_and(|selector| !selector.is_empty());
    let (families, policy) = if headless && !selects {
        (json!(["IPv4", "IPv6"]), "RequireDualStack")
    } else {
        (json!(["IPv4"]), "SingleStack")
    };
    spec.entry("ipFamilies").or_insert(families);
    spec.entry("ipFamilyPolicy").or_insert_with(|| json!(policy));
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
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let left_out = spec.get(field).is_none_or(|given| given.is_null() || given == "" || given == &json!([]));
        let kept = &before["spec"][field];
        if left_out && !kept.is_null() {
            spec.insert(field.into(), kept.clone());
        }
    }
}
