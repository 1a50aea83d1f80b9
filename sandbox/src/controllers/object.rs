//! Reading and changing the few fields of a JSON object that every controller needs.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// `object.a.b.c` for a dotted path of plain keys.
pub(super) fn at<'a>(object: &'a Value, path: &[&str]) -> &'a Value {
    static ABSENT: Value = Value::Null;
    path.iter().try_fold(object, |value, key| value.get(key)).unwrap_or(&ABSENT)
}

pub(super) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).as_str().unwrap_or_default()
}

pub(super) fn count(object: &Value, path: &[&str]) -> i64 {
    at(object, path).as_i64().unwrap_or(0)
}

pub(super) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

pub(super) fn generation(object: &Value) -> i64 {
    count(object, &["metadata", "generation"])
}

pub(super) fn is_being_deleted(object: &Value) -> bool {
    !at(object, &["metadata", "deletionTimestamp"]).is_null()
}

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, &["metadata", "annotations", key]).as_str()
}

pub(super) fn moment(object: &Value, path: &[&str]) -> Option<Timestamp> {
    at(object, path).as_str().and_then(|text| text.parse().ok())
}

pub(super) fn created_at(object: &Value) -> Timestamp {
    moment(object, &["metadata", "creationTimestamp"]).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time as the API writes it: whole seconds, UTC.
pub(super) fn stamp(at: Timestamp) -> Value {
    Value::String(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Sets `object.a.b.c`, making the maps on the way.
pub(super) fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut here = object;
    for key in parents {
        here = make_map(here).entry(*key).or_insert_with(|| json!({}));
    }
    make_map(here).insert((*last).to_owned(), value);
}

fn make_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made a map one line above"),
    }
}

/// The owner reference by which a controller claims what it makes.
pub(super) fn controller_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": text(owner, &["apiVersion"]),
        "kind": text(owner, &["kind"]),
        "name": name(owner),
        "uid": uid(owner),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The uid of the controller that owns this object.
pub(super) fn controller_uid(object: &Value) -> Option<&str> {
    at(object, &["metadata", "ownerReferences"])
        .as_array()?
        .iter()
        .find(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        .map(|owner| text(owner, &["uid"]))
}

pub(super) fn condition<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| text(condition, &["type"]) == kind)
}

/// Whether the conditions of this object say `True` for `kind`.
pub(super) fn condition_is_true(object: &Value, kind: &str) -> bool {
    at(object, &["status", "conditions"])
        .as_array()
        .and_then(|all| condition(all, kind))
        .is_some_and(|condition| text(condition, &["status"]) == "True")
}
