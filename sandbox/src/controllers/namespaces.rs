//! Namespaces: what a new one is given, and how a deleted one comes to its end.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::set;
use crate::api::options::{DeleteOptions, ListOptions};
use crate::api::status::Answer;
use crate::api::verbs::{Call, Target, create, delete, replace};
use crate::world::{World, metadata_text};

const ACCOUNT: &str = "default";
const CERTIFICATES: &str = "kube-root-ca.crt";

/// What the annotation of that ConfigMap says on every cluster.
const CERTIFICATES_ARE: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/// Looks after one namespace.
pub(super) fn look_after(world: &mut World, name: &str, now: Timestamp) -> Answer<()> {
    let Some(namespace) = world.get("", "namespaces", "", name).cloned() else { return Ok(()) };
    if namespace.is_deleting() { empty(world, name, now) } else { furnish(world, name, now) }
}

/// Pods can be created only where there is a service account to run as, and read the server's certificate from
/// a ConfigMap.
fn furnish(world: &mut World, name: &str, now: Timestamp) -> Answer<()> {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": name}});
    furnish_with(world, name, "serviceaccounts", account, now)?;
    let certificates = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": CERTIFICATES, "namespace": name,
            "annotations": {"kubernetes.io/description": CERTIFICATES_ARE},
        },
        "data": {"ca.crt": "The sandbox's API server is not reached by a certificate from inside.\n"},
    });
    furnish_with(world, name, "configmaps", certificates, now)
}

fn furnish_with(world: &mut World, namespace: &str, plural: &str, object: Value, now: Timestamp) -> Answer<()> {
    if world.get("", plural, namespace, metadata_text(&object, "name")).is_some() {
        return Ok(());
    }
    let target = Target::find(world, "", plural, namespace, "")?;
    let mut call = Call::internal("kube-controller-manager", now);
    match create::create(world, &mut call, &target, object) {
        Err(refused) if refused.reason == "AlreadyExists" => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Whether the object is one that a namespace is never without.
pub(super) fn is_furniture(plural: &str, name: &str) -> bool {
    matches!((plural, name), ("serviceaccounts", ACCOUNT) | ("configmaps", CERTIFICATES))
}

/// Deletes whatever is in it, and lets it go when nothing is left.
fn empty(world: &mut World, name: &str, now: Timestamp) -> Answer<()> {
    let mut left = false;
    let resources: Vec<(String, String)> = world
        .registry
        .all()
        .filter(|resource| resource.namespaced)
        .map(|resource| (resource.group.clone(), resource.plural.clone()))
        .collect();
    for (group, plural) in resources {
        if world.list(&group, &plural, name).is_empty() {
            continue;
        }
        let target = Target::find(world, &group, &plural, name, "")?;
        let call = Call::internal("kube-controller-manager", now);
        delete::delete_collection(world, &call, &target, &DeleteOptions::default(), &ListOptions::default())?;
        left |= !world.list(&group, &plural, name).is_empty();
    }
    let Some(namespace) = world.get("", "namespaces", "", name).cloned() else { return Ok(()) };
    if left {
        return Ok(());
    }
    let mut released = namespace.value().clone();
    set(&mut released, &["spec", "finalizers"], json!([]));
    let target = Target::find(world, "", "namespaces", "", name)?.subresource("finalize");
    replace::update(world, &mut Call::internal("kube-controller-manager", now), &target, released).map(|_| ())
}
