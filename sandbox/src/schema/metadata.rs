//! The rules for `metadata`: of every object, and of objects embedded in custom resources.

use serde_json::{Value, json};

use super::field_error::{child, key};
use super::names::{self, complaints};
use super::{Additional, FieldError, Schema, builtin, check_types};

const MAX_ANNOTATION_BYTES: usize = 256 << 10;

/// How names of a kind are formed.
pub type NameCheck = fn(&str) -> Vec<String>;

/// Checks the `metadata` of an object that is to be created.
pub fn validate(meta: &Value, namespaced: bool, name_check: NameCheck) -> Vec<FieldError> {
    at("metadata", meta, namespaced, name_check)
}

fn at(path: &str, meta: &Value, namespaced: bool, name_check: NameCheck) -> Vec<FieldError> {
    let text = |field: &str| meta.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut errors = Vec::new();
    let generate_name = text("generateName");
    if !generate_name.is_empty() {
        // The ending is still to come, so a trailing dash is fine.
        let shown = generate_name.strip_suffix('-').map(|stem| format!("{stem}a"));
        let problems = name_check(shown.as_deref().unwrap_or(generate_name));
        errors.extend(complaints(&child(path, "generateName"), generate_name, problems));
    }
    let name = text("name");
    if name.is_empty() {
        errors.push(FieldError::required(child(path, "name"), "name or generateName is required"));
    } else {
        errors.extend(complaints(&child(path, "name"), name, name_check(name)));
    }
    let namespace = text("namespace");
    let namespace_path = child(path, "namespace");
    match (namespaced, namespace.is_empty()) {
        (true, true) => errors.push(FieldError::required(namespace_path, "")),
        (true, false) => errors.extend(complaints(&namespace_path, namespace, names::dns_label(namespace))),
        (false, false) => errors.push(FieldError::forbidden(namespace_path, "not allowed on this type")),
        (false, true) => {}
    }
    errors.extend(validate_common(path, meta));
    errors
}

fn validate_common(path: &str, meta: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(generation) = meta.get("generation").and_then(Value::as_i64).filter(|g| *g < 0) {
        errors.push(FieldError::invalid(child(path, "generation"), generation, "must be greater than or equal to 0"));
    }
    if let Some(labels) = meta.get("labels") {
        errors.extend(validate_labels(&child(path, "labels"), labels));
    }
    if let Some(annotations) = meta.get("annotations").and_then(Value::as_object) {
        let path = child(path, "annotations");
        let mut size = 0;
        for (name, value) in annotations {
            errors.extend(complaints(&path, name, names::qualified_name(&name.to_lowercase())));
            size += name.len() + value.as_str().map_or(0, str::len);
        }
        if size > MAX_ANNOTATION_BYTES {
            errors.push(FieldError::too_long(path, 262_144));
        }
    }
    if let Some(owners) = meta.get("ownerReferences").and_then(Value::as_array) {
        errors.extend(validate_owners(&child(path, "ownerReferences"), owners));
    }
    if let Some(finalizers) = meta.get("finalizers").and_then(Value::as_array) {
        errors.extend(validate_finalizers(&child(path, "finalizers"), finalizers));
    }
    errors
}

/// Checks a map of labels.
pub fn validate_labels(path: &str, labels: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (name, value) in labels.as_object().into_iter().flatten() {
        errors.extend(complaints(path, name, names::qualified_name(name)));
        let value = value.as_str().unwrap_or_default();
        errors.extend(complaints(path, value, names::label_value(value)));
    }
    errors
}

fn validate_owners(path: &str, owners: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut controllers: Vec<String> = Vec::new();
    for owner in owners {
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        let version = text("apiVersion").rsplit('/').next().unwrap_or_default();
        if version.is_empty() {
            let field = child(path, "apiVersion");
            errors.push(FieldError::invalid(field, text("apiVersion"), "version must not be empty"));
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                errors.push(FieldError::invalid(child(path, field), "", "must not be empty"));
            }
        }
        if text("apiVersion") == "v1" && text("kind") == "Event" {
            errors.push(FieldError::invalid(path, owner.clone(), "/v1, Kind=Event is disallowed from being an owner"));
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            controllers.push(format!("{}/{}", text("kind"), text("name")));
        }
    }
    if let [first, .., last] = controllers.as_slice() {
        errors.push(FieldError::invalid(
            path,
            json!(owners),
            format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {last}"
            ),
        ));
    }
    errors
}

fn validate_finalizers(path: &str, finalizers: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for finalizer in finalizers.iter().filter_map(Value::as_str) {
        errors.extend(complaints(path, finalizer, names::qualified_name(finalizer)));
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        errors.push(FieldError::invalid(
            path,
            json!(finalizers),
            "finalizer orphan and foregroundDeletion cannot be both set",
        ));
    }
    errors
}

/// Checks the `metadata` of an object that replaces `old`.
pub fn validate_update(meta: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let deleting = old.get("deletionTimestamp").is_some_and(|at| !at.is_null());
    if deleting {
        let list = |meta: &Value| meta.get("finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
        let before = list(old);
        let added: Vec<Value> = list(meta).into_iter().filter(|name| !before.contains(name)).collect();
        if !added.is_empty() {
            let shown: Vec<String> = added.iter().map(ToString::to_string).collect();
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    shown.join(", ")
                ),
            ));
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let (now, before) = (meta.get(field), old.get(field));
        // Fields that a client leaves out keep their value.
        if now.is_some_and(|now| !now.is_null() && now != "") && now != before {
            let shown = now.cloned().unwrap_or_default();
            errors.push(FieldError::invalid(child("metadata", field), shown, "field is immutable"));
        }
    }
    errors.extend(validate_common("metadata", meta));
    errors
}

/// Type and metadata of a custom resource, and of the resources embedded in it.
pub(super) fn validate_embedded(schema: &Schema, value: &Value, path: &str, resource: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match value {
        Value::Object(map) => {
            if schema.embedded_resource && !resource {
                embedded(value, path, &mut errors);
            }
            for (name, entry) in map {
                match (schema.properties.get(name), &schema.additional_properties) {
                    (Some(schema), _) => {
                        errors.extend(validate_embedded(schema, entry, &child(path, name), false));
                    }
                    (None, Additional::Of(schema)) => {
                        errors.extend(validate_embedded(schema, entry, &key(path, name), false));
                    }
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items.as_deref() {
                for (i, item) in items.iter().enumerate() {
                    errors.extend(validate_embedded(schema, item, &key(path, i), false));
                }
            }
        }
        _ => {}
    }
    errors
}

fn embedded(value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    for field in ["apiVersion", "kind"] {
        let path = child(path, field);
        match value.get(field) {
            None => errors.push(FieldError::required(path, "")),
            Some(Value::String(text)) if text.is_empty() => {
                errors.push(FieldError::invalid(path, "", "must not be empty"));
            }
            Some(Value::String(text)) if field == "kind" => {
                for problem in names::dns1035_label(&text.to_lowercase()) {
                    let detail = format!("may have mixed case, but should otherwise match: {problem}");
                    errors.push(FieldError::invalid(&path, text.as_str(), detail));
                }
            }
            Some(Value::String(text)) if text.split('/').count() > 2 => {
                let detail = format!("unexpected GroupVersion string: {text}");
                errors.push(FieldError::invalid(path, text.as_str(), detail));
            }
            Some(Value::String(_)) => {}
            Some(other) => errors.push(FieldError::invalid(path, other.clone(), "must be a string")),
        }
    }
    if let Some(meta) = value.get("metadata") {
        let path = child(path, "metadata");
        if let Err(message) = check_types(builtin::object_meta(), meta) {
            errors.push(FieldError::invalid(path, meta.clone(), message));
            return;
        }
        let mut meta = meta.clone();
        // A template needs no name.
        if let Value::Object(map) = &mut meta
            && map.get("name").is_none_or(|name| name == "")
        {
            map.insert("name".into(), "fakename".into());
        }
        let namespaced = meta.get("namespace").is_some_and(|namespace| namespace != "");
        errors.extend(at(&path, &meta, namespaced, names::path_segment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(errors: &[FieldError]) -> Vec<String> {
        errors.iter().map(|error| error.to_string().chars().take(60).collect()).collect()
    }

    #[test]
    fn metadata_is_checked_field_by_field() {
        let good =
            json!({"name": "a.b", "namespace": "default", "labels": {"app": "x"}, "finalizers": ["example.com/f"]});
        assert!(validate(&good, true, names::dns_subdomain).is_empty());
        let bad = json!({
            "generateName": "A-", "labels": {"a b": "c d"}, "annotations": {"A/b/c": ""}, "finalizers": ["orphan", "foregroundDeletion"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}],
        });
        assert_eq!(
            messages(&validate(&bad, true, names::dns_subdomain)),
            [
                "metadata.generateName: Invalid value: \"A-\": a lowercase RFC ",
                "metadata.name: Required value: name or generateName is requi",
                "metadata.namespace: Required value",
                "metadata.labels: Invalid value: \"a b\": name part must consis",
                "metadata.labels: Invalid value: \"c d\": a valid label must be",
                "metadata.annotations: Invalid value: \"A/b/c\": a valid label ",
                "metadata.ownerReferences.uid: Invalid value: \"\": must not be",
                "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDel",
            ]
        );
    }

    #[test]
    fn identity_does_not_change_and_dying_objects_get_no_finalizers() {
        let old = json!({"name": "a", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/a"]});
        let new = json!({"name": "a", "uid": "2", "finalizers": ["x/a", "x/b"]});
        assert_eq!(
            messages(&validate_update(&new, &old)),
            [
                "metadata.finalizers: Forbidden: no new finalizers can be add",
                "metadata.uid: Invalid value: \"2\": field is immutable",
            ]
        );
    }
}
