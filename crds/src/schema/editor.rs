//! JSON Schemas for editors and for checkers such as kubeconform: the CRD's schema, made strict.
//!
//! Where the API server silently drops a field that it doesn't know, these call it a mistake.

use serde_json::{Map, Value, json};

use super::{in_order, schema};
use crate::shape::{API_VERSION, CustomKind, GROUP, VERSION};

/// The file of a kind, in the layout `{group}/{kind}_{version}.json` that kubeconform looks for.
pub(super) fn file<K: CustomKind>() -> (String, String) {
    let kind = K::kind(&());
    let path = format!("docs/schema/{GROUP}/{}_{VERSION}.json", kind.to_lowercase());
    let json = serde_json::to_string_pretty(&in_order(&manifest::<K>())).expect("JSON can always be written");
    (path, json + "\n")
}

/// The strict schema of a whole manifest.
fn manifest<K: CustomKind>() -> Value {
    let mut manifest = strict(&schema::<K>());
    manifest["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    manifest["title"] = K::kind(&()).into();
    let properties = &mut manifest["properties"];
    properties["apiVersion"] = json!({ "type": "string", "enum": [API_VERSION] });
    properties["kind"] = json!({ "type": "string", "enum": [K::kind(&())] });
    properties["metadata"] = json!({ "type": "object" });
    manifest["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
    manifest
}

/// A structural schema in plain JSON Schema.
fn strict(schema: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return schema.clone();
    };
    let mut result = Map::new();
    for (keyword, value) in schema {
        let value = match keyword.as_str() {
            "properties" => value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, property)| (name.clone(), strict(property)))
                .collect(),
            "items" | "additionalProperties" => strict(value),
            "x-kubernetes-int-or-string" => {
                result.insert("anyOf".into(), json!([{ "type": "integer" }, { "type": "string" }]));
                continue;
            }
            kubernetes if kubernetes.starts_with("x-kubernetes-") => continue,
            _ => value.clone(),
        };
        result.insert(keyword.clone(), value);
    }
    let is_pruned = schema.get("type") == Some(&"object".into())
        && !schema.contains_key("additionalProperties")
        && !schema.contains_key("x-kubernetes-preserve-unknown-fields");
    if is_pruned {
        result.insert("additionalProperties".into(), false.into());
    }
    Value::Object(result)
}
