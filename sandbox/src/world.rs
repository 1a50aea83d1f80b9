//! The state of a whole cluster: every object, every change, the resources that are served, who may do what.

mod collection;
mod object;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use self::collection::{Change, ChangeKind, Collection, Compacted, key_of};
pub use self::object::{
    Object, child_mut, metadata, metadata_list, metadata_mut, metadata_text, object_mut, owner_references,
    remove_metadata, set_metadata,
};
use crate::api::access::{Access, User};
use crate::api::registry::Registry;
use crate::random::Random;

/// How many changes a resource's log keeps before a watch has to start over.
const LOG_CAPACITY: usize = 16_384;

/// A resource as it is stored: `apps/deployments`, and the same for every version that is served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceKey {
    pub group: Arc<str>,
    pub plural: Arc<str>,
}

impl ResourceKey {
    pub fn new(group: &str, plural: &str) -> Self {
        Self { group: group.into(), plural: plural.into() }
    }
}

/// Where an object lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    pub resource: ResourceKey,
    pub namespace: String,
    pub name: String,
}

/// The cluster. A clone is a fork: both go on independently from the same state.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) registry: Registry,
    pub(crate) access: Access,
    collections: BTreeMap<ResourceKey, Collection>,
    dependents: BTreeMap<Arc<str>, BTreeSet<ObjectRef>>,
    revision: u64,
    random: Random,
    log_capacity: usize,
}

impl World {
    /// An empty cluster that serves the built-in kinds. The seed decides uids and generated names.
    pub fn new(seed: u64) -> Self {
        Self {
            registry: Registry::built_in(),
            access: Access::default(),
            collections: BTreeMap::new(),
            dependents: BTreeMap::new(),
            revision: 1,
            random: Random::seeded(seed),
            log_capacity: LOG_CAPACITY,
        }
    }

    /// Keeps only so many changes per resource, so that a test can see `410 Gone` early.
    #[must_use]
    pub fn with_log_capacity(mut self, changes: usize) -> Self {
        self.log_capacity = changes;
        self
    }

    /// From now on this token proves that user.
    pub fn add_token(&mut self, token: &str, user: User) {
        self.access.add_token(token, user);
    }

    /// The cluster's current revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The generator behind uids and names.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// One object of a stored resource (`group`, `plural`); the namespace is empty for cluster-scoped ones.
    pub fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.collection(&ResourceKey::new(group, plural))?.get(&key_of(namespace, name))
    }

    /// All objects of a stored resource in a namespace, or in all namespaces for an empty name.
    pub fn list(&self, group: &str, plural: &str, namespace: &str) -> Vec<Arc<Object>> {
        self.collection(&ResourceKey::new(group, plural))
            .map(|collection| collection.in_namespace(namespace).cloned().collect())
            .unwrap_or_default()
    }

    /// The objects that name this uid as an owner.
    pub fn dependents_of(&self, uid: &str) -> impl Iterator<Item = &ObjectRef> {
        self.dependents.get(uid).into_iter().flatten()
    }

    /// Every resource that holds objects or has held some.
    pub fn stored_resources(&self) -> impl Iterator<Item = &ResourceKey> {
        self.collections.keys()
    }

    /// The objects and the log of one resource.
    pub fn collection(&self, resource: &ResourceKey) -> Option<&Collection> {
        self.collections.get(resource)
    }

    /// Forgets what happened up to a revision: older watches and lists answer 410 from now on.
    pub fn compact(&mut self, revision: u64) {
        let revision = revision.min(self.revision);
        for collection in self.collections.values_mut() {
            collection.compact(revision);
        }
    }

    /// Stores a new state of an object and returns it with its revision.
    pub(crate) fn put(&mut self, resource: &ResourceKey, value: Value) -> Arc<Object> {
        self.revision += 1;
        let object = Arc::new(Object::new(value, self.revision));
        let key = key_of(object.namespace(), object.name());
        let collection = self.collections.entry(resource.clone()).or_default();
        let previous = collection.put(&key, &object);
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        collection.record(
            Change { revision: self.revision, kind, object: Arc::clone(&object), previous: previous.clone() },
            self.log_capacity,
        );
        if previous.as_ref().is_none_or(|old| !old.owner_uids().eq(object.owner_uids())) {
            if let Some(old) = &previous {
                self.unindex(resource, old);
            }
            self.index(resource, &object);
        }
        object
    }

    /// Removes an object; returns its last state, stamped with the revision of the removal.
    pub(crate) fn remove(&mut self, resource: &ResourceKey, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let collection = self.collections.get_mut(resource)?;
        let previous = collection.remove(&key_of(namespace, name))?;
        self.revision += 1;
        let object = Arc::new(Object::new(previous.value().clone(), self.revision));
        collection.record(
            Change {
                revision: self.revision,
                kind: ChangeKind::Deleted,
                object: Arc::clone(&object),
                previous: Some(Arc::clone(&previous)),
            },
            self.log_capacity,
        );
        self.unindex(resource, &previous);
        Some(object)
    }

    fn index(&mut self, resource: &ResourceKey, object: &Object) {
        for uid in object.owner_uids() {
            let at = ObjectRef {
                resource: resource.clone(),
                namespace: object.namespace().into(),
                name: object.name().into(),
            };
            self.dependents.entry(uid.into()).or_default().insert(at);
        }
    }

    fn unindex(&mut self, resource: &ResourceKey, object: &Object) {
        for uid in object.owner_uids() {
            let at = ObjectRef {
                resource: resource.clone(),
                namespace: object.namespace().into(),
                name: object.name().into(),
            };
            if let Some(dependents) = self.dependents.get_mut(uid) {
                dependents.remove(&at);
                if dependents.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
    }
}
