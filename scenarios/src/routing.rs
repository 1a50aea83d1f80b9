//! The objects that a Rollout's traffic is routed by, and that its template is taken from, as the sandbox has them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_planner::{Workload, WorkloadName, WorkloadSeen, Workloads};
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

/// All workloads that a Rollout needs.
pub(crate) fn workloads(world: &World, needs: BTreeSet<WorkloadName>) -> Workloads {
    let seen = |needed: &WorkloadName| {
        let there = world.get(needed.kind.group(), needed.kind.plural(), "default", &needed.name);
        there.map_or(WorkloadSeen::Absent, |there| {
            let read = Workload::from_json(needed.kind, there.value());
            WorkloadSeen::There(Arc::new(read.expect("a workload")))
        })
    };
    needs.into_iter().map(|needed| (needed.clone(), seen(&needed))).collect()
}

/// Ingresses are built in; all else comes with its CRD.
fn is_served(world: &World, group: &str, plural: &str) -> bool {
    let crd = format!("{plural}.{group}");
    plural == "ingresses" || world.get("apiextensions.k8s.io", "customresourcedefinitions", "", &crd).is_some()
}
