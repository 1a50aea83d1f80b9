//! A stored object: its JSON, the few facts that every request asks for, and its encoded form.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

/// An object at one revision. It never changes; a write stores another one.
#[derive(Debug)]
pub struct Object {
    value: Value,
    namespace: Arc<str>,
    name: Arc<str>,
    uid: Arc<str>,
    revision: u64,
    encoded: OnceLock<Bytes>,
}

impl Object {
    /// Takes over an object whose metadata is complete; the revision is written into it.
    pub(crate) fn new(mut value: Value, revision: u64) -> Self {
        set_metadata(&mut value, "resourceVersion", Value::String(revision.to_string()));
        Self::shown(value, revision)
    }

    /// An object that is only shown, such as the outcome of a dry run: nothing is written into it.
    pub(crate) fn shown(value: Value, revision: u64) -> Self {
        Self {
            namespace: metadata_text(&value, "namespace").into(),
            name: metadata_text(&value, "name").into(),
            uid: metadata_text(&value, "uid").into(),
            value,
            revision,
            encoded: OnceLock::new(),
        }
    }

    /// The whole object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The namespace; empty for a cluster-scoped object.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The revision at which it was written.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether a deletion has begun.
    pub fn is_deleting(&self) -> bool {
        metadata(&self.value, "deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
    }

    /// The labels, if there are any.
    pub fn labels(&self) -> Option<&Map<String, Value>> {
        metadata(&self.value, "labels")?.as_object()
    }

    /// The uids of its owners.
    pub fn owner_uids(&self) -> impl Iterator<Item = &str> {
        owner_references(&self.value).iter().filter_map(|owner| owner.get("uid")?.as_str())
    }

    /// The object as JSON text; encoded once and shared from then on.
    pub fn json(&self) -> Bytes {
        self.encoded.get_or_init(|| Bytes::from(self.value.to_string())).clone()
    }
}

/// One field of `metadata`.
pub fn metadata<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get("metadata")?.get(field)
}

/// A text field of `metadata`; empty where it is missing.
pub fn metadata_text<'a>(value: &'a Value, field: &str) -> &'a str {
    metadata(value, field).and_then(Value::as_str).unwrap_or_default()
}

/// A list field of `metadata`; empty where it is missing.
pub fn metadata_list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    metadata(value, field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The owner references; empty where there are none.
pub fn owner_references(value: &Value) -> &[Value] {
    metadata_list(value, "ownerReferences")
}

/// The metadata to write to; made where it is missing or not an object.
pub fn metadata_mut(value: &mut Value) -> &mut Map<String, Value> {
    child_mut(object_mut(value), "metadata")
}

/// Writes one field of `metadata`.
pub fn set_metadata(value: &mut Value, field: &str, to: Value) {
    metadata_mut(value).insert(field.into(), to);
}

/// Removes one field of `metadata`.
pub fn remove_metadata(value: &mut Value, field: &str) {
    metadata_mut(value).remove(field);
}

/// The value as an object to write to; anything else becomes an empty one.
pub fn object_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("the line above made it an object"),
    }
}

/// A child object to write to; made where it is missing or something else.
pub fn child_mut<'a>(parent: &'a mut Map<String, Value>, field: &str) -> &'a mut Map<String, Value> {
    object_mut(parent.entry(field).or_insert(Value::Null))
}
