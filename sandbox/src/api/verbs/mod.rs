//! What can be done with objects, on JSON values and free of any wire format.
//!
//! Controllers of the sandbox call these functions directly; [`super::handle`] reads requests and calls them too.

pub mod create;
pub mod delete;
pub mod list;
pub mod patch;
pub mod pod_doors;
pub mod replace;
pub mod scale;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::access::User;
use super::convert;
use super::options::WriteOptions;
use super::registry::{Resource, Version};
use super::status::{Answer, Status};
use crate::clock::rfc3339_seconds;
use crate::world::{Object, World, key_of};

/// Who does something, when, and with which options.
#[derive(Debug, Clone)]
pub struct Call {
    pub user: User,
    pub now: Timestamp,
    pub options: WriteOptions,
    /// What the client is told although its request succeeded.
    pub warnings: Vec<String>,
    /// What a strict reading of the patch itself found, reported together with what it finds in the outcome.
    pub(crate) patch_complaints: Vec<String>,
}

impl Call {
    pub(crate) fn by(user: User, now: Timestamp) -> Self {
        Self { user, now, options: WriteOptions::default(), warnings: Vec::new(), patch_complaints: Vec::new() }
    }

    /// A call of a part of the cluster itself: may do everything; owns the fields that it writes under `manager`.
    pub fn internal(manager: &str, now: Timestamp) -> Self {
        let mut call = Self::by(User::admin(), now);
        manager.clone_into(&mut call.options.field_manager);
        call
    }

    pub(crate) fn timestamp(&self) -> Value {
        Value::String(rfc3339_seconds(self.now))
    }
}

/// What a call is about: a resource in one version and, depending on the verb, a namespace and a name.
#[derive(Debug, Clone)]
pub struct Target {
    pub resource: Arc<Resource>,
    pub version: String,
    pub namespace: String,
    pub name: String,
    /// Empty for the object itself.
    pub subresource: &'static str,
}

impl Target {
    /// A resource that the world serves, at the version in which it is stored.
    pub fn find(world: &World, group: &str, plural: &str, namespace: &str, name: &str) -> Answer<Self> {
        let resource = world.registry.find(group, plural).ok_or_else(Status::no_such_resource)?;
        Ok(Self {
            resource: Arc::clone(resource),
            version: resource.storage_version().to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: "",
        })
    }

    /// The same object through another door, such as `status`.
    #[must_use]
    pub fn subresource(mut self, subresource: &'static str) -> Self {
        self.subresource = subresource;
        self
    }

    pub(crate) fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    pub(crate) fn group(&self) -> &str {
        &self.resource.group
    }

    pub(crate) fn plural(&self) -> &str {
        &self.resource.plural
    }

    pub(crate) fn kind(&self) -> &str {
        &self.resource.kind
    }

    pub(crate) fn api_version(&self) -> String {
        super::registry::api_version(self.group(), &self.version)
    }

    pub(crate) fn version_facts(&self) -> Option<&Version> {
        self.resource.served(&self.version)
    }

    pub(crate) fn is_stored_version(&self) -> bool {
        self.resource.storage_version() == self.version
    }

    /// Whether the group's plain form is meant: `is("apps", "Deployment")`.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.resource.group == group && self.resource.kind == kind
    }

    pub(crate) fn key(&self) -> String {
        key_of(&self.namespace, &self.name)
    }

    /// The stored object, or the refusal that it isn't there.
    pub fn stored(&self, world: &World) -> Answer<Arc<Object>> {
        self.lookup(world).cloned().ok_or_else(|| Status::not_found(self.group(), self.plural(), &self.name))
    }

    pub(crate) fn lookup<'w>(&self, world: &'w World) -> Option<&'w Arc<Object>> {
        world.collection(&self.resource.stored_as)?.get(&self.key())
    }

    /// An object as this target's version shows it.
    pub(crate) fn shown(&self, object: &Arc<Object>) -> Arc<Object> {
        convert::shown(&self.resource, &self.version, object)
    }

    pub(crate) fn invalid(&self, name: &str, errors: &[crate::schema::FieldError]) -> Box<Status> {
        Status::invalid(self.group(), self.kind(), name, errors)
    }
}

/// Reads one object.
pub fn get(world: &World, target: &Target) -> Answer<Arc<Object>> {
    target.stored(world).map(|object| target.shown(&object))
}
