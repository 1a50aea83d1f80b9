//! What an object may hold: schemas of built-in kinds and of custom resources, and everything an API server does
//! with them: defaults, pruning, validation, rules.

mod builtin;
pub mod builtin_defaults;
pub mod builtin_validation;
pub mod cel;
pub mod decode;
mod default;
pub mod field_error;
pub mod go_text;
pub mod metadata;
pub mod names;
mod parse;
mod prune;
pub mod quantity;
pub mod structural;
mod typed_decode;
mod validate;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

pub use builtin::{BuiltinKind, builtin_kinds, builtin_schema};
pub(crate) use builtin::{object_meta as object_meta_schema, text as text_schema, zero_object};
pub use default::default;
pub use field_error::{FieldError, Reason, aggregate};
pub use parse::parse;
pub use prune::{prune, prune_resource, unknown_fields};
pub use structural::check_structural;
pub use typed_decode::check_types;
pub use validate::{validate, validate_resource};

/// One node of a schema tree. Cheap to share: children sit behind `Arc`s or in the built-in table.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// The name of the built-in type that this node is, e.g. `DeploymentSpec`; empty in custom resources.
    pub type_name: String,
    pub types: Option<Type>,
    pub format: String,
    pub nullable: bool,
    pub default: Option<Value>,
    pub properties: BTreeMap<String, Child>,
    pub items: Option<Child>,
    pub additional_properties: Additional,
    pub preserve_unknown_fields: bool,
    pub embedded_resource: bool,
    pub int_or_string: bool,
    pub list_type: Option<ListType>,
    pub list_map_keys: Vec<String>,
    pub map_type: Option<MapType>,
    pub patch_merge_key: Option<String>,
    pub patch_strategy: PatchStrategy,
    pub rules: Vec<cel::Rule>,
    pub limits: Limits,
    pub required: Vec<String>,
    pub enumeration: Vec<Value>,
    pub all_of: Vec<Child>,
    pub any_of: Vec<Child>,
    pub one_of: Vec<Child>,
    pub not: Option<Child>,
}

/// What a value may be at most and at least.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    pub maximum: Option<f64>,
    pub exclusive_maximum: bool,
    pub minimum: Option<f64>,
    pub exclusive_minimum: bool,
    pub multiple_of: Option<f64>,
    pub max_length: Option<i64>,
    pub min_length: Option<i64>,
    /// The pattern as written, and compiled if it could be.
    pub pattern: Option<(String, Option<Regex>)>,
    pub max_items: Option<i64>,
    pub min_items: Option<i64>,
    pub unique_items: bool,
    pub max_properties: Option<i64>,
    pub min_properties: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "object" => Self::Object,
            "array" => Self::Array,
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// How a list is identified and owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListType {
    Atomic,
    Set,
    Map,
}

/// Whether a map's entries have owners of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapType {
    Atomic,
    Granular,
}

/// `x-kubernetes-patch-strategy`, a comma-separated list on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchStrategy {
    pub merge: bool,
    pub replace: bool,
    pub retain_keys: bool,
}

/// What a map may hold beside its named properties.
#[derive(Debug, Clone, Default)]
pub enum Additional {
    /// Nothing said: unknown entries are pruned.
    #[default]
    Undefined,
    /// `additionalProperties: true`: entries of any form.
    Anything,
    /// `additionalProperties: false`.
    Nothing,
    Of(Child),
}

/// A child node: owned by this tree, or a definition of the built-in table (which may refer to itself).
#[derive(Debug, Clone)]
pub enum Child {
    Own(Arc<Schema>),
    Builtin(usize),
}

impl Deref for Child {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        match self {
            Self::Own(schema) => schema,
            Self::Builtin(index) => builtin::definition(*index),
        }
    }
}

impl From<Schema> for Child {
    fn from(schema: Schema) -> Self {
        Self::Own(Arc::new(schema))
    }
}

impl Schema {
    /// The schema of one entry of an object: its named property, else the schema of additional entries.
    pub fn entry(&self, name: &str) -> Option<&Schema> {
        match (self.properties.get(name), &self.additional_properties) {
            (Some(child), _) | (None, Additional::Of(child)) => Some(child),
            _ => None,
        }
    }

    /// The types as error messages list them, empty if any type will do.
    pub fn type_names(&self) -> &'static str {
        if self.int_or_string { "integer,string" } else { self.types.map_or("", Type::as_str) }
    }

    fn accepts(&self, wanted: Type) -> bool {
        if self.int_or_string { matches!(wanted, Type::Integer | Type::String) } else { self.types == Some(wanted) }
    }
}
