//! Namespaces: what a new one is given, and how a deleted one comes to its end.

use jiff::Timestamp;
use serde_json::json;

use super::object::set;
use crate::api::options::{DeleteOptions, ListOptions};
use crate::api::status::Answer;
use crate::api::verbs::{Call, Target, create, delete, replace};
use crate::world::World;

/// Looks after one namespace.
pub(super) fn look_after(world: &mut World, name: &str, now: Timestamp) -> Answer<()> {
    let Some(namespace) = world.get("", "namespaces", "", name).cloned() else { return Ok(()) };
    if namespace.is_deleting() { empty(world, name, now) } else { furnish(world, name, now) }
}

/// Pods can be created only where there is a service account to run as.
fn furnish(world: &mut World, name: &str, now: Timestamp) -> Answer<()> {
    if world.get("", "serviceaccounts", name, "default").is_some() {
        return Ok(());
    }
    let target = Target::find(world, "", "serviceaccounts", name, "")?;
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}});
    let mut call = Call::internal("kube-controller-manager", now);
    match create::create(world, &mut call, &target, account) {
        Err(refused) if refused.reason == "AlreadyExists" => Ok(()),
        other => other.map(|_| ()),
    }
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
