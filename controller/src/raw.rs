//! An object as it came over the wire: no shape of it is wrong, so no single object can stop a watch.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Any object, with as much of its metadata as a watch needs.
///
/// A list arrives in pages, and all of a page waits while its objects are taken in one by one: as text, because trees
/// take ten times the room and would leave holes between what is kept.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    metadata: ObjectMeta,
    text: Box<str>,
}

impl Raw {
    /// The object as it came, without what nobody reads.
    pub(crate) fn json(&self) -> Value {
        // What was written from a value is read back as that value.
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        // Who wrote which field is read of Rollouts only; of others, who wrote at all. (Items of a list name their kind
        // where it is no built-in one.)
        if json["kind"] != "Rollout"
            && let Some(managers) = json.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut)
        {
            managers.iter_mut().filter_map(Value::as_object_mut).for_each(|manager| drop(manager.remove("fieldsV1")));
        }
        let text = |field: &str| json["metadata"][field].as_str().map(str::to_owned);
        let metadata = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, text: json.to_string().into() })
    }
}

impl kube::Resource for Raw {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }
    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }
    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }
    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
