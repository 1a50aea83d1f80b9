//! A pod template as raw JSON: what this code does not know of it is not lost.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schema;

/// A pod template (`metadata` and `spec` of the pods to be), kept as the JSON that was written.
///
/// Fields of any Kubernetes version survive a round trip, because nothing here is typed. Reading is forgiving: a
/// part of the wrong shape reads as absent, and validation is what tells the user about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PodTemplate(Value);

impl Default for PodTemplate {
    fn default() -> Self {
        Self(Value::Object(Map::new()))
    }
}

impl From<Value> for PodTemplate {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl PodTemplate {
    /// The JSON as it was written.
    pub const fn as_json(&self) -> &Value {
        &self.0
    }

    /// The JSON as it was written, for whoever goes on with it.
    pub fn into_json(self) -> Value {
        self.0
    }

    /// The labels of the pods to be.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.metadata_map("labels")
    }

    /// The annotations of the pods to be.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.metadata_map("annotations")
    }

    /// The value of one label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(key)?.as_str()
    }

    /// The value of one annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(key)?.as_str()
    }

    /// The pod spec, if there is one.
    pub fn spec(&self) -> Option<&Map<String, Value>> {
        self.0.get("spec")?.as_object()
    }

    /// The containers that run, in the order of the manifest.
    pub fn containers(&self) -> impl Iterator<Item = Container<'_>> {
        self.containers_in("containers")
    }

    /// The containers that run before the others.
    pub fn init_containers(&self) -> impl Iterator<Item = Container<'_>> {
        self.containers_in("initContainers")
    }

    /// The container of this name, init containers included.
    pub fn container(&self, name: &str) -> Option<Container<'_>> {
        self.containers().chain(self.init_containers()).find(|container| container.name() == Some(name))
    }

    /// The images of the containers (without init containers), in the order of the manifest.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.containers().filter_map(Container::image)
    }

    /// Gives the container of this name, init containers included, another image. Says whether there is one.
    pub fn set_image(&mut self, container: &str, image: &str) -> bool {
        let Some(spec) = self.0.get_mut("spec").and_then(Value::as_object_mut) else {
            return false;
        };
        let mut found = false;
        for list in ["containers", "initContainers"] {
            let items = spec.get_mut(list).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                if item.get("name").and_then(Value::as_str) == Some(container) {
                    item.insert("image".to_owned(), image.into());
                    found = true;
                }
            }
        }
        found
    }

    /// The template with this label set.
    #[must_use]
    pub fn with_label(mut self, key: &str, value: &str) -> Self {
        self.metadata_map_mut("labels").insert(key.to_owned(), value.into());
        self
    }

    /// The template with this annotation set.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: &str) -> Self {
        self.metadata_map_mut("annotations").insert(key.to_owned(), value.into());
        self
    }

    /// The template without this label.
    #[must_use]
    pub fn without_label(self, key: &str) -> Self {
        self.without("labels", key)
    }

    /// The template without this annotation.
    #[must_use]
    pub fn without_annotation(self, key: &str) -> Self {
        self.without("annotations", key)
    }

    fn metadata(&self) -> Option<&Map<String, Value>> {
        self.0.get("metadata")?.as_object()
    }

    fn metadata_map(&self, name: &str) -> BTreeMap<String, String> {
        let entries = self.metadata().and_then(|metadata| metadata.get(name)).and_then(Value::as_object);
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        entries.into_iter().flatten().filter_map(text).collect()
    }

    fn metadata_map_mut(&mut self, name: &str) -> &mut Map<String, Value> {
        let root = as_object_mut(&mut self.0);
        let metadata = as_object_mut(root.entry("metadata").or_insert(Value::Null));
        as_object_mut(metadata.entry(name).or_insert(Value::Null))
    }

    fn without(mut self, map: &str, key: &str) -> Self {
        let entries = self.0.get_mut("metadata").and_then(|metadata| metadata.get_mut(map));
        if let Some(entries) = entries.and_then(Value::as_object_mut) {
            entries.remove(key);
        }
        self
    }

    fn containers_in(&self, list: &str) -> impl Iterator<Item = Container<'_>> {
        let items = self.spec().and_then(|spec| spec.get(list)).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_object).map(Container)
    }
}

/// The object that stands here; whatever else stood here makes room for an empty one.
fn as_object_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("an object was put here just above"),
    }
}

/// One container of a template.
#[derive(Clone, Copy, PartialEq)]
pub struct Container<'a>(&'a Map<String, Value>);

impl<'a> Container<'a> {
    /// Its name.
    pub fn name(self) -> Option<&'a str> {
        self.0.get("name")?.as_str()
    }

    /// Its image.
    pub fn image(self) -> Option<&'a str> {
        self.0.get("image")?.as_str()
    }

    /// All its fields.
    pub const fn fields(self) -> &'a Map<String, Value> {
        self.0
    }
}

impl fmt::Debug for Container<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Container").field(self.0).finish()
    }
}

impl JsonSchema for PodTemplate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PodTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema::pod_template()
    }
}
