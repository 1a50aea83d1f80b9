//! A schema as ownership sees it: what is one field, what has fields or items of its own.

use serde_json::{Map, Value};

use super::path::{PathElement, show_path};
use crate::schema::{Additional, ListType, MapType, Schema, Type, go_text, object_meta_schema, text_schema};

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed<'a> {
    Known {
        schema: &'a Schema,
        /// Unknown fields are welcome here, because some schema above said so.
        preserve: bool,
        /// A whole resource: it has a type and metadata even where its schema does not mention them.
        resource: bool,
    },
    /// Nothing is known: maps have fields, lists are one field each.
    Deduced,
    /// Nothing is known, and it is one field as a whole.
    Opaque,
}

/// What a value is by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One field, whatever is in it.
    Leaf,
    Map,
    List,
}

impl<'a> Typed<'a> {
    pub(super) fn resource(schema: &'a Schema) -> Self {
        Self::Known { schema, preserve: schema.preserve_unknown_fields, resource: true }
    }

    fn child(self, schema: &'a Schema) -> Self {
        let preserve = matches!(self, Self::Known { preserve: true, .. });
        Self::Known {
            schema,
            preserve: (preserve && schema.type_name.is_empty()) || schema.preserve_unknown_fields,
            resource: schema.embedded_resource,
        }
    }

    /// How a value of this type is walked. A null takes the form that the schema names.
    pub(super) fn shape(self, value: &Value) -> Shape {
        let atomic = |is_map: bool| match self {
            Self::Opaque => true,
            Self::Deduced => !is_map,
            Self::Known { schema, .. } if is_map => schema.map_type == Some(MapType::Atomic),
            Self::Known { schema, .. } => list_keys(schema).is_none(),
        };
        let is_map = match value {
            Value::Object(_) => true,
            Value::Array(_) => false,
            Value::Null => match self {
                Self::Known { schema, .. } => match schema.types {
                    Some(Type::Object) => true,
                    Some(Type::Array) => false,
                    _ => return Shape::Leaf,
                },
                _ => return Shape::Leaf,
            },
            _ => return Shape::Leaf,
        };
        match (atomic(is_map), is_map) {
            (true, _) => Shape::Leaf,
            (false, true) => Shape::Map,
            (false, false) => Shape::List,
        }
    }

    /// The type of a field that the schema names itself.
    pub(super) fn named_field(self, name: &str) -> Option<Typed<'a>> {
        let Self::Known { schema, resource, .. } = self else { return None };
        if let Some(property) = schema.properties.get(name) {
            if resource && name == "metadata" {
                return Some(self.child(object_meta_schema()));
            }
            return Some(self.child(property));
        }
        match name {
            "metadata" if resource => Some(self.child(object_meta_schema())),
            "apiVersion" | "kind" if resource => Some(self.child(text_schema())),
            _ => None,
        }
    }

    /// The type of any field; `None` if the schema has no place for it.
    pub(super) fn field(self, name: &str) -> Option<Typed<'a>> {
        let Self::Known { schema, preserve, .. } = self else {
            return Some(if matches!(self, Self::Deduced) { Self::Deduced } else { Self::Opaque });
        };
        if let Some(named) = self.named_field(name) {
            return Some(named);
        }
        match &schema.additional_properties {
            Additional::Of(child) => Some(self.child(child)),
            Additional::Anything => Some(Self::Deduced),
            Additional::Undefined if preserve || schema.properties.is_empty() => Some(Self::Deduced),
            Additional::Undefined | Additional::Nothing => None,
        }
    }

    pub(super) fn item(self) -> Typed<'a> {
        match self {
            Self::Known { schema, .. } => match schema.items.as_deref() {
                Some(items) => self.child(items),
                None => Self::Opaque,
            },
            _ => Self::Opaque,
        }
    }

    /// The identity of a list item.
    pub(super) fn identify(self, item: &Value) -> Result<PathElement, String> {
        let keys = match self {
            Self::Known { schema, .. } => list_keys(schema).unwrap_or_default(),
            _ => &[],
        };
        if keys.is_empty() {
            return match item {
                Value::Object(_) => Err("associative list without keys has an element that's a map type".into()),
                Value::Array(_) => Err("not supported: associative list with lists as elements".into()),
                Value::Null => Err("associative list without keys has an element that's an explicit null".into()),
                scalar => Ok(PathElement::Value(scalar.clone())),
            };
        }
        let Value::Object(map) = item else {
            return Err(if item.is_null() {
                "associative list with keys may not have a null element".into()
            } else {
                "associative list with keys may not have non-map elements".into()
            });
        };
        let mut found: Vec<(String, Value)> =
            keys.iter().filter_map(|key| Some((key.clone(), self.key_of(map, key)?))).collect();
        if found.is_empty() {
            let listed: Vec<String> = keys.iter().map(|key| go_text::quote(key)).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                listed.join(" ")
            ));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(PathElement::Key(found))
    }

    fn key_of(self, item: &Map<String, Value>, key: &str) -> Option<Value> {
        if let Some(value) = item.get(key) {
            return Some(value.clone());
        }
        match self.item().named_field(key)? {
            Self::Known { schema, .. } => schema.default.clone(),
            _ => None,
        }
    }
}

/// The keys of a list whose items have owners of their own: empty for a set, `None` for an atomic list.
fn list_keys(schema: &Schema) -> Option<&[String]> {
    match schema.list_type {
        Some(ListType::Map) => Some(&schema.list_map_keys),
        Some(ListType::Set) => Some(&[]),
        // Older types only say how they are patched.
        None if schema.patch_strategy.merge => Some(schema.patch_merge_key.as_slice()),
        Some(ListType::Atomic) | None => None,
    }
}

/// Complaints about a value that does not have the form of its type, as the real server words them.
pub(super) fn check(typed: Typed<'_>, value: &Value, duplicates_allowed: bool) -> Result<(), String> {
    let mut checker = Checker { duplicates_allowed, errors: Vec::new() };
    checker.node(typed, value, &mut Vec::new());
    match checker.errors.as_slice() {
        [] => Ok(()),
        [only] => Err(only.clone()),
        several => {
            let lines: Vec<String> = several.iter().map(|error| format!("  {error}")).collect();
            Err(format!("errors:\n{}", lines.join("\n")))
        }
    }
}

struct Checker {
    duplicates_allowed: bool,
    errors: Vec<String>,
}

impl Checker {
    fn complain(&mut self, path: &[PathElement], message: &str) {
        let place = show_path(path);
        self.errors.push(if place.is_empty() { message.to_owned() } else { format!("{place}: {message}") });
    }

    fn node(&mut self, typed: Typed<'_>, value: &Value, path: &mut Vec<PathElement>) {
        if let Typed::Known { schema, .. } = typed
            && let Some(message) = wrong_form(schema, value)
        {
            return self.complain(path, &message);
        }
        match value {
            Value::Object(map) => {
                for (name, entry) in map {
                    path.push(PathElement::Field(name.clone()));
                    match typed.field(name) {
                        Some(field) => self.node(field, entry, path),
                        None => self.complain(path, "field not declared in schema"),
                    }
                    path.pop();
                }
            }
            Value::Array(items) => {
                let identified = typed.shape(value) == Shape::List;
                let mut seen = std::collections::BTreeSet::new();
                for (i, item) in items.iter().enumerate() {
                    let mut step = PathElement::Index(i64::try_from(i).unwrap_or(i64::MAX));
                    if identified {
                        match typed.identify(item) {
                            Err(message) => {
                                self.complain(path, &format!("element {i}: {message}"));
                                return;
                            }
                            Ok(identity) => step = identity,
                        }
                        if !seen.insert(step.clone()) && !self.duplicates_allowed {
                            self.complain(path, &format!("duplicate entries for key {step}"));
                        }
                    }
                    path.push(step);
                    self.node(typed.item(), item, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}

fn wrong_form(schema: &Schema, value: &Value) -> Option<String> {
    let shown = || format!("&{{{}}}", go_text::shown(value));
    match (schema.types?, value) {
        (_, Value::Null)
        | (Type::Object, Value::Object(_))
        | (Type::Array, Value::Array(_))
        | (Type::String, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Integer | Type::Number, Value::Number(_)) => None,
        // A quantity may be written as a number.
        (Type::String, Value::Number(_)) if schema.type_name.ends_with("Quantity") => None,
        (Type::Object, _) => Some(format!("expected map, got {}", shown())),
        (Type::Array, _) => Some(format!("expected list, got {}", shown())),
        (Type::String, _) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(value)))
        }
        (Type::Boolean, _) => Some(format!("expected boolean, got {}", shown())),
        (Type::Integer | Type::Number, _) => {
            let kind = match value {
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Array(_) => "[]interface {}",
                _ => "map[string]interface {}",
            };
            Some(format!("expected numeric (int or float), got {kind}"))
        }
    }
}

/// A value as Go source would write it.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(name, entry)| format!("{}:{}", go_text::quote(name), go_syntax(entry))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::String(text) => go_text::quote(text),
        Value::Null => "interface {}(nil)".into(),
        other => go_text::plain(other),
    }
}
