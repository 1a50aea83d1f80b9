//! A pod template's JSON as Go writes it after reading it into its types: the bytes that are hashed.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::go_fields::{Field, Kind, Struct, TABLE, Table};
use super::go_json::{go_json, write_list, write_map, write_text, write_value};
use crate::values::{Quantity, parse_time, seconds_time};

/// Which of the texts that were hashed over the years is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Until Kubernetes 1.33 a `creationTimestamp` that is absent was written as `null`.
    pub(super) null_creation_timestamp: bool,
    /// Whether fields that the table does not know count. Typed readers dropped them.
    pub(super) unknown_fields: bool,
}

/// The template as Go writes it, with what Go would have dropped behind it.
pub(super) fn typed_json(template: &Value, form: Form) -> String {
    let empty = Map::new();
    let fields = template.as_object().unwrap_or(&empty);
    let mut writer = Writer { table: &TABLE, form, path: Vec::new(), unknown: BTreeMap::new() };
    let mut json = String::with_capacity(2048);
    writer.write_struct(&mut json, fields, TABLE.pod_template());
    if form.unknown_fields && !writer.unknown.is_empty() {
        let unknown = writer.unknown.into_iter().map(|(path, value)| (path, value.clone())).collect();
        json.push_str(&go_json(&Value::Object(unknown)));
    }
    json
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

struct Writer<'a> {
    table: &'static Table,
    form: Form,
    /// Where in the template the writer is, to name what it does not know.
    path: Vec<Step<'a>>,
    unknown: BTreeMap<String, &'a Value>,
}

impl<'a> Writer<'a> {
    fn write_struct(&mut self, json: &mut String, values: &'a Map<String, Value>, of: &'static Struct) {
        json.push('{');
        let mut known = 0;
        let mut comma = "";
        for field in &of.fields {
            let value = values.get(field.name.as_str());
            known += usize::from(value.is_some());
            let value = value.filter(|value| !is_unset(value, field));
            if self.leaves_out(field, value) {
                continue;
            }
            json.push_str(comma);
            comma = ",";
            json.push('"');
            json.push_str(&field.name);
            json.push_str("\":");
            match value {
                Some(value) => {
                    self.path.push(Step::Key(&field.name));
                    self.write(json, value, &field.kind);
                    self.path.pop();
                }
                None if field.is_pointer => json.push_str("null"),
                None => self.write_zero(json, &field.kind),
            }
        }
        json.push('}');
        if known < values.len() && self.form.unknown_fields {
            self.note_unknown(values, of);
        }
    }

    fn leaves_out(&self, field: &Field, value: Option<&Value>) -> bool {
        if field.omit_zero && !self.form.null_creation_timestamp && value.is_none() {
            return true;
        }
        field.omit_empty
            && match value {
                None => {
                    field.is_pointer
                        || matches!(field.kind, Kind::Text | Kind::Bool | Kind::Int | Kind::List(_) | Kind::Map(_))
                }
                Some(value) => !field.is_pointer && is_empty(value, &field.kind),
            }
    }

    fn write(&mut self, json: &mut String, value: &'a Value, kind: &'static Kind) {
        match (kind, value) {
            // Go reads null into a list's or map's item as the zero of its type.
            (_, Value::Null) => self.write_zero(json, kind),
            (Kind::Struct(index), Value::Object(fields)) => {
                self.write_struct(json, fields, self.table.get(*index));
            }
            (Kind::List(item), Value::Array(values)) => {
                let mut index = 0;
                write_list(json, values, |json, value| {
                    self.path.push(Step::Index(index));
                    self.write(json, value, item);
                    self.path.pop();
                    index += 1;
                });
            }
            (Kind::Map(item), Value::Object(values)) => {
                write_map(json, values, |json, value| self.write(json, value, item));
            }
            (Kind::Quantity, Value::String(_) | Value::Number(_)) => match read_quantity(value) {
                Some(quantity) => write_text(json, quantity.as_str()),
                None => write_value(json, value),
            },
            (Kind::Time, Value::String(text)) => match parse_time(text) {
                Ok(time) if time == ZERO_TIME => json.push_str("null"),
                Ok(time) => write_text(json, &seconds_time(time)),
                Err(_) => write_text(json, text),
            },
            // Whatever has the wrong shape would not have been read at all; here it is hashed as it is.
            _ => write_value(json, value),
        }
    }

    /// What Go writes for a value that was never set.
    fn write_zero(&self, json: &mut String, kind: &'static Kind) {
        match kind {
            Kind::Text => json.push_str("\"\""),
            Kind::Bool => json.push_str("false"),
            Kind::Int | Kind::IntOrString => json.push('0'),
            Kind::Quantity => json.push_str("\"0\""),
            Kind::Time | Kind::Raw | Kind::List(_) | Kind::Map(_) => json.push_str("null"),
            Kind::Struct(index) => {
                let of = self.table.get(*index);
                Writer { table: self.table, form: self.form, path: Vec::new(), unknown: BTreeMap::new() }.write_struct(
                    json,
                    &Map::new(),
                    of,
                );
            }
        }
    }

    fn note_unknown(&mut self, values: &'a Map<String, Value>, of: &'static Struct) {
        for (key, value) in values {
            if !value.is_null() && !of.fields.iter().any(|field| field.name == *key) {
                self.path.push(Step::Key(key));
                let path = self.path_text();
                self.path.pop();
                self.unknown.insert(path, value);
            }
        }
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            // Writing into a String can't fail.
            let _ = match step {
                Step::Key(key) => write!(text, ".{key}"),
                Step::Index(index) => write!(text, "[{index}]"),
            };
        }
        text
    }
}

/// The time that Go has when it has none: the beginning of the year 1.
const ZERO_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Whether Go can't tell the value from one that is absent.
fn is_unset(value: &Value, field: &Field) -> bool {
    match (&field.kind, value) {
        (_, Value::Null) => true,
        (Kind::Time, Value::String(text)) => !field.is_pointer && parse_time(text) == Ok(ZERO_TIME),
        _ => false,
    }
}

/// Whether a value is what `omitempty` leaves out.
fn is_empty(value: &Value, kind: &Kind) -> bool {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => text.is_empty(),
        (Kind::Bool, Value::Bool(set)) => !set,
        (Kind::Int, Value::Number(number)) => number.as_f64() == Some(0.0),
        (Kind::List(_), Value::Array(items)) => items.is_empty(),
        (Kind::Map(_), Value::Object(items)) => items.is_empty(),
        _ => false,
    }
}

/// The quantity that a text or a bare number stands for.
pub(super) fn read_quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => text.parse().ok(),
        number @ Value::Number(_) => go_json(number).parse().ok(),
        _ => None,
    }
}
