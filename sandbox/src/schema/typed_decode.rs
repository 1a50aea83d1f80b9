//! A real server decodes built-in kinds into typed structures before it looks at them; a value of the wrong type is
//! refused there, in the words of Go's JSON decoder.

use serde_json::{Number, Value};

use super::quantity::Quantity;
use super::{Additional, Schema, Type, field_error::child};

/// The first complaint about a value that does not fit a built-in type.
pub fn check_types(schema: &Schema, value: &Value) -> Result<(), String> {
    let mut found = Found::default();
    found.node(schema, value, &Place { parent: "", path: String::new() });
    match found.aborting.or(found.mismatch) {
        Some(message) => Err(message),
        None => Ok(()),
    }
}

/// Where a value stands: the structure that holds it, and the names that lead there.
struct Place<'a> {
    parent: &'a str,
    path: String,
}

#[derive(Default)]
struct Found {
    /// A value that its own type refuses stops the decoder at once.
    aborting: Option<String>,
    /// A plain mismatch is remembered while decoding goes on.
    mismatch: Option<String>,
}

impl Found {
    fn node(&mut self, schema: &Schema, value: &Value, place: &Place<'_>) {
        if value.is_null() || schema.preserve_unknown_fields {
            return;
        }
        if schema.type_name.ends_with(".Quantity") {
            return self.quantity(value);
        }
        if schema.int_or_string {
            return self.int_or_string(value, place);
        }
        match (schema.types, value) {
            (Some(Type::Object), Value::Object(map)) => {
                for (name, entry) in map {
                    if let Some(property) = schema.properties.get(name) {
                        let parent = short_name(&schema.type_name);
                        self.node(property, entry, &Place { parent, path: child(&place.path, name) });
                    } else if let Additional::Of(additional) = &schema.additional_properties {
                        let here = Place { parent: place.parent, path: place.path.clone() };
                        self.node(additional, entry, &here);
                    }
                }
            }
            (Some(Type::Array), Value::Array(items)) => {
                if let Some(item_schema) = schema.items.as_deref() {
                    for item in items {
                        self.node(item_schema, item, place);
                    }
                }
            }
            (Some(Type::String), Value::String(text)) => self.formatted(schema, text),
            (Some(Type::Boolean), Value::Bool(_)) | (Some(Type::Number), Value::Number(_)) | (None, _) => {}
            (Some(Type::Integer), Value::Number(number)) => {
                let fits = match schema.format.as_str() {
                    "int32" => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                    _ => number.is_i64(),
                };
                if !fits {
                    self.mismatched(&format!("number {}", literal(number)), &go_type(schema), place);
                }
            }
            (Some(_), value) => self.mismatched(kind_of(value), &go_type(schema), place),
        }
    }

    fn mismatched(&mut self, found: &str, wanted: &str, place: &Place<'_>) {
        let target = if place.path.is_empty() {
            format!("value of type {wanted}")
        } else {
            format!("struct field {}.{} of type {wanted}", place.parent, place.path)
        };
        self.mismatch.get_or_insert_with(|| format!("json: cannot unmarshal {found} into Go {target}"));
    }

    fn abort(&mut self, message: String) {
        self.aborting.get_or_insert(message);
    }

    fn quantity(&mut self, value: &Value) {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if Quantity::parse(&text).is_none() && !text.is_empty() {
            self.abort(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".into(),
            );
        }
    }

    fn int_or_string(&mut self, value: &Value, place: &Place<'_>) {
        match value {
            Value::String(_) => {}
            Value::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
            Value::Number(number) => self.mismatched(&format!("number {}", literal(number)), "int32", place),
            other => self.mismatched(kind_of(other), "int32", place),
        }
    }

    fn formatted(&mut self, schema: &Schema, text: &str) {
        match schema.format.as_str() {
            "date-time" if text.parse::<jiff::Timestamp>().is_err() => {
                let layout = if schema.type_name.ends_with(".MicroTime") {
                    "2006-01-02T15:04:05.000000Z07:00"
                } else {
                    "2006-01-02T15:04:05Z07:00"
                };
                self.abort(format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\""));
            }
            "byte" => {
                if let Some(at) = base64_error(text) {
                    self.abort(format!("illegal base64 data at input byte {at}"));
                }
            }
            _ => {}
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    }
}

fn literal(number: &Number) -> String {
    number.to_string()
}

fn short_name(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or(type_name)
}

/// The Go type of a schema node, as far as the schema tells.
fn go_type(schema: &Schema) -> String {
    let of = |child: &Schema| if child.int_or_string { "intstr.IntOrString".into() } else { go_type(child) };
    match schema.types {
        Some(Type::String) if schema.type_name.ends_with("Time") => "string".into(),
        Some(Type::String) => "string".into(),
        Some(Type::Boolean) => "bool".into(),
        Some(Type::Integer) => {
            if schema.format.is_empty() {
                "int".into()
            } else {
                schema.format.clone()
            }
        }
        Some(Type::Number) => "float64".into(),
        Some(Type::Array) => format!("[]{}", schema.items.as_deref().map_or("interface {}".into(), of)),
        Some(Type::Object) if schema.properties.is_empty() => match &schema.additional_properties {
            Additional::Of(child) => format!("map[string]{}", of(child)),
            _ => schema.type_name.clone(),
        },
        Some(Type::Object) => schema.type_name.clone(),
        None => "interface {}".into(),
    }
}

/// The first byte that is no padded standard base64.
fn base64_error(text: &str) -> Option<usize> {
    let body = text.trim_end_matches('=');
    let bad = body.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')));
    let padding = text.len() - body.len();
    match bad {
        Some(at) => Some(at),
        None if padding > 2 => Some(body.len() + 2),
        None if !text.len().is_multiple_of(4) => Some(text.len() - text.len() % 4),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::builtin_schema;
    use super::*;

    #[test]
    fn wrong_types_are_refused_in_the_words_of_the_go_decoder() {
        let container = |fields: Value| json!({"spec": {"template": {"spec": {"containers": [fields]}}}});
        let rows = [
            (
                json!({"spec": {"replicas": "x"}}),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"spec": {"replicas": 1.5}}),
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"spec": {"replicas": 3_000_000_000_i64}}),
                "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                json!({"metadata": {"labels": {"a": 1}}}),
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                container(json!({"ports": [{"containerPort": "x"}]})),
                "json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32",
            ),
            (
                json!({"spec": {"template": {"spec": {"containers": {}}}}}),
                "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
            ),
            (
                container(json!({"env": [{"value": 1}], "resources": {"limits": {"cpu": "1x"}}})),
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            (
                json!({"spec": []}),
                "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
            ),
            (
                json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": true}}}}),
                "json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
            ),
            (
                json!({"metadata": {"creationTimestamp": "x"}}),
                "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"",
            ),
        ];
        let deployment = builtin_schema("apps/v1", "Deployment").expect("known");
        for (value, expected) in rows {
            assert_eq!(check_types(deployment, &value), Err(expected.into()), "{value}");
        }
        assert_eq!(check_types(deployment, &json!({"spec": {"replicas": null}})), Ok(()));
        let secret = builtin_schema("v1", "Secret").expect("known");
        assert_eq!(
            check_types(secret, &json!({"data": {"a": "***"}})),
            Err("illegal base64 data at input byte 0".into())
        );
    }
}
