//! Lists whose items have an identity: sets, and maps written as lists.

use serde_json::{Map, Value};

use super::super::field_error::{child, key};
use super::super::{Additional, FieldError, ListType, Schema};

/// Each set item and each map key may occur once.
pub(super) fn validate(schema: &Schema, value: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    collect(schema, value, path, &mut errors);
    errors
}

/// The item of the old list that is the same as `item`; only list-maps keep identities.
pub(super) fn same_item<'a>(schema: &Schema, old: &'a Value, item: &Value) -> Option<&'a Value> {
    if schema.list_type != Some(ListType::Map) || schema.list_map_keys.is_empty() {
        return None;
    }
    let wanted = item.as_object()?;
    let mut same = old
        .as_array()?
        .iter()
        .filter(|candidate| schema.list_map_keys.iter().all(|name| candidate.get(name) == wanted.get(name)));
    let found = same.next();
    found.filter(|_| same.next().is_none())
}

fn collect(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(map) => {
            for (name, entry) in map {
                match (schema.properties.get(name), &schema.additional_properties) {
                    (Some(schema), _) => collect(schema, entry, &child(path, name), errors),
                    (None, Additional::Of(schema)) => collect(schema, entry, &key(path, name), errors),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            match schema.list_type {
                Some(ListType::Set) => {
                    for i in second_occurrences(items) {
                        errors.push(FieldError::duplicate(key(path, i), items[i].clone()));
                    }
                }
                Some(ListType::Map) => check_map(schema, items, path, errors),
                Some(ListType::Atomic) | None => {}
            }
            if let Some(schema) = schema.items.as_deref() {
                for (i, item) in items.iter().enumerate() {
                    collect(schema, item, &key(path, i), errors);
                }
            }
        }
        _ => {}
    }
}

fn check_map(schema: &Schema, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    for (i, item) in items.iter().enumerate() {
        if !item.is_object() && !item.is_null() {
            errors.push(FieldError::invalid(
                key(path, i),
                item.clone(),
                "must be an object for an array of list-type map",
            ));
            return;
        }
    }
    let keys: Vec<Value> = items
        .iter()
        .map(|item| {
            let present: Map<String, Value> = schema
                .list_map_keys
                .iter()
                .filter_map(|name| item.get(name).map(|value| (name.clone(), value.clone())))
                .collect();
            Value::Object(present)
        })
        .collect();
    for i in second_occurrences(&keys) {
        errors.push(FieldError::duplicate(key(path, i), keys[i].clone()));
    }
}

/// A value that occurs often is reported once, where it occurs the second time.
fn second_occurrences(items: &[Value]) -> Vec<usize> {
    (1..items.len()).filter(|&i| items[..i].iter().filter(|earlier| **earlier == items[i]).count() == 1).collect()
}
