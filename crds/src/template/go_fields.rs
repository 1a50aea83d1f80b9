//! The Go types behind a pod template: which fields they have, in which order, and which are left out when empty.
//!
//! The table is made by reflection over the Kubernetes types (`template-oracle fields`) and checked in, because
//! the order in which Go writes fields is in no schema.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A Go struct, fields of embedded structs included in their place.
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// One field of a struct.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Behind a pointer, absent and zero are different.
    pub(super) is_pointer: bool,
    /// `omitempty`: left out when it is a zero scalar, an empty list or map, or an absent pointer.
    pub(super) omit_empty: bool,
    /// `omitzero`: left out when it is the zero value of its type, which a time is when it is absent.
    pub(super) omit_zero: bool,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
    Bool,
    Int,
    Quantity,
    IntOrString,
    Time,
    /// JSON that Go passes through unread.
    Raw,
    Struct(usize),
    List(Box<Kind>),
    Map(Box<Kind>),
}

/// All the types that a pod template reaches.
pub(super) struct Table {
    structs: Vec<Struct>,
    pod_template: usize,
}

impl Table {
    pub(super) fn get(&self, index: usize) -> &Struct {
        &self.structs[index]
    }

    pub(super) fn pod_template(&self) -> &Struct {
        self.get(self.pod_template)
    }
}

pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| read_table(include_str!("go_fields.json")).expect("the checked-in table is the oracle's"));

#[derive(Deserialize)]
struct FieldTable {
    root: String,
    types: BTreeMap<String, Vec<FieldRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldRow {
    name: String,
    #[serde(flatten)]
    shape: Shape,
    #[serde(default)]
    omit_empty: bool,
    #[serde(default)]
    omit_zero: bool,
}

#[derive(Deserialize)]
struct Shape {
    kind: String,
    #[serde(rename = "struct")]
    struct_name: Option<String>,
    elem: Option<Box<Shape>>,
}

fn read_table(json: &str) -> Result<Table, String> {
    let table: FieldTable = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let indexes: BTreeMap<&str, usize> = table.types.keys().map(String::as_str).zip(0..).collect();
    let mut structs = Vec::with_capacity(indexes.len());
    for (name, rows) in &table.types {
        let fields = rows.iter().map(|row| read_field(row, &indexes)).collect::<Result<_, _>>()?;
        let name = name.rsplit('.').next().unwrap_or(name).to_owned();
        structs.push(Struct { name, fields });
    }
    let pod_template = *indexes.get(table.root.as_str()).ok_or_else(|| format!("the table has no {}", table.root))?;
    Ok(Table { structs, pod_template })
}

fn read_field(row: &FieldRow, indexes: &BTreeMap<&str, usize>) -> Result<Field, String> {
    let is_pointer = row.shape.kind == "pointer";
    let shape = if is_pointer { inner(&row.shape)? } else { &row.shape };
    Ok(Field {
        name: row.name.clone(),
        kind: read_kind(shape, indexes)?,
        is_pointer,
        omit_empty: row.omit_empty,
        omit_zero: row.omit_zero,
    })
}

fn read_kind(shape: &Shape, indexes: &BTreeMap<&str, usize>) -> Result<Kind, String> {
    Ok(match shape.kind.as_str() {
        "string" => Kind::Text,
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "quantity" => Kind::Quantity,
        "intOrString" => Kind::IntOrString,
        "time" => Kind::Time,
        "rawJSON" => Kind::Raw,
        "slice" => Kind::List(Box::new(read_kind(inner(shape)?, indexes)?)),
        "map" => Kind::Map(Box::new(read_kind(inner(shape)?, indexes)?)),
        "struct" => {
            let name = shape.struct_name.as_deref().unwrap_or_default();
            Kind::Struct(*indexes.get(name).ok_or_else(|| format!("the table has no type {name:?}"))?)
        }
        other => return Err(format!("nobody wrote down how Go encodes the kind {other}")),
    })
}

fn inner(shape: &Shape) -> Result<&Shape, String> {
    shape.elem.as_deref().ok_or_else(|| format!("a {} of nothing", shape.kind))
}
