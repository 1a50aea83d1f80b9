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
    LazyLock::new(|| read_table(include_str!("go_fields.json")).expect("the checked-in table is well formed"));

#[derive(Deserialize)]
struct FieldRow {
    name: String,
    #[serde(rename = "type")]
    go_type: String,
    #[serde(default)]
    omit: String,
}

fn read_table(json: &str) -> Result<Table, String> {
    let rows: BTreeMap<String, Vec<FieldRow>> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let indexes: BTreeMap<&str, usize> = rows.keys().map(String::as_str).zip(0..).collect();
    let mut structs = Vec::with_capacity(rows.len());
    for (name, fields) in &rows {
        let fields = fields.iter().map(|row| read_field(row, &indexes)).collect::<Result<_, _>>()?;
        structs.push(Struct { name: name.clone(), fields });
    }
    let pod_template = *indexes.get("PodTemplateSpec").ok_or("the table has no PodTemplateSpec")?;
    Ok(Table { structs, pod_template })
}

fn read_field(row: &FieldRow, indexes: &BTreeMap<&str, usize>) -> Result<Field, String> {
    let pointed_to = row.go_type.strip_prefix('*');
    Ok(Field {
        name: row.name.clone(),
        kind: read_kind(pointed_to.unwrap_or(&row.go_type), indexes)?,
        is_pointer: pointed_to.is_some(),
        omit_empty: row.omit.split(' ').any(|option| option == "omitempty"),
        omit_zero: row.omit.split(' ').any(|option| option == "omitzero"),
    })
}

fn read_kind(go_type: &str, indexes: &BTreeMap<&str, usize>) -> Result<Kind, String> {
    if let Some(item) = go_type.strip_prefix("[]") {
        return Ok(Kind::List(Box::new(read_kind(item, indexes)?)));
    }
    if let Some(item) = go_type.strip_prefix("map ") {
        return Ok(Kind::Map(Box::new(read_kind(item, indexes)?)));
    }
    Ok(match go_type {
        "string" => Kind::Text,
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "quantity" => Kind::Quantity,
        "intOrString" => Kind::IntOrString,
        "time" => Kind::Time,
        "raw" => Kind::Raw,
        name => Kind::Struct(*indexes.get(name).ok_or_else(|| format!("the table has no type {name}"))?),
    })
}
