//! Columns of custom resources, as their definition names them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, age_of, name_of};
use crate::api::jsonpath;
use crate::api::registry::Column;
use crate::api::verbs::Target;

pub(super) fn columns(target: &Target) -> Value {
    let mut columns = vec![json!({
        "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0,
    })];
    columns.extend(defined(target).iter().map(|column| {
        json!({
            "name": column.name,
            "type": column.kind,
            "format": column.format,
            "description": description(column),
            "priority": column.priority,
        })
    }));
    if defined(target).is_empty() {
        columns.push(json!({"name": "Age", "type": "date", "format": "", "description": "", "priority": 0}));
    }
    Value::Array(columns)
}

pub(super) fn cells(target: &Target, value: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![name_of(value)];
    cells.extend(defined(target).iter().map(|column| cell(column, value, now)));
    if defined(target).is_empty() {
        cells.push(age_of(value, now));
    }
    cells
}

fn defined(target: &Target) -> &[Column] {
    target.version_facts().map_or(&[], |version| &version.columns)
}

fn description(column: &Column) -> String {
    if column.description.is_empty() {
        format!("Custom resource definition column (in JSONPath format): {}", column.json_path)
    } else {
        column.description.clone()
    }
}

/// Several values are shown as one text; a value of the wrong type shows as nothing.
fn cell(column: &Column, value: &Value, now: Timestamp) -> Value {
    let found = jsonpath::find(&column.json_path, value);
    let Some(first) = found.first() else {
        return Value::Null;
    };
    match column.kind.as_str() {
        "integer" => first.as_i64().map_or(Value::Null, |number| json!(number)),
        "number" => first.as_f64().map_or(Value::Null, |number| json!(number)),
        "boolean" => first.as_bool().map_or(Value::Null, |flag| json!(flag)),
        "date" => match first.as_str() {
            Some(instant) => json!(age::since(instant, now)),
            None => Value::Null,
        },
        _ => {
            let shown: Vec<String> = found.iter().map(|one| plain(one)).collect();
            json!(shown.join(" "))
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
