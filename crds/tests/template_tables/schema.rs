//! The schema is small, and a real API server takes it.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};
use sluice_crds::template::PodTemplate;

fn schema() -> Value {
    PodTemplate::json_schema(&mut SchemaGenerator::default()).to_value()
}

/// Every object in the schema, with its path.
fn objects(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            found.push((path.to_owned(), value.clone()));
            fields.iter().for_each(|(key, value)| objects(value, &format!("{path}/{key}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, path, found)),
        _ => {}
    }
}

#[test]
fn the_schema_leaves_room_for_everything_else_in_a_crd() {
    let size = schema().to_string().len();
    assert!(size < 12_000, "{size} bytes");
}

#[test]
fn lists_that_two_managers_share_are_merged_by_key() {
    let keys_of = |path: &str| schema().pointer(path).map(|list| list["x-kubernetes-list-map-keys"].clone());
    let spec = "/properties/spec/properties";
    let table = [
        ("containers", json!(["name"])),
        ("initContainers", json!(["name"])),
        ("ephemeralContainers", json!(["name"])),
        ("volumes", json!(["name"])),
        ("resourceClaims", json!(["name"])),
        ("topologySpreadConstraints", json!(["topologyKey", "whenUnsatisfiable"])),
        ("containers/items/properties/env", json!(["name"])),
        ("containers/items/properties/volumeMounts", json!(["mountPath"])),
        ("initContainers/items/properties/volumeDevices", json!(["devicePath"])),
    ];
    for (list, keys) in table {
        assert_eq!(keys_of(&format!("{spec}/{list}")), Some(keys), "{list}");
    }
    assert_eq!(keys_of(&format!("{spec}/containers/items/properties/ports")), None, "ports are replaced as a whole");
}

/// What the API server asks of a CRD's schema, and what we ask of ours.
#[test]
fn every_key_is_required_nothing_is_defaulted_and_nothing_unknown_is_dropped() {
    let mut found = Vec::new();
    objects(&schema(), "", &mut found);
    for (path, object) in found {
        assert!(object.get("default").is_none(), "{path} has a default");
        if object.get("x-kubernetes-list-type") == Some(&json!("map")) {
            assert_eq!(object["items"]["required"], object["x-kubernetes-list-map-keys"], "{path}");
        }
        if object.get("properties").is_some_and(Value::is_object) && object.get("type") == Some(&json!("object")) {
            assert_eq!(object["x-kubernetes-preserve-unknown-fields"], json!(true), "{path}");
        }
    }
}
