//! What a write is judged by.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sluice_sandbox::World;
use sluice_sandbox::world::Object;

/// What is stored when a write arrives; of what only the cluster decides, what its writer could know.
///
/// Sizes, selectors and weights are ours: a write that rests on others than those that are stored must fail. Whether a
/// pod is ready is not: nobody can keep one from failing between a look and a write.
#[derive(Clone, Copy)]
pub struct Scene<'s> {
    world: &'s World,
    seen: Option<&'s Seen>,
}

/// What a writer saw of pods.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// ReplicaSets by their uid.
    pub replica_sets: BTreeMap<String, Arc<Object>>,
    /// All pods.
    pub pods: Vec<Arc<Object>>,
}

impl<'s> Scene<'s> {
    /// The writer sees everything at once.
    pub const fn of(world: &'s World) -> Self {
        Self { world, seen: None }
    }

    /// The writer has seen this.
    pub const fn as_seen(world: &'s World, seen: &'s Seen) -> Self {
        Self { world, seen: Some(seen) }
    }

    pub(super) fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<&'s Arc<Object>> {
        self.world.get(group, plural, namespace, name)
    }

    pub(super) fn list(&self, group: &str, plural: &str, namespace: &str) -> Vec<Arc<Object>> {
        self.world.list(group, plural, namespace)
    }

    pub(super) fn pods(&self) -> Vec<Arc<Object>> {
        self.seen.map_or_else(|| self.list("", "pods", "default"), |seen| seen.pods.clone())
    }

    /// The status of a ReplicaSet.
    pub(super) fn counts<'o>(&self, set: &'o Object) -> &'o Value
    where
        's: 'o,
    {
        let seen = self.seen.and_then(|seen| seen.replica_sets.get(set.uid()));
        &seen.map_or(set.value(), |seen| seen.value())["status"]
    }
}
