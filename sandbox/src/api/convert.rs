//! Showing stored objects in another version, and bringing objects into the stored one.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::registry::{Resource, api_version};
use crate::world::{Object, object_mut};

/// The object as one version of its resource shows it; shared where nothing has to change.
pub(crate) fn shown(resource: &Resource, version: &str, object: &Arc<Object>) -> Arc<Object> {
    let wanted = api_version(&resource.group, version);
    if object.value().get("apiVersion").and_then(Value::as_str) == Some(wanted.as_str()) {
        return Arc::clone(object);
    }
    let mut value = object.value().clone();
    if shares_events(resource) {
        value = rename(&value, |field| EVENT_FIELDS.iter().find(|(core, _)| *core == field).map(|(_, newer)| *newer));
    }
    object_mut(&mut value).insert("apiVersion".into(), json!(wanted));
    Arc::new(Object::shown(value, object.revision()))
}

/// The object as it is stored.
pub(crate) fn stored(resource: &Resource, mut value: Value) -> Value {
    let mut wanted = resource.storage_api_version();
    if shares_events(resource) {
        value = rename(&value, |field| EVENT_FIELDS.iter().find(|(_, newer)| *newer == field).map(|(core, _)| *core));
        wanted = "v1".to_owned();
    }
    object_mut(&mut value).insert("apiVersion".into(), json!(wanted));
    value
}

fn shares_events(resource: &Resource) -> bool {
    resource.group == "events.k8s.io" && !resource.rules.custom
}

/// Fields of a core Event, and what `events.k8s.io` calls them.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn rename(value: &Value, new_name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let fields = value.as_object().into_iter().flatten();
    let renamed: Map<String, Value> =
        fields.map(|(field, inner)| (new_name(field).unwrap_or(field).to_owned(), inner.clone())).collect();
    Value::Object(renamed)
}
