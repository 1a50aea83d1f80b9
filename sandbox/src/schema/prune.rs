//! Fields that the schema does not know are dropped, and named for strict field validation.

use serde_json::{Map, Value};

use super::field_error::{child, key};
use super::{Additional, Schema, builtin};

const RESOURCE_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Drops unknown fields and returns their paths, sorted. For whole resources use [`prune_resource`].
pub fn prune(schema: &Schema, value: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    Pruner { dropped: &mut dropped }.node(Some(schema), value, "");
    dropped.sort();
    dropped
}

/// Prunes a custom resource: type and metadata fields are always known at its root, and metadata by its own schema.
pub fn prune_resource(schema: &Schema, value: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    let mut pruner = Pruner { dropped: &mut dropped };
    if let Value::Object(map) = value {
        pruner.object(schema, map, "", true);
    }
    dropped.sort();
    dropped
}

/// The paths that [`prune`] would drop, in the words of strict validation: `unknown field "spec.foo"`.
pub fn unknown_fields(schema: &Schema, value: &Value) -> Vec<String> {
    let dropped = prune(schema, &mut value.clone());
    dropped.iter().map(|path| format!("unknown field \"{path}\"")).collect()
}

struct Pruner<'a> {
    dropped: &'a mut Vec<String>,
}

impl Pruner<'_> {
    fn node(&mut self, schema: Option<&Schema>, value: &mut Value, path: &str) {
        match value {
            Value::Object(map) => match schema {
                Some(schema) => self.object(schema, map, path, schema.embedded_resource),
                None => {
                    self.dropped.extend(map.keys().map(|name| child(path, name)));
                    map.clear();
                }
            },
            Value::Array(items) => {
                if let Some(schema) = schema.filter(|s| s.preserve_unknown_fields) {
                    self.preserved_items(schema, items, path);
                    return;
                }
                let schema = schema.and_then(|s| s.items.as_deref());
                for (i, item) in items.iter_mut().enumerate() {
                    self.node(schema, item, &key(path, i));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, schema: &Schema, map: &mut Map<String, Value>, path: &str, resource: bool) {
        let mut unknown = Vec::new();
        for (name, entry) in map.iter_mut() {
            let entry_path = child(path, name);
            if resource && RESOURCE_FIELDS.contains(&name.as_str()) {
                if name == "metadata" {
                    self.node(Some(builtin::object_meta()), entry, &entry_path);
                }
            } else if let Some(property) = schema.properties.get(name) {
                self.node(Some(property), entry, &entry_path);
            } else {
                match &schema.additional_properties {
                    Additional::Of(additional) => self.node(Some(additional), entry, &entry_path),
                    // `true` says nothing about what is inside, and unspecified fields are pruned.
                    Additional::Anything => self.node(None, entry, &entry_path),
                    _ if schema.preserve_unknown_fields => {}
                    _ => unknown.push(name.clone()),
                }
            }
        }
        for name in unknown {
            map.remove(&name);
            self.dropped.push(child(path, &name));
        }
    }

    /// Inside of a preserving list only what is specified is pruned.
    fn preserved_items(&mut self, schema: &Schema, items: &mut [Value], path: &str) {
        if let Some(schema) = schema.items.as_deref() {
            for (i, item) in items.iter_mut().enumerate() {
                let item_path = key(path, i);
                match item {
                    Value::Object(map) => {
                        let mut preserving = schema.clone();
                        preserving.preserve_unknown_fields = true;
                        self.object(&preserving, map, &item_path, schema.embedded_resource);
                    }
                    Value::Array(inner) => self.preserved_items(schema, inner, &item_path),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let schema = parse(&json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "a": {"type": "string"},
                "list": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "string"}}}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"y": {"type": "string"}}}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                         "properties": {"known": {"type": "object", "properties": {"z": {"type": "string"}}}}},
                "template": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
            }},
        }}));
        let mut given = json!({
            "apiVersion": "v1", "kind": "K", "metadata": {"name": "n", "foo": 1},
            "spec": {
                "a": "1", "b": 2,
                "list": [{"x": "1", "q": 1}],
                "map": {"k": {"y": "1", "q": 1}},
                "free": {"any": {"thing": 1}, "known": {"z": "1", "q": 1}},
                "template": {"apiVersion": "v1", "metadata": {"name": "m"}, "other": 1, "spec": {"q": 1}},
            },
            "extra": true,
        });
        let dropped = prune_resource(&schema, &mut given);
        assert_eq!(
            dropped,
            [
                "extra",
                "metadata.foo",
                "spec.b",
                "spec.free.known.q",
                "spec.list[0].q",
                "spec.map.k.q",
                "spec.template.other",
                "spec.template.spec.q",
            ]
        );
        assert_eq!(
            given,
            json!({
                "apiVersion": "v1", "kind": "K", "metadata": {"name": "n"},
                "spec": {
                    "a": "1",
                    "list": [{"x": "1"}],
                    "map": {"k": {"y": "1"}},
                    "free": {"any": {"thing": 1}, "known": {"z": "1"}},
                    "template": {"apiVersion": "v1", "metadata": {"name": "m"}, "spec": {}},
                },
            })
        );
    }

    #[test]
    fn strict_validation_names_each_unknown_field() {
        let schema = parse(&json!({"type": "object", "properties": {"spec": {"type": "object"}}}));
        assert_eq!(
            unknown_fields(&schema, &json!({"spec": {"foo": 1}, "bar": 2})),
            [r#"unknown field "bar""#, r#"unknown field "spec.foo""#]
        );
    }
}
