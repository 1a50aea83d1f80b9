//! The extensions of Kubernetes: list and map types, and rules.

use serde_json::Value;

use super::super::FieldError;
use super::super::cel::Rule;
use super::super::field_error::{child, key};
use super::{Object, object, parts, text};

const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
/// The types of values that can tell list items apart.
const SCALARS: [&str; 4] = ["string", "integer", "number", "boolean"];

pub(super) fn check(schema: &Object, path: &str, errors: &mut Vec<FieldError>) {
    check_list(schema, path, errors);
    check_map(schema, path, errors);
    check_rules(schema, path, errors);
    for (path, part) in parts(schema, path) {
        check(part, &path, errors);
    }
}

fn check_list(schema: &Object, path: &str, errors: &mut Vec<FieldError>) {
    let (kind, list_type) = (text(schema, "type"), text(schema, "x-kubernetes-list-type"));
    let type_path = child(path, "x-kubernetes-list-type");
    if !list_type.is_empty() {
        if !matches!(list_type, "atomic" | "set" | "map") {
            errors.push(FieldError::not_supported(&type_path, list_type, &["atomic", "set", "map"]));
        }
        if kind != "array" {
            let detail = "must be array if x-kubernetes-list-type is specified";
            errors.push(FieldError::invalid(child(path, "type"), kind, detail));
        }
    }
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    let keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
    let keys_path = child(path, "x-kubernetes-list-map-keys");
    if !keys.is_empty() && list_type != "map" {
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(if list_type.is_empty() {
            FieldError::required(&type_path, detail)
        } else {
            FieldError::invalid(&type_path, list_type, detail)
        });
    }
    match list_type {
        "map" if keys.is_empty() => {
            errors.push(FieldError::required(keys_path, "must not be empty if x-kubernetes-list-type is map"));
        }
        "map" => check_keys(schema, path, &keys, errors),
        "set" => {
            if let Some(items) = object(schema, "items")
                && let Some(error) = not_one_value(items, &child(path, "items"))
            {
                errors.push(error);
            }
        }
        _ => {}
    }
}

/// Items of a set are compared as a whole.
fn not_one_value(items: &Object, path: &str) -> Option<FieldError> {
    let (field, name) = match text(items, "type") {
        "object" => ("x-kubernetes-map-type", "x-kubernetes-map-type"),
        "array" => ("x-kubernetes-list-type", "x-kubernetes-list-type"),
        _ => return None,
    };
    if text(items, name) == "atomic" {
        return None;
    }
    let found = items.get(name).cloned().unwrap_or(Value::Null);
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    Some(FieldError::invalid(child(path, field), found, detail))
}

fn check_keys(schema: &Object, path: &str, keys: &[&str], errors: &mut Vec<FieldError>) {
    let Some(items) = object(schema, "items") else { return };
    let items_path = child(path, "items");
    let named = object(items, "properties");
    let required = items.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all_named = true;
    for name in keys {
        let Some(property) = named.and_then(|named| object(named, name)) else {
            all_named = false;
            continue;
        };
        let property_path = key(&child(&items_path, "properties"), name);
        let kind = text(property, "type");
        if !SCALARS.contains(&kind) {
            let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(child(&property_path, "type"), kind, detail));
        }
        if !property.contains_key("default") && !required.iter().any(|entry| entry == name) {
            let detail =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(child(&property_path, "default"), detail));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (i, name) in keys.iter().enumerate() {
        if !seen.insert(name) {
            let place = key(&child(path, "x-kubernetes-list-map-keys"), i);
            errors.push(FieldError::duplicate(place, *name));
        }
    }
    if !all_named {
        let detail = "entries must all be names of item properties";
        let shown = Value::from(keys.iter().map(|key| Value::from(*key)).collect::<Vec<_>>());
        errors.push(FieldError::invalid(child(path, "x-kubernetes-list-map-keys"), shown, detail));
    }
}

fn check_map(schema: &Object, path: &str, errors: &mut Vec<FieldError>) {
    let map_type = text(schema, "x-kubernetes-map-type");
    if map_type.is_empty() {
        return;
    }
    if !matches!(map_type, "atomic" | "granular") {
        let path = child(path, "x-kubernetes-map-type");
        errors.push(FieldError::not_supported(path, map_type, &["atomic", "granular"]));
    }
    let kind = text(schema, "type");
    if kind != "object" {
        let detail = "must be object if x-kubernetes-map-type is specified";
        errors.push(FieldError::invalid(child(path, "type"), kind, detail));
    }
}

fn check_rules(schema: &Object, path: &str, errors: &mut Vec<FieldError>) {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    for (i, raw) in rules.into_iter().flatten().enumerate() {
        let path = key(&child(path, "x-kubernetes-validations"), i);
        let Some(rule) = Rule::parse(raw) else { continue };
        if rule.text.trim().is_empty() {
            errors.push(FieldError::required(child(&path, "rule"), "rule is not specified"));
        } else if let Some(why) = rule.compile_error() {
            let detail = format!("compilation failed: {why}");
            errors.push(FieldError::invalid(child(&path, "rule"), raw.clone(), detail));
        }
        let message = raw.get("message").and_then(Value::as_str).unwrap_or_default();
        if message.contains('\n') {
            errors.push(FieldError::invalid(child(&path, "message"), message, "must not contain line breaks"));
        }
        if let Some(reason) = rule.reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
            errors.push(FieldError::not_supported(child(&path, "reason"), reason, &REASONS));
        }
        if !rule.field_path.is_empty() && !leads_somewhere(schema, &rule.field_path) {
            errors.push(FieldError::invalid(
                child(&path, "fieldPath"),
                rule.field_path.as_str(),
                "must be a valid path",
            ));
        }
    }
}

/// Whether a path such as `.a.b` or `['a-b']` names a field of the schema.
fn leads_somewhere(schema: &Object, path: &str) -> bool {
    let mut place = schema;
    let mut rest = path;
    while !rest.is_empty() {
        let (name, after) = if let Some(quoted) = rest.strip_prefix("['") {
            match quoted.split_once("']") {
                Some(parts) => parts,
                None => return false,
            }
        } else if let Some(plain) = rest.strip_prefix('.') {
            plain.split_at(plain.find(['.', '[']).unwrap_or(plain.len()))
        } else {
            return false;
        };
        let next = object(place, "properties")
            .and_then(|named| object(named, name))
            .or_else(|| object(place, "additionalProperties"));
        match next {
            Some(next) => place = next,
            None => return false,
        }
        rest = after;
    }
    true
}
