//! From the schemas that types describe to structural ones, the only kind that a CRD may carry.
//!
//! No references, no `default`, no alternatives, no `nullable`: the API server drops a null from a field that
//! isn't nullable, which is what somebody who left a value empty meant.

use serde_json::{Map, Value};

use super::mark::REQUIRED;

/// The structural form of a schema.
pub(super) fn structural(schema: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return preserving(Map::new());
    };
    let mut schema = without_null(schema);
    let mut result = Map::new();
    let mut required: Vec<String> = texts(schema.remove("required"));

    if let Some(Value::Object(properties)) = schema.remove("properties") {
        required.extend(
            properties
                .iter()
                .filter(|(_, property)| property.get(REQUIRED) == Some(&Value::Bool(true)))
                .map(|(name, _)| name.clone()),
        );
        let properties = properties.iter().map(|(name, property)| (name.clone(), structural(property))).collect();
        result.insert("properties".into(), Value::Object(properties));
    }
    if !required.is_empty() {
        required.sort();
        required.dedup();
        result.insert("required".into(), required.into());
    }
    for (keyword, value) in schema {
        let value = match keyword.as_str() {
            "items" | "additionalProperties" => structural(&value),
            "description" => flowing(&value),
            "title" | "default" | "$schema" | REQUIRED => continue,
            _ => value,
        };
        result.insert(keyword, value);
    }
    if result.contains_key("type") || result.contains_key("x-kubernetes-int-or-string") {
        Value::Object(result)
    } else {
        preserving(result)
    }
}

/// An optional value is described as "this or null"; what is left is "this", with what was said beside it.
fn without_null(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut schema = schema.clone();
    if let Some(Value::Array(types)) = schema.get("type") {
        let real: Vec<Value> = types.iter().filter(|name| *name != "null").cloned().collect();
        if let [only] = real.as_slice() {
            schema.insert("type".into(), only.clone());
        }
    }
    if let Some(Value::Array(choices)) = schema.get("anyOf") {
        let real: Vec<&Value> =
            choices.iter().filter(|choice| choice.get("type") != Some(&Value::from("null"))).collect();
        if let [Value::Object(only)] = real.as_slice() {
            let mut only = only.clone();
            schema.remove("anyOf");
            // What the field says of itself is nearer to its reader than what its type says.
            only.extend(schema);
            return without_null(&only);
        }
    }
    schema
}

/// A schema that says nothing of the type keeps whatever it is given.
fn preserving(mut schema: Map<String, Value>) -> Value {
    schema.insert("x-kubernetes-preserve-unknown-fields".into(), true.into());
    Value::Object(schema)
}

/// Descriptions come from comments in the source, which are broken into lines there.
fn flowing(description: &Value) -> Value {
    description.as_str().map_or(Value::Null, |text| text.split_whitespace().collect::<Vec<_>>().join(" ").into())
}

fn texts(list: Option<Value>) -> Vec<String> {
    let Some(Value::Array(list)) = list else {
        return Vec::new();
    };
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
