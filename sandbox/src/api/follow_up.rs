//! What the server itself keeps in step with certain objects.

use std::sync::Arc;

use jiff::Timestamp;

use super::verbs::Target;
use super::{crd, rbac};
use crate::world::{Object, World};

/// After an object was stored.
pub(crate) fn after_write(
    world: &mut World,
    target: &Target,
    previous: Option<&Object>,
    object: &Arc<Object>,
    now: Timestamp,
) {
    if is_binding(target) {
        if let Some(previous) = previous {
            world.access.bindings.remove(previous);
        }
        world.access.bindings.add(object);
    }
    crd::after_write(world, target, object, now);
}

/// After an object was removed.
pub(crate) fn after_removal(world: &mut World, target: &Target, removed: &Object, now: Timestamp) {
    if is_binding(target) {
        world.access.bindings.remove(removed);
    }
    crd::after_removal(world, target, removed, now);
}

fn is_binding(target: &Target) -> bool {
    target.is(rbac::GROUP, "RoleBinding") || target.is(rbac::GROUP, "ClusterRoleBinding")
}
