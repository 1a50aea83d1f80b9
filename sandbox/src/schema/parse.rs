//! From JSON to a schema tree. Lenient: what is not understood is left out; `structural` reports it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::cel::Rule;
use super::{Additional, Child, Limits, ListType, MapType, PatchStrategy, Schema, Type};

/// A schema from a custom resource definition's `openAPIV3Schema`.
pub fn parse(raw: &Value) -> Schema {
    parse_with(raw, &mut |_| None)
}

/// Turns a node with a `$ref` into a child.
pub(super) type Resolve<'a> = dyn FnMut(&Value) -> Option<Child> + 'a;

/// The same, where nodes with a `$ref` are resolved by the caller (the built-in table refers to itself).
pub(super) fn parse_with(raw: &Value, resolve: &mut Resolve<'_>) -> Schema {
    let text = |name: &str| raw.get(name).and_then(Value::as_str);
    let flag = |name: &str| raw.get(name).and_then(Value::as_bool).unwrap_or(false);
    let format = text("format").unwrap_or_default().to_owned();
    Schema {
        type_name: String::new(),
        types: text("type").and_then(Type::from_name),
        int_or_string: flag("x-kubernetes-int-or-string") || format == "int-or-string",
        format,
        nullable: flag("nullable"),
        default: raw.get("default").filter(|value| !value.is_null()).cloned(),
        properties: parse_properties(raw.get("properties"), resolve),
        items: raw.get("items").filter(|items| items.is_object()).map(|items| parse_child(items, resolve)),
        additional_properties: match raw.get("additionalProperties") {
            Some(Value::Bool(true)) => Additional::Anything,
            Some(Value::Bool(false)) => Additional::Nothing,
            Some(schema @ Value::Object(_)) => Additional::Of(parse_child(schema, resolve)),
            _ => Additional::Undefined,
        },
        preserve_unknown_fields: flag("x-kubernetes-preserve-unknown-fields"),
        embedded_resource: flag("x-kubernetes-embedded-resource"),
        list_type: match text("x-kubernetes-list-type") {
            Some("map") => Some(ListType::Map),
            Some("set") => Some(ListType::Set),
            Some("atomic") => Some(ListType::Atomic),
            _ => None,
        },
        list_map_keys: strings(raw.get("x-kubernetes-list-map-keys")),
        map_type: match text("x-kubernetes-map-type") {
            Some("atomic") => Some(MapType::Atomic),
            Some("granular") => Some(MapType::Granular),
            _ => None,
        },
        patch_merge_key: text("x-kubernetes-patch-merge-key").map(str::to_owned),
        patch_strategy: parse_strategy(text("x-kubernetes-patch-strategy").unwrap_or_default()),
        rules: raw
            .get("x-kubernetes-validations")
            .and_then(Value::as_array)
            .map(|rules| rules.iter().filter_map(Rule::parse).collect())
            .unwrap_or_default(),
        limits: parse_limits(raw),
        required: strings(raw.get("required")),
        enumeration: raw.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
        all_of: parse_all(raw.get("allOf"), resolve),
        any_of: parse_all(raw.get("anyOf"), resolve),
        one_of: parse_all(raw.get("oneOf"), resolve),
        not: raw.get("not").filter(|not| not.is_object()).map(|not| parse_child(not, resolve)),
    }
}

fn parse_child(raw: &Value, resolve: &mut Resolve<'_>) -> Child {
    let reference = if raw.get("$ref").is_some() { resolve(raw) } else { None };
    reference.unwrap_or_else(|| parse_with(raw, resolve).into())
}

fn parse_all(raw: Option<&Value>, resolve: &mut Resolve<'_>) -> Vec<Child> {
    raw.and_then(Value::as_array)
        .map(|list| list.iter().map(|item| parse_child(item, resolve)).collect())
        .unwrap_or_default()
}

fn parse_properties(raw: Option<&Value>, resolve: &mut Resolve<'_>) -> BTreeMap<String, Child> {
    raw.and_then(Value::as_object)
        .map(|map| map.iter().map(|(name, schema)| (name.clone(), parse_child(schema, resolve))).collect())
        .unwrap_or_default()
}

fn parse_limits(raw: &Value) -> Limits {
    let float = |name: &str| raw.get(name).and_then(Value::as_f64);
    let whole = |name: &str| raw.get(name).and_then(Value::as_i64);
    let flag = |name: &str| raw.get(name).and_then(Value::as_bool).unwrap_or(false);
    Limits {
        maximum: float("maximum"),
        exclusive_maximum: flag("exclusiveMaximum"),
        minimum: float("minimum"),
        exclusive_minimum: flag("exclusiveMinimum"),
        multiple_of: float("multipleOf"),
        max_length: whole("maxLength"),
        min_length: whole("minLength"),
        pattern: raw
            .get("pattern")
            .and_then(Value::as_str)
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| (pattern.to_owned(), Regex::new(pattern).ok())),
        max_items: whole("maxItems"),
        min_items: whole("minItems"),
        unique_items: flag("uniqueItems"),
        max_properties: whole("maxProperties"),
        min_properties: whole("minProperties"),
    }
}

fn parse_strategy(text: &str) -> PatchStrategy {
    let mut strategy = PatchStrategy::default();
    for word in text.split(',') {
        match word {
            "merge" => strategy.merge = true,
            "replace" => strategy.replace = true,
            "retainKeys" => strategy.retain_keys = true,
            _ => {}
        }
    }
    strategy
}

fn strings(raw: Option<&Value>) -> Vec<String> {
    raw.and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}
