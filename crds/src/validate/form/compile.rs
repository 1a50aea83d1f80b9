//! From a JSON Schema to a [`Form`]: only what Kubernetes' structural schemas and schemars write is understood;
//! anything else is taken as "whatever is written is kept".

use serde_json::{Map, Value};

use super::{Fields, Form, Holds, Others, Text, Whole};

/// Schemas refer to one another; deeper than this they refer to themselves.
const DEEPEST: usize = 40;

/// The form that a schema asks for, with its references resolved inside the same document.
pub(super) fn compile(schema: &Value) -> Form {
    let definitions = schema.get("$defs").and_then(Value::as_object);
    Compiler { definitions }.form(schema, 0)
}

struct Compiler<'a> {
    definitions: Option<&'a Map<String, Value>>,
}

impl Compiler<'_> {
    fn form(&self, schema: &Value, depth: usize) -> Form {
        let Some(schema) = schema.as_object() else {
            return Form::any();
        };
        if depth > DEEPEST {
            return Form::any();
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(target, depth);
        }
        if let Some(form) = self.wrapped(schema, depth) {
            return form;
        }
        let (type_name, type_is_nullable) = type_of(schema);
        let nullable = type_is_nullable || schema.get("nullable") == Some(&Value::Bool(true));
        let holds = if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
            Holds::WholeOrText
        } else {
            match type_name {
                Some("object") => self.object(schema, depth),
                Some("array") => self.list(schema, depth),
                Some("string") => Holds::Text(text(schema)),
                Some("integer") => Holds::Whole(whole(schema)),
                Some("number") => Holds::Number,
                Some("boolean") => Holds::YesNo,
                _ => return Form::any(),
            }
        };
        Form { holds, nullable }
    }

    fn reference(&self, target: &str, depth: usize) -> Form {
        let name = target.rsplit('/').next().unwrap_or(target);
        let Some(definition) = self.definitions.and_then(|all| all.get(name)) else {
            return Form::any();
        };
        let mut form = self.form(definition, depth + 1);
        // Kubernetes describes a quantity like a port; but `cpu: 0.5` is read and `port: 0.5` is not.
        if name.ends_with(".Quantity") {
            form.holds = Holds::Quantity;
        }
        form
    }

    /// `allOf: [X]` carries a description beside X; `anyOf: [X, null]` makes X optional.
    fn wrapped(&self, schema: &Map<String, Value>, depth: usize) -> Option<Form> {
        if schema.contains_key("type") || schema.contains_key("x-kubernetes-int-or-string") {
            return None;
        }
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            return Some(self.form(only, depth + 1));
        }
        let choices = schema.get("anyOf").and_then(Value::as_array)?;
        let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let mut solid = choices.iter().filter(|choice| !is_null(choice));
        let (Some(only), None) = (solid.next(), solid.next()) else {
            return None;
        };
        let mut form = self.form(only, depth + 1);
        form.nullable = true;
        Some(form)
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Holds {
        let properties = schema.get("properties").and_then(Value::as_object);
        let keeps_unknown = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        let others = match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Others::Kept,
            Some(entry @ Value::Object(_)) => Others::Entries(Box::new(self.form(entry, depth + 1))),
            // An object of which nothing is said at all, as `metadata` in a CRD.
            _ if keeps_unknown || properties.is_none() => Others::Kept,
            _ => Others::Unknown,
        };
        let known =
            properties.into_iter().flatten().map(|(name, field)| (name.clone(), self.form(field, depth + 1))).collect();
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        Holds::Fields(Fields { known, required, others })
    }

    fn list(&self, schema: &Map<String, Value>, depth: usize) -> Holds {
        let item = schema.get("items").map_or_else(Form::any, |item| self.form(item, depth + 1));
        Holds::List(Box::new(item))
    }
}

/// The one type that a schema asks for, and whether `null` is another.
fn type_of(schema: &Map<String, Value>) -> (Option<&str>, bool) {
    match schema.get("type") {
        Some(Value::String(name)) => (Some(name), false),
        Some(Value::Array(names)) => {
            let mut solid = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            let nullable = names.iter().any(|name| name == "null");
            match (solid.next(), solid.next()) {
                (Some(only), None) => (Some(only), nullable),
                _ => (None, nullable),
            }
        }
        _ => (None, false),
    }
}

fn text(schema: &Map<String, Value>) -> Text {
    let known = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    Text { known, time: schema.get("format").and_then(Value::as_str) == Some("date-time") }
}

fn whole(schema: &Map<String, Value>) -> Whole {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    Whole {
        least: bound(schema, "minimum").map_or(least, |bound| bound.max(least)),
        most: bound(schema, "maximum").map_or(most, |bound| bound.min(most)),
    }
}

/// Schemas may write their bounds as `0` or as `0.0`.
#[expect(clippy::cast_possible_truncation, reason = "a bound beyond i64 bounds nothing")]
fn bound(schema: &Map<String, Value>, name: &str) -> Option<i64> {
    let bound = schema.get(name)?;
    bound.as_i64().or_else(|| bound.as_f64().map(|float| float as i64))
}
