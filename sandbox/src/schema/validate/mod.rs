//! Does a value fit its schema? Same findings, same words as a real API server.

mod composite;
mod formats;
mod lists;
mod scalars;

use serde_json::{Map, Value};

use super::cel::{self, Budget};
use super::field_error::{child, key};
use super::{Additional, FieldError, Reason, Schema, Type, metadata};

/// Types, bounds, patterns, required fields, list keys and rules of `value`. With `old`, parts of the value that
/// did not change are not held against it (ratcheting), and rules may speak of `oldSelf`.
pub fn validate(schema: &Schema, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    check(schema, value, old, false)
}

/// The same for a whole custom resource, whose type and metadata are part of the check.
pub fn validate_resource(schema: &Schema, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    check(schema, value, old, true)
}

fn check(schema: &Schema, value: &Value, old: Option<&Value>, resource: bool) -> Vec<FieldError> {
    let mut errors = node(schema, value, old, "").errors;
    errors.extend(metadata::validate_embedded(schema, value, "", resource));
    // Lists that were already ambiguous stay acceptable: there is no way to tell which entries are new.
    if old.is_none_or(|old| lists::validate(schema, old, "").is_empty()) {
        errors.extend(lists::validate(schema, value, ""));
    }
    if !cel::has_rules(schema) {
        return errors;
    }
    if errors.iter().any(blocks_rules) {
        errors.push(FieldError::invalid(
            "",
            Value::Null,
            "some validation rules were not checked because the object was invalid; \
             correct the existing errors to complete validation",
        ));
    } else {
        errors.extend(cel::validate(schema, value, old, &mut Budget::per_object()));
    }
    errors
}

fn blocks_rules(error: &FieldError) -> bool {
    matches!(
        error.reason,
        Reason::NotSupported | Reason::Required | Reason::TooLong | Reason::TooMany | Reason::TypeInvalid
    )
}

/// What one node's checks found. `matches` ranks the failed alternatives of `anyOf` and `oneOf`: the one that
/// passed most checks is the one that was meant.
#[derive(Debug, Default)]
struct Outcome {
    errors: Vec<FieldError>,
    matches: u32,
}

impl Outcome {
    fn merge(&mut self, other: Outcome) {
        self.errors.extend(other.errors);
        self.matches += other.matches;
    }

    fn passed(&mut self) {
        self.matches += 1;
    }
}

fn node(schema: &Schema, value: &Value, old: Option<&Value>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    check_type(schema, value, path, &mut outcome);
    if !value.is_null() {
        composite::check(schema, value, old, path, &mut outcome);
    }
    match value {
        Value::String(text) => scalars::check_string(schema, text, path, &mut outcome),
        Value::Number(number) => scalars::check_number(schema, number, path, &mut outcome),
        Value::Array(items) => check_array(schema, items, old, path, &mut outcome),
        Value::Object(map) => check_object(schema, map, old, path, &mut outcome),
        Value::Null | Value::Bool(_) => {}
    }
    scalars::check_enumeration(schema, value, path, &mut outcome);
    outcome.passed();
    // Only the path that the client changed is held against it.
    if old == Some(value) {
        outcome.errors.clear();
    }
    outcome
}

fn check_type(schema: &Schema, value: &Value, path: &str, outcome: &mut Outcome) {
    outcome.passed();
    if schema.types.is_none() && !schema.int_or_string {
        return;
    }
    let (found, fits) = match value {
        Value::Null => ("null", schema.nullable),
        Value::Bool(_) => ("boolean", schema.accepts(Type::Boolean)),
        Value::String(_) => ("string", schema.accepts(Type::String)),
        Value::Array(_) => ("array", schema.accepts(Type::Array)),
        Value::Object(_) => ("object", schema.accepts(Type::Object)),
        Value::Number(number) if scalars::is_whole(number) => {
            ("integer", schema.accepts(Type::Integer) || schema.accepts(Type::Number))
        }
        Value::Number(_) => ("number", schema.accepts(Type::Number)),
    };
    if fits {
        return;
    }
    // A number or truth value where a formatted one is wanted: the message speaks of the formats.
    let format = scalars::effective_format(schema);
    let compares_formats = matches!(value, Value::Bool(_) | Value::Number(_) | Value::Object(_));
    if !format.is_empty() && compares_formats {
        let found = match found {
            "integer" => "int64",
            "number" => "float64",
            _ => "",
        };
        outcome.errors.push(wrong_type(path, format, found));
    } else {
        outcome.errors.push(wrong_type(path, schema.type_names(), found));
    }
}

/// `path in body must be of type …: "found"`.
fn wrong_type(path: &str, wanted: &str, found: &str) -> FieldError {
    FieldError::new(
        Reason::TypeInvalid,
        path,
        Some(found.into()),
        format!("{path} in body must be of type {wanted}: \"{found}\""),
    )
}

fn check_array(schema: &Schema, items: &[Value], old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    if let Some(item_schema) = schema.items.as_deref() {
        for (i, item) in items.iter().enumerate() {
            let old_item = old.and_then(|old| lists::same_item(schema, old, item));
            outcome.merge(node(item_schema, item, old_item, &key(path, i)));
        }
    }
    let limits = &schema.limits;
    let size = items.len();
    let size_as_limit = i64::try_from(size).unwrap_or(i64::MAX);
    if let Some(min) = limits.min_items.filter(|min| size_as_limit < *min) {
        let detail = format!("{path} in body should have at least {min} items");
        outcome.errors.push(FieldError::invalid(path, size, detail));
    }
    if let Some(max) = limits.max_items.filter(|max| size_as_limit > *max) {
        outcome.errors.push(FieldError::too_many(path, size, max));
    }
    if limits.unique_items && (1..size).any(|i| items[..i].contains(&items[i])) {
        let detail = format!("{path} in body shouldn't contain duplicates");
        outcome.errors.push(FieldError::invalid(path, "", detail));
    }
    outcome.passed();
}

fn check_object(schema: &Schema, map: &Map<String, Value>, old: Option<&Value>, path: &str, outcome: &mut Outcome) {
    let limits = &schema.limits;
    let size = i64::try_from(map.len()).unwrap_or(i64::MAX);
    if let Some(min) = limits.min_properties.filter(|min| size < *min) {
        let detail = format!("{path} in body should have at least {min} properties");
        outcome.errors.push(FieldError::invalid(path, size, detail));
    }
    if let Some(max) = limits.max_properties.filter(|max| size > *max) {
        outcome.errors.push(FieldError::too_many(path, map.len(), max));
    }
    // Entries of an atomic map have no identity, so nothing in them counts as unchanged on its own.
    let old_map = old.and_then(Value::as_object);
    for (name, entry) in map {
        let entry_path = child(path, name);
        let type_field = path.is_empty() && matches!(name.as_str(), "kind" | "apiVersion");
        let old_entry = old_map.and_then(|old| old.get(name)).filter(|_| !type_field);
        match (schema.properties.get(name), &schema.additional_properties) {
            (Some(schema), _) | (None, Additional::Of(schema)) => {
                outcome.merge(node(schema, entry, old_entry, &entry_path));
            }
            (None, Additional::Nothing) => {
                let detail = format!("{entry_path} in body is a forbidden property");
                outcome.errors.push(FieldError::invalid(entry_path, "", detail));
            }
            _ => {}
        }
    }
    for name in schema.required.iter().filter(|name| !map.contains_key(*name)) {
        outcome.errors.push(FieldError::required(child(path, name), ""));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    fn messages(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<String> {
        validate(&parse(schema), value, old).iter().map(ToString::to_string).collect()
    }

    fn in_spec(property: &Value) -> Value {
        json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": property}}}})
    }

    #[test]
    fn each_finding_reads_as_on_a_real_server() {
        let rows = [
            (
                json!({"type": "integer"}),
                json!("a"),
                r#"spec.x: Invalid value: "string": spec.x in body must be of type integer: "string""#,
            ),
            (
                json!({"type": "string"}),
                json!(1),
                r#"spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer""#,
            ),
            (
                json!({"type": "object"}),
                json!([]),
                r#"spec.x: Invalid value: "array": spec.x in body must be of type object: "array""#,
            ),
            (
                json!({"type": "string"}),
                json!(null),
                r#"spec.x: Invalid value: "null": spec.x in body must be of type string: "null""#,
            ),
            (
                json!({"x-kubernetes-int-or-string": true}),
                json!(true),
                r#"spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean""#,
            ),
            (
                json!({"type": "string", "enum": ["a", "b"]}),
                json!("c"),
                r#"spec.x: Unsupported value: "c": supported values: "a", "b""#,
            ),
            (
                json!({"type": "integer", "minimum": 1}),
                json!(0),
                "spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1",
            ),
            (
                json!({"type": "integer", "maximum": 5, "exclusiveMaximum": true}),
                json!(5),
                "spec.x: Invalid value: 5: spec.x in body should be less than 5",
            ),
            (
                json!({"type": "integer", "multipleOf": 5}),
                json!(7),
                "spec.x: Invalid value: 7: spec.x in body should be a multiple of 5",
            ),
            (
                json!({"type": "integer", "format": "int32"}),
                json!(3_000_000_000_i64),
                r#"<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x"#,
            ),
            (json!({"type": "string", "maxLength": 2}), json!("abc"), "spec.x: Too long: may not be more than 2 bytes"),
            (
                json!({"type": "string", "minLength": 2}),
                json!("a"),
                r#"spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long"#,
            ),
            (
                json!({"type": "string", "pattern": "^a+$"}),
                json!("b"),
                r#"spec.x: Invalid value: "b": spec.x in body should match '^a+$'"#,
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                json!("x"),
                r#"spec.x: Invalid value: "x": spec.x in body must be of type date-time: "x""#,
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "maxItems": 1}),
                json!(["a", "b"]),
                "spec.x: Too many: 2: must have at most 1 item",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
                json!([]),
                "spec.x: Invalid value: 0: spec.x in body should have at least 1 items",
            ),
            (json!({"type": "object", "required": ["a"]}), json!({}), "spec.x.a: Required value"),
            (
                json!({"type": "object", "minProperties": 1}),
                json!({}),
                "spec.x: Invalid value: 0: spec.x in body should have at least 1 properties",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}),
                json!(["a", "a"]),
                r#"spec.x[1]: Duplicate value: "a""#,
            ),
            (
                json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"],
                       "items": {"type": "object", "properties": {"n": {"type": "string"}}}}),
                json!([{"n": "a"}, {"n": "a"}]),
                r#"spec.x[1]: Duplicate value: {"n":"a"}"#,
            ),
        ];
        for (property, value, expected) in rows {
            assert_eq!(messages(&in_spec(&property), &json!({"spec": {"x": value}}), None), [expected], "{property}");
        }
    }

    #[test]
    fn alternatives_explain_themselves() {
        let any_of =
            in_spec(&json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}));
        assert_eq!(
            messages(&any_of, &json!({"spec": {"x": {}}}), None),
            [
                r#"<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)"#,
                "spec.x.a: Required value"
            ]
        );
        let one_of = in_spec(&json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}));
        assert_eq!(
            messages(&one_of, &json!({"spec": {"x": {"a": 1, "b": 2}}}), None),
            [
                r#"<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ]
        );
        let not = in_spec(&json!({"type": "object", "not": {"required": ["a"]}}));
        assert_eq!(
            messages(&not, &json!({"spec": {"x": {"a": 1}}}), None),
            [r#"<nil>: Invalid value: "": "spec.x" must not validate the schema (not)"#]
        );
    }

    #[test]
    fn what_was_wrong_before_may_stay_wrong() {
        let schema = in_spec(&json!({"type": "object", "properties": {
            "small": {"type": "integer", "maximum": 1}, "other": {"type": "string"}}}));
        let old = json!({"spec": {"x": {"small": 5, "other": "a"}}});
        let untouched = json!({"spec": {"x": {"small": 5, "other": "b"}}});
        let worse = json!({"spec": {"x": {"small": 6, "other": "a"}}});
        assert!(messages(&schema, &untouched, Some(&old)).is_empty());
        assert_eq!(messages(&schema, &worse, Some(&old)).len(), 1);
        assert_eq!(messages(&schema, &untouched, None).len(), 1);
    }
}
