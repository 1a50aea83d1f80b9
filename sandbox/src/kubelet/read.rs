//! Reading a pod that is plain JSON. What is absent or of the wrong type reads as empty: the API server has
//! validated the object, and the model must not panic on one that it has not.

use serde_json::Value;

pub(super) fn text<'a>(from: &'a Value, pointer: &str) -> &'a str {
    from.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(from: &'a Value, pointer: &str) -> &'a [Value] {
    from.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn words(from: &Value, pointer: &str) -> Vec<String> {
    list(from, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn whole(from: &Value, pointer: &str) -> Option<i64> {
    from.pointer(pointer).and_then(Value::as_i64)
}

/// The entries of a string map such as `metadata.annotations`, in key order.
pub(super) fn entries<'a>(from: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    from.pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}
