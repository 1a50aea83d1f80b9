//! The garbage collector: what lost its last owner goes, what waits for its dependents goes after them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{at, text};
use crate::api::options::{DeleteOptions, Propagation};
use crate::api::status::Answer;
use crate::api::verbs::delete::{FOREGROUND_FINALIZER, ORPHAN_FINALIZER};
use crate::api::verbs::{Call, Target, delete, patch};
use crate::world::{Object, ObjectRef, World, metadata_list, owner_references};

/// Whether a deletion of this object waits for the garbage collector.
pub(super) fn waits_for_dependents(object: &Object) -> bool {
    object.is_deleting() && (has_finalizer(object, FOREGROUND_FINALIZER) || has_finalizer(object, ORPHAN_FINALIZER))
}

/// The owners of a vanishing object that may be waiting for it.
pub(super) fn waiting_owners(world: &World, object: &Object) -> Vec<ObjectRef> {
    owner_references(object.value())
        .iter()
        .filter_map(|reference| owner(world, object.namespace(), reference))
        .filter(|(_, owner)| waits_for_dependents(owner))
        .map(|(at, _)| at)
        .collect()
}

/// Looks at one object: are its owners still there, and does its own deletion wait for its dependents?
pub(super) fn collect(world: &mut World, object: &ObjectRef, now: Timestamp) -> Answer<()> {
    let Some(current) = current(world, object) else { return Ok(()) };
    if current.is_deleting() {
        return finish_deletion(world, object, &current, now);
    }
    let references = owner_references(current.value());
    if references.is_empty() {
        return Ok(());
    }
    let standing: Vec<Standing> =
        references.iter().map(|reference| standing(world, current.namespace(), reference)).collect();
    if standing.contains(&Standing::Solid) {
        return drop_references(world, object, &current, &standing, now);
    }
    let has_dependents = world.dependents_of(current.uid()).next().is_some();
    let propagation = if standing.contains(&Standing::Waiting) && has_dependents {
        Propagation::Foreground
    } else if has_finalizer(&current, ORPHAN_FINALIZER) {
        Propagation::Orphan
    } else if has_finalizer(&current, FOREGROUND_FINALIZER) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    remove(world, object, &current, propagation, now)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The owner is there and means to stay.
    Solid,
    /// The owner is going, and waits for this object to go first.
    Waiting,
    /// No such owner.
    Dangling,
}

fn standing(world: &World, namespace: &str, reference: &Value) -> Standing {
    match owner(world, namespace, reference) {
        None => Standing::Dangling,
        Some((_, owner)) if owner.is_deleting() && has_finalizer(&owner, FOREGROUND_FINALIZER) => Standing::Waiting,
        Some(_) => Standing::Solid,
    }
}

/// An owner is found by its kind and name, in the dependent's own namespace or cluster-wide, and only
/// if it is the very object that the uid names.
fn owner(world: &World, namespace: &str, reference: &Value) -> Option<(ObjectRef, Arc<Object>)> {
    let group = text(reference, &["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
    let resource = world.registry.find_kind(group, text(reference, &["kind"]))?;
    let at = ObjectRef {
        resource: resource.stored_as.clone(),
        namespace: if resource.namespaced { namespace.to_owned() } else { String::new() },
        name: text(reference, &["name"]).to_owned(),
    };
    let owner = current(world, &at)?;
    (owner.uid() == text(reference, &["uid"])).then_some((at, owner))
}

fn current(world: &World, object: &ObjectRef) -> Option<Arc<Object>> {
    world.get(&object.resource.group, &object.resource.plural, &object.namespace, &object.name).cloned()
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    metadata_list(object.value(), "finalizers").iter().any(|one| one == finalizer)
}

fn finish_deletion(world: &mut World, object: &ObjectRef, current: &Object, now: Timestamp) -> Answer<()> {
    let dependents: Vec<ObjectRef> = world.dependents_of(current.uid()).cloned().collect();
    if has_finalizer(current, ORPHAN_FINALIZER) {
        for dependent in &dependents {
            let Some(found) = self::current(world, dependent) else { continue };
            let kept = keep_references(&found, |reference| text(reference, &["uid"]) != current.uid());
            set_references(world, dependent, &found, kept, now)?;
        }
        return drop_finalizer(world, object, current, ORPHAN_FINALIZER, now);
    }
    if has_finalizer(current, FOREGROUND_FINALIZER) {
        let mut blocked = false;
        for dependent in &dependents {
            let Some(found) = self::current(world, dependent) else { continue };
            blocked |= blocks(&found, current.uid());
            if !found.is_deleting() {
                collect(world, dependent, now)?;
            }
        }
        if !blocked {
            return drop_finalizer(world, object, current, FOREGROUND_FINALIZER, now);
        }
    }
    Ok(())
}

fn blocks(dependent: &Object, owner: &str) -> bool {
    owner_references(dependent.value()).iter().any(|reference| {
        text(reference, &["uid"]) == owner && at(reference, &["blockOwnerDeletion"]) == &Value::Bool(true)
    })
}

fn keep_references(object: &Object, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
    owner_references(object.value()).iter().filter(|reference| keep(reference)).cloned().collect()
}

fn drop_references(
    world: &mut World,
    object: &ObjectRef,
    current: &Object,
    standing: &[Standing],
    now: Timestamp,
) -> Answer<()> {
    let kept: Vec<Value> = owner_references(current.value())
        .iter()
        .zip(standing)
        .filter(|(_, standing)| **standing == Standing::Solid)
        .map(|(reference, _)| reference.clone())
        .collect();
    if kept.len() == standing.len() {
        return Ok(());
    }
    set_references(world, object, current, kept, now)
}

fn set_references(
    world: &mut World,
    object: &ObjectRef,
    current: &Object,
    kept: Vec<Value>,
    now: Timestamp,
) -> Answer<()> {
    let kept = if kept.is_empty() { Value::Null } else { Value::Array(kept) };
    change(world, object, &json!({"metadata": {"uid": current.uid(), "ownerReferences": kept}}), now)
}

fn drop_finalizer(world: &mut World, object: &ObjectRef, current: &Object, gone: &str, now: Timestamp) -> Answer<()> {
    let left: Vec<Value> =
        metadata_list(current.value(), "finalizers").iter().filter(|one| *one != gone).cloned().collect();
    let left = if left.is_empty() { Value::Null } else { Value::Array(left) };
    change(world, object, &json!({"metadata": {"uid": current.uid(), "finalizers": left}}), now)
}

fn change(world: &mut World, object: &ObjectRef, change: &Value, now: Timestamp) -> Answer<()> {
    let target = target(world, object)?;
    let mut call = Call::internal("kube-controller-manager", now);
    patch::patch(world, &mut call, &target, &patch::Patch::Merge(change.clone())).map(|_| ())
}

fn remove(
    world: &mut World,
    object: &ObjectRef,
    current: &Object,
    propagation: Propagation,
    now: Timestamp,
) -> Answer<()> {
    let target = target(world, object)?;
    let options = DeleteOptions {
        uid: Some(current.uid().to_owned()),
        propagation: Some(propagation),
        ..DeleteOptions::default()
    };
    match delete::delete(world, &Call::internal("kube-controller-manager", now), &target, &options) {
        Err(refused) if refused.code == 404 => Ok(()),
        other => other.map(|_| ()),
    }
}

fn target(world: &World, object: &ObjectRef) -> Answer<Target> {
    Target::find(world, &object.resource.group, &object.resource.plural, &object.namespace, &object.name)
}
