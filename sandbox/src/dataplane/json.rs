//! Reading routing objects, which are plain JSON of many groups and versions.

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    static ABSENT: Value = Value::Null;
    path.iter().try_fold(value, |here, key| here.get(key)).unwrap_or(&ABSENT)
}

pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn labels(value: &Value, path: &[&str]) -> BTreeMap<String, String> {
    at(value, path)
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(super) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}
