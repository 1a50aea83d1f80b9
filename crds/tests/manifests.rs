//! Manifests as users have them are read, and written as they were.

mod common;

use std::collections::BTreeSet;

use common::{Manifest, manifests, typed};
use serde_json::Value;
use sluice_crds::schema::crds;

#[test]
fn what_a_user_wrote_survives_reading_and_writing() {
    for manifest in manifests() {
        let written = typed(&manifest.json).unwrap_or_else(|error| panic!("{manifest}: {error}"));
        assert_eq!(written, manifest.json, "{manifest}");
    }
}

#[test]
fn the_manifests_of_these_tests_use_every_field() {
    let mut unused: BTreeSet<String> = crds().iter().flat_map(leaves).collect();
    for manifest in manifests() {
        let schema = common::schema_of(&manifest.kind());
        for path in used(&manifest.json, &schema, &manifest.kind()) {
            unused.remove(&path);
        }
    }
    assert!(unused.is_empty(), "no manifest uses {unused:#?}");
}

#[test]
fn no_manifest_has_a_field_that_the_api_server_would_drop() {
    for manifest in manifests() {
        let dropped = dropped(&manifest);
        assert!(dropped.is_empty(), "{manifest}: {dropped:?}");
    }
}

/// Paths of all leaves of a CRD's schema.
fn leaves(crd: &Value) -> Vec<String> {
    let kind = crd["spec"]["names"]["kind"].as_str().expect("a kind");
    let mut found = Vec::new();
    leaves_below(&common::schema_of(kind), kind, &mut found);
    found
}

fn leaves_below(schema: &Value, path: &str, found: &mut Vec<String>) {
    match Inside::of(schema) {
        Inside::Fields(fields) => {
            for (name, field) in fields {
                leaves_below(field, &format!("{path}.{name}"), found);
            }
        }
        Inside::Items(items) => leaves_below(items, &format!("{path}[]"), found),
        Inside::Values(values) => leaves_below(values, &format!("{path}{{}}"), found),
        Inside::Nothing => found.push(path.to_owned()),
    }
}

/// What a schema says is inside of a value.
enum Inside<'a> {
    Fields(&'a serde_json::Map<String, Value>),
    Items(&'a Value),
    Values(&'a Value),
    Nothing,
}

impl<'a> Inside<'a> {
    fn of(schema: &'a Value) -> Self {
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            return Self::Nothing;
        }
        match (schema["properties"].as_object(), schema.get("items"), schema.get("additionalProperties")) {
            (Some(fields), ..) => Self::Fields(fields),
            (_, Some(items), _) => Self::Items(items),
            (.., Some(values)) => Self::Values(values),
            _ => Self::Nothing,
        }
    }
}

/// Paths of all leaves of a schema that a value has something at.
fn used(value: &Value, schema: &Value, path: &str) -> Vec<String> {
    match (Inside::of(schema), value) {
        (Inside::Fields(fields), Value::Object(entries)) => entries
            .iter()
            .filter_map(|(name, entry)| Some((name, entry, fields.get(name)?)))
            .flat_map(|(name, entry, field)| used(entry, field, &format!("{path}.{name}")))
            .collect(),
        (Inside::Items(items), Value::Array(entries)) => {
            entries.iter().flat_map(|entry| used(entry, items, &format!("{path}[]"))).collect()
        }
        (Inside::Values(values), Value::Object(entries)) => {
            entries.values().flat_map(|entry| used(entry, values, &format!("{path}{{}}"))).collect()
        }
        (Inside::Nothing, _) => vec![path.to_owned()],
        (_, other) => panic!("{path} is {other}"),
    }
}

/// Paths of fields that the schema doesn't know.
fn dropped(manifest: &Manifest) -> Vec<String> {
    fn below(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
        match (Inside::of(schema), value) {
            (Inside::Fields(fields), Value::Object(entries)) => {
                for (name, entry) in entries {
                    let path = format!("{path}.{name}");
                    match fields.get(name) {
                        Some(field) => below(entry, field, &path, found),
                        None => found.push(path),
                    }
                }
            }
            (Inside::Items(items), Value::Array(entries)) => {
                for entry in entries {
                    below(entry, items, &format!("{path}[]"), found);
                }
            }
            _ => {}
        }
    }
    let mut body = manifest.json.clone();
    for outer in ["apiVersion", "kind", "metadata"] {
        body.as_object_mut().expect("an object").remove(outer);
    }
    let mut found = Vec::new();
    below(&body, &common::schema_of(&manifest.kind()), "", &mut found);
    found
}
