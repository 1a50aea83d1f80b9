//! The objects that a Rollout's traffic is routed by, as the sandbox has them.

use std::sync::Arc;

use sluice_sandbox::World;
use sluice_traffic::{Needs, Objects, Seen};

const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// All that a Rollout's routing needs.
pub(crate) fn objects(world: &World, needs: &Needs) -> Objects {
    let mut found = Objects::default();
    for object in &needs.objects {
        let (group, plural) = (object.kind.group(), object.kind.plural());
        let there = world.get(group, plural, &object.namespace, &object.name);
        let seen = match there {
            Some(there) => Seen::There(Arc::new(there.value().clone())),
            None if is_served(world, group, plural) => Seen::Absent,
            None => Seen::KindAbsent,
        };
        found.insert(object.clone(), seen);
    }
    for namespace in &needs.grants_in {
        let grants = world.list(GATEWAY_GROUP, "referencegrants", namespace);
        found.insert_grants(namespace, grants.iter().map(|grant| Arc::new(grant.value().clone())).collect());
    }
    found
}

/// Ingresses are built in; all else comes with its CRD.
fn is_served(world: &World, group: &str, plural: &str) -> bool {
    let crd = format!("{plural}.{group}");
    plural == "ingresses" || world.get("apiextensions.k8s.io", "customresourcedefinitions", "", &crd).is_some()
}
