//! Defaults have to be values of their own schema.

use serde_json::Value;

use super::super::field_error::child;
use super::super::{FieldError, parse, prune, validate};
use super::{Object, object, properties};

pub(super) fn check_defaults(schema: &Object, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(value) = schema.get("default").filter(|value| !value.is_null()) {
        check_default(schema, value, &child(path, "default"), errors);
    }
    for (_, path, property) in properties(schema, path) {
        check_defaults(property, &path, errors);
    }
    for name in ["items", "additionalProperties"] {
        if let Some(part) = object(schema, name) {
            check_defaults(part, &child(path, name), errors);
        }
    }
}

fn check_default(schema: &Object, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let parsed = parse(&Value::Object(schema.clone()));
    if !prune(&parsed, &mut value.clone()).is_empty() {
        errors.push(FieldError::invalid(path, value.clone(), "must not have unknown fields"));
        return;
    }
    for error in validate(&parsed, value, None) {
        let field = if error.field.is_empty() { path.to_owned() } else { format!("{path}.{}", error.field) };
        errors.push(FieldError { field, ..error });
    }
}
