//! What a schema must be like, so that the server can decide for every value what it means: it is structural.

mod extensions;
mod values;

use serde_json::{Map, Value};

use super::FieldError;
use super::field_error::{child, key};

type Object = Map<String, Value>;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// Parts of JSON Schema that custom resources can't use.
const UNSUPPORTED: [&str; 7] =
    ["$ref", "id", "additionalItems", "definitions", "dependencies", "patternProperties", "$schema"];

/// All complaints about a custom resource's `openAPIV3Schema` that stands at `path`.
pub fn check_structural(schema: &Value, path: &str) -> Vec<FieldError> {
    let Some(schema) = schema.as_object() else {
        return vec![FieldError::required(path, "schemas are required")];
    };
    let mut checker = Checker { errors: Vec::new(), unsupported: false };
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        checker.forbid(&child(path, "nullable"), "nullable cannot be true at the root");
    }
    checker.form(schema, path);
    extensions::check(schema, path, &mut checker.errors);
    // With parts that have no meaning, nothing can be said about the structure.
    if !checker.unsupported {
        let mut structure = Checker { errors: Vec::new(), unsupported: false };
        structure.structure(schema, path, Level::Root);
        structure.complete(schema, schema, path);
        structure.errors.sort_by_key(ToString::to_string);
        checker.errors.extend(structure.errors);
        values::check_defaults(schema, path, &mut checker.errors);
    }
    checker.errors
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

struct Checker {
    errors: Vec<FieldError>,
    unsupported: bool,
}

fn text<'a>(schema: &'a Object, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(schema: &Object, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn object<'a>(schema: &'a Object, name: &str) -> Option<&'a Object> {
    schema.get(name).and_then(Value::as_object)
}

/// The named properties of a schema, with their paths.
fn properties<'a>(schema: &'a Object, path: &str) -> Vec<(&'a str, String, &'a Object)> {
    let path = child(path, "properties");
    let named = object(schema, "properties").into_iter().flatten();
    named.filter_map(|(name, property)| Some((name.as_str(), key(&path, name), property.as_object()?))).collect()
}

/// The alternatives under `anyOf` and its like, with their paths.
fn alternatives<'a>(schema: &'a Object, path: &str, name: &str) -> Vec<(String, &'a Object)> {
    let path = child(path, name);
    let list = schema.get(name).and_then(Value::as_array).into_iter().flatten();
    list.enumerate().filter_map(|(i, part)| Some((key(&path, i), part.as_object()?))).collect()
}

impl Checker {
    fn forbid(&mut self, path: &str, detail: &str) {
        self.errors.push(FieldError::forbidden(path, detail));
    }

    fn require(&mut self, path: &str, detail: &str) {
        self.errors.push(FieldError::required(path, detail));
    }

    fn invalid(&mut self, path: &str, value: &Value, detail: &str) {
        self.errors.push(FieldError::invalid(path, value.clone(), detail));
    }

    /// What holds for every schema, however deep in alternatives it stands.
    fn form(&mut self, schema: &Object, path: &str) {
        for name in UNSUPPORTED {
            let used = schema.get(name).is_some_and(|value| match value {
                Value::String(text) => !text.is_empty(),
                Value::Null => false,
                _ => true,
            });
            if used && name != "$schema" {
                self.unsupported = true;
                self.forbid(&child(path, name), &format!("{name} is not supported"));
            }
        }
        if flag(schema, "uniqueItems") {
            let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbid(&child(path, "uniqueItems"), detail);
        }
        if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
            let path = child(path, "x-kubernetes-preserve-unknown-fields");
            self.invalid(&path, &Value::Bool(false), "must be true or undefined");
        }
        let kind = text(schema, "type");
        if !kind.is_empty() && !TYPES.contains(&kind) {
            self.errors.push(FieldError::not_supported(child(path, "type"), kind, &TYPES));
        }
        let named = object(schema, "properties").is_some_and(|properties| !properties.is_empty());
        let additional = schema.get("additionalProperties").filter(|value| **value != Value::Bool(false));
        if named && additional.is_some() {
            let detail = "additionalProperties and properties are mutual exclusive";
            self.forbid(&child(path, "additionalProperties"), detail);
        }
        for (path, part) in parts(schema, path) {
            self.form(part, &path);
        }
    }

    fn structure(&mut self, schema: &Object, path: &str, level: Level) {
        let kind = text(schema, "type");
        if kind == "array" && object(schema, "items").is_none() {
            self.require(&child(path, "items"), "must be specified");
        }
        if let Some(items) = object(schema, "items") {
            self.structure(items, &child(path, "items"), Level::Item);
        }
        for (_, path, property) in properties(schema, path) {
            self.structure(property, &path, Level::Field);
        }
        if let Some(additional) = schema.get("additionalProperties").filter(|value| !value.is_null()) {
            let path = child(path, "additionalProperties");
            if level == Level::Root {
                self.forbid(&path, "must not be used at the root");
            }
            if let Some(additional) = additional.as_object() {
                self.structure(additional, &path, Level::Field);
            }
        }
        self.type_is_said(schema, path, level);
        self.metadata_is_plain(schema, path, level);
        let either = either_int_or_string(schema.get("anyOf"));
        self.junctors(schema, path, either);
    }

    fn type_is_said(&mut self, schema: &Object, path: &str, level: Level) {
        let kind = text(schema, "type");
        let embedded = flag(schema, "x-kubernetes-embedded-resource");
        let int_or_string = flag(schema, "x-kubernetes-int-or-string");
        let preserve = flag(schema, "x-kubernetes-preserve-unknown-fields");
        let type_path = child(path, "type");
        if int_or_string && preserve {
            let path = child(path, "x-kubernetes-preserve-unknown-fields");
            self.invalid(&path, &Value::Bool(true), "must be false if x-kubernetes-int-or-string is true");
        }
        if int_or_string && embedded {
            let path = child(path, "x-kubernetes-embedded-resource");
            self.invalid(&path, &Value::Bool(true), "must be false if x-kubernetes-int-or-string is true");
        }
        let must_be_object = "must be object if x-kubernetes-embedded-resource is true";
        if embedded && kind.is_empty() {
            self.require(&type_path, must_be_object);
        } else if embedded && kind != "object" {
            self.invalid(&type_path, &Value::from(kind), must_be_object);
        } else if kind.is_empty() && !int_or_string && !preserve {
            self.require(
                &type_path,
                match level {
                    Level::Root => "must not be empty at the root",
                    Level::Item => "must not be empty for specified array items",
                    Level::Field => "must not be empty for specified object fields",
                },
            );
        }
        if embedded && schema.contains_key("additionalProperties") {
            let path = child(path, "additionalProperties");
            self.forbid(&path, "must not be used if x-kubernetes-embedded-resource is set");
        }
        if level == Level::Root && !kind.is_empty() && kind != "object" {
            self.invalid(&type_path, &Value::from(kind), "must be object at the root");
        }
        let empty = object(schema, "properties").is_none_or(Map::is_empty);
        if embedded && !preserve && empty {
            self.require(
                &child(path, "properties"),
                "must not be empty if x-kubernetes-embedded-resource is true without \
                 x-kubernetes-preserve-unknown-fields",
            );
        }
    }

    /// Metadata has its own schema; names are all that can be restricted.
    fn metadata_is_plain(&mut self, schema: &Object, path: &str, level: Level) {
        let whole = level == Level::Root || flag(schema, "x-kubernetes-embedded-resource");
        for (name, path, property) in properties(schema, path) {
            let kind = text(property, "type");
            if whole && matches!(name, "kind" | "apiVersion") && kind != "string" {
                self.invalid(&child(&path, "type"), &Value::from(kind), "must be string");
            }
            if name != "metadata" {
                continue;
            }
            if whole && kind != "object" {
                self.invalid(&child(&path, "type"), &Value::from(kind), "must be object");
            }
            let plain = property.iter().all(|(field, value)| match field.as_str() {
                "type" | "description" | "default" => field != "description",
                "properties" => value
                    .as_object()
                    .is_some_and(|named| named.keys().all(|name| matches!(name.as_str(), "name" | "generateName"))),
                _ => false,
            });
            if level == Level::Root && !plain {
                self.forbid(
                    &path,
                    "must not specify anything other than name and generateName, but metadata is implicitly specified",
                );
            }
        }
    }

    fn junctors(&mut self, schema: &Object, path: &str, either_int_or_string: bool) {
        if !either_int_or_string {
            for (path, part) in alternatives(schema, path, "anyOf") {
                self.nested(part, &path, true);
            }
        }
        for (path, part) in alternatives(schema, path, "allOf") {
            self.nested(part, &path, false);
        }
        for (path, part) in alternatives(schema, path, "oneOf") {
            self.nested(part, &path, true);
        }
        if let Some(not) = object(schema, "not") {
            self.nested(not, &child(path, "not"), true);
        }
        let pattern = text(schema, "pattern");
        if let Err(error) = regex::Regex::new(pattern) {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default();
            let detail = format!("must be a valid regular expression, but isn't: {why}");
            self.invalid(&child(path, "pattern"), &Value::from(pattern), &detail);
        }
    }

    /// Under a junctor values are only restricted; what they are is said outside of it.
    fn nested(&mut self, schema: &Object, path: &str, rules_forbidden: bool) {
        self.junctors(schema, path, either_int_or_string(schema.get("anyOf")));
        if let Some(items) = object(schema, "items") {
            self.nested(items, &child(path, "items"), rules_forbidden);
        }
        for (_, path, property) in properties(schema, path) {
            self.nested(property, &path, rules_forbidden);
        }
        for (name, detail) in [
            ("type", "must be empty to be structural"),
            ("additionalProperties", "must be undefined to be structural"),
            ("default", "must be undefined to be structural"),
            ("title", "must be empty to be structural"),
            ("description", "must be empty to be structural"),
            ("nullable", "must be false to be structural"),
            ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
            ("x-kubernetes-embedded-resource", "must be false to be structural"),
            ("x-kubernetes-int-or-string", "must be false to be structural"),
            ("x-kubernetes-list-map-keys", "must be empty to be structural"),
            ("x-kubernetes-list-type", "must be undefined to be structural"),
            ("x-kubernetes-map-type", "must be undefined to be structural"),
        ] {
            let said = schema.get(name).is_some_and(|v| !v.is_null() && *v != false && *v != "");
            if said {
                self.forbid(&child(path, name), detail);
            }
        }
        if rules_forbidden && schema.contains_key("x-kubernetes-validations") {
            self.forbid(&child(path, "x-kubernetes-validations"), "must be empty to be structural");
        }
        if object(schema, "properties").is_some_and(|named| named.contains_key("metadata")) {
            let path = key(&child(path, "properties"), "metadata");
            self.forbid(&path, "must not be specified in a nested context");
        }
    }

    /// Every field that a junctor speaks of is also specified outside of it.
    fn complete(&mut self, outer: &Object, schema: &Object, path: &str) {
        for name in ["anyOf", "allOf", "oneOf"] {
            for (part_path, part) in alternatives(schema, path, name) {
                self.specified(part, outer, &part_path, path);
                self.complete(outer, part, &part_path);
            }
        }
        if let Some(not) = object(schema, "not") {
            self.specified(not, outer, &child(path, "not"), path);
        }
        if std::ptr::eq(outer, schema) {
            for (_, path, property) in properties(schema, path) {
                self.complete(property, property, &path);
            }
            if let Some(items) = object(schema, "items") {
                self.complete(items, items, &child(path, "items"));
            }
        }
    }

    fn specified(&mut self, part: &Object, outer: &Object, part_path: &str, outer_path: &str) {
        for (name, path, property) in properties(part, part_path) {
            let outside = object(outer, "properties").and_then(|named| object(named, name));
            match outside {
                Some(outside) => {
                    let outer_path = key(&child(outer_path, "properties"), name);
                    self.specified(property, outside, &path, &outer_path);
                }
                None if object(outer, "additionalProperties").is_some() => {}
                None => {
                    let place = key(&child(outer_path, "properties"), name);
                    self.require(&place, &format!("because it is defined in {path}"));
                }
            }
        }
        if let (Some(items), None) = (object(part, "items"), object(outer, "items")) {
            let _ = items;
            let detail = format!("because it is defined in {}", child(part_path, "items"));
            self.require(&child(outer_path, "items"), &detail);
        }
    }
}

/// All schemas directly inside of a schema.
fn parts<'a>(schema: &'a Object, path: &str) -> Vec<(String, &'a Object)> {
    let mut found: Vec<(String, &Object)> =
        properties(schema, path).into_iter().map(|(_, path, part)| (path, part)).collect();
    for name in ["anyOf", "allOf", "oneOf"] {
        found.extend(alternatives(schema, path, name));
    }
    for name in ["items", "additionalProperties", "not"] {
        found.extend(object(schema, name).map(|part| (child(path, name), part)));
    }
    found
}

/// The one use of `anyOf` with types that is fine.
fn either_int_or_string(any_of: Option<&Value>) -> bool {
    let wanted = [("type", "integer"), ("type", "string")];
    any_of.and_then(Value::as_array).is_some_and(|parts| {
        parts.len() == wanted.len()
            && parts.iter().zip(wanted).all(|(part, (name, kind))| {
                part.as_object().is_some_and(|part| part.len() == 1 && text(part, name) == kind)
            })
    })
}

#[cfg(test)]
mod tests;
