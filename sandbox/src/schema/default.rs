//! Defaults of a structural schema: absent fields, and nulls where null is not allowed.

use serde_json::{Map, Value};

use super::{Additional, Schema};

/// Fills in the defaults of `schema`. A null that is neither allowed nor has a default is dropped first, as if the
/// client had not sent it. Defaults inside of a default are applied too.
pub fn default(schema: &Schema, value: &mut Value) {
    drop_meaningless_nulls(Some(schema), value);
    fill(schema, value);
}

fn drop_meaningless_nulls(schema: Option<&Schema>, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, entry| {
                let meaningless = entry.is_null()
                    && schema.and_then(|s| s.entry(name)).is_some_and(|s| !s.nullable && s.default.is_none());
                !meaningless
            });
            for (name, entry) in map {
                drop_meaningless_nulls(schema.and_then(|s| s.entry(name)), entry);
            }
        }
        Value::Array(items) => {
            let schema = schema.and_then(|s| s.items.as_deref());
            for item in items {
                drop_meaningless_nulls(schema, item);
            }
        }
        _ => {}
    }
}

fn fill(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(map) => fill_map(schema, map),
        Value::Array(items) => {
            if let Some(schema) = schema.items.as_deref() {
                for item in items {
                    replace_null(schema, item);
                    fill(schema, item);
                }
            }
        }
        _ => {}
    }
}

fn fill_map(schema: &Schema, map: &mut Map<String, Value>) {
    for (name, property) in &schema.properties {
        if let Some(wanted) = &property.default {
            let missing = map.get(name).is_none_or(|now| now.is_null() && !property.nullable);
            if missing {
                map.insert(name.clone(), wanted.clone());
            }
        }
    }
    for (name, entry) in map {
        if let Some(property) = schema.properties.get(name) {
            fill(property, entry);
        } else if let Additional::Of(additional) = &schema.additional_properties {
            replace_null(additional, entry);
            fill(additional, entry);
        }
    }
}

fn replace_null(schema: &Schema, value: &mut Value) {
    if value.is_null()
        && !schema.nullable
        && let Some(wanted) = &schema.default
    {
        *value = wanted.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn absent_fields_and_refused_nulls_get_their_default() {
        let schema = parse(&json!({"type": "object", "properties": {
            "a": {"type": "integer", "default": 1},
            "o": {"type": "object", "default": {}, "properties": {"b": {"type": "string", "default": "x"}}},
            "n": {"type": "string", "nullable": true, "default": "n"},
            "gone": {"type": "string"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"p": {"type": "integer", "default": 80}}}},
            "map": {"type": "object", "additionalProperties": {"type": "integer", "default": 7}},
        }}));
        let rows = [
            (json!({}), json!({"a": 1, "o": {"b": "x"}, "n": "n"})),
            (json!({"a": null, "n": null}), json!({"a": 1, "o": {"b": "x"}, "n": null})),
            (json!({"a": 2, "o": {"b": "y"}, "n": "m", "gone": null}), json!({"a": 2, "o": {"b": "y"}, "n": "m"})),
            (
                json!({"a": 2, "o": {}, "n": "m", "list": [{}, {"p": 1}], "map": {"k": null}}),
                json!({"a": 2, "o": {"b": "x"}, "n": "m", "list": [{"p": 80}, {"p": 1}], "map": {"k": 7}}),
            ),
        ];
        for (mut given, expected) in rows {
            default(&schema, &mut given);
            assert_eq!(given, expected);
        }
    }
}
