//! Lists as people read them: rows and columns.

mod age;
mod custom;
mod network;
mod others;
mod workloads;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::encode;
use super::status::{Answer, Status};
use super::verbs::Target;
use super::verbs::list::Page;
use crate::world::Object;

/// What each row carries beside its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowObject {
    Nothing,
    Metadata,
    Whole,
}

impl RowObject {
    /// Reads the `includeObject` parameter.
    pub(crate) fn parse(text: &str) -> Answer<Self> {
        match text {
            "" | "Metadata" => Ok(Self::Metadata),
            "None" => Ok(Self::Nothing),
            "Object" => Ok(Self::Whole),
            other => Err(Status::bad_request(format!("unrecognized includeObject value: {other:?}"))),
        }
    }
}

/// The columns of a kind and how its objects fill them.
struct Layout {
    /// A column's name; `#` before it marks a number, `+` one that only `-o wide` shows.
    columns: &'static [&'static str],
    cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// How a table is to be built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLook {
    pub rows: RowObject,
    /// Watches name their columns only once.
    pub columns: bool,
    /// Whether the table is `meta.k8s.io/v1` or `v1beta1`.
    pub v1: bool,
    pub now: Timestamp,
}

/// A page of objects as a table.
pub(crate) fn table(target: &Target, page: &Page, look: TableLook) -> Value {
    let layout = layout(target);
    let columns = match (&layout, look.columns) {
        (_, false) => Value::Null,
        (Some(layout), true) => layout.columns.iter().map(|column| column_definition(column)).collect(),
        (None, true) => custom::columns(target),
    };
    let rows: Vec<Value> = page
        .items
        .iter()
        .map(|object| {
            let cells = match &layout {
                Some(layout) => (layout.cells)(object.value(), look.now),
                None => custom::cells(target, object.value(), look.now),
            };
            row(cells, object, look)
        })
        .collect();
    let version = if look.v1 { "v1" } else { "v1beta1" };
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": encode::list_metadata(page, false),
        "columnDefinitions": columns,
        "rows": rows,
    })
}

fn row(cells: Vec<Value>, object: &Object, look: TableLook) -> Value {
    let mut row = Map::new();
    row.insert("cells".into(), Value::Array(cells));
    let carried = match look.rows {
        RowObject::Nothing => Value::Null,
        RowObject::Whole => object.value().clone(),
        RowObject::Metadata => {
            let mut partial = encode::partial(object);
            let version = if look.v1 { "v1" } else { "v1beta1" };
            partial["apiVersion"] = json!(format!("meta.k8s.io/{version}"));
            partial
        }
    };
    row.insert("object".into(), carried);
    Value::Object(row)
}

fn layout(target: &Target) -> Option<Layout> {
    if target.resource.rules.custom {
        return None;
    }
    workloads::layout(target.kind())
        .or_else(|| network::layout(target.kind()))
        .or_else(|| others::layout(target.kind()))
}

fn column_definition(column: &str) -> Value {
    let (priority, rest) = column.strip_prefix('+').map_or((0, column), |rest| (1, rest));
    let (kind, name) = rest.strip_prefix('#').map_or(("string", rest), |name| ("integer", name));
    let kind = if name == "Created At" { "date" } else { kind };
    let format = if name == "Name" { "name" } else { "" };
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}

/// The text of a field by its path; empty where it is missing.
fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or("")
}

/// The number of a field by its path; 0 where it is missing.
fn number(value: &Value, path: &str) -> i64 {
    at(value, path).and_then(Value::as_i64).unwrap_or(0)
}

/// The list of a field by its path; empty where it is missing.
fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |at, field| at.get(field))
}

fn name_of(value: &Value) -> Value {
    json!(text(value, "metadata.name"))
}

fn age_of(value: &Value, now: Timestamp) -> Value {
    json!(age::since(text(value, "metadata.creationTimestamp"), now))
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text.to_owned() }
}
