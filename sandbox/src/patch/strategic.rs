//! Strategic merge patch: lists of built-in kinds merge by key, and directives say what a plain merge can't.

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::{Schema, go_text};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

type Object = Map<String, Value>;

/// Lays `patch` over `original`, as `schema` says that its lists and maps merge.
pub fn apply(schema: &Schema, original: Value, patch: &Value) -> Result<Value, PatchError> {
    let Value::Object(original) = original else {
        return Err(PatchError::BadRequest("invalid JSON document".into()));
    };
    let Value::Object(patch) = patch.clone() else {
        return Err(PatchError::BadRequest("invalid JSON document".into()));
    };
    merge_map(original, patch, schema).map(Value::Object)
}

fn bad(text: &str) -> PatchError {
    PatchError::BadRequest(text.into())
}

fn bad_element_order() -> PatchError {
    bad("invalid patch format of setElementOrder list")
}

/// A map as `%v` prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(name, v)| format!("{name}:{}", shown(v))).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
        other => go_text::plain(other),
    }
}

fn no_merge_key(item: &Value, key: &str) -> PatchError {
    PatchError::Internal(format!("map: {} does not contain declared merge key: {key}", shown(item)))
}

fn unknown_directive(directive: &Value, item: &Object) -> PatchError {
    PatchError::Internal(format!(
        "unknown patch type: {} in map: {}",
        shown(directive),
        shown(&Value::Object(item.clone()))
    ))
}

fn merge_map(mut original: Object, mut patch: Object, schema: &Schema) -> Result<Object, PatchError> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Object::new()),
            _ => Err(unknown_directive(directive, &patch)),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    merge_ordered_lists(&mut original, &mut patch, schema)?;
    for (name, change) in patch {
        merge_entry(&mut original, &name, change, schema)?;
    }
    Ok(original)
}

fn merge_entry(original: &mut Object, name: &str, mut change: Value, schema: &Schema) -> Result<(), PatchError> {
    let (name, deletes_primitives) = match name.split_once('/') {
        Some((DELETE_PRIMITIVES, target)) => (target, true),
        None if name == DELETE_PRIMITIVES => {
            return Err(bad("invalid patch format of primitive list"));
        }
        _ => (name, false),
    };
    if change.is_null() {
        original.remove(name);
        return Ok(());
    }
    let same_kind =
        original.get(name).is_some_and(|now| std::mem::discriminant(now) == std::mem::discriminant(&change));
    if !same_kind && deletes_primitives {
        return Ok(());
    }
    let entry_schema = schema.entry(name);
    let strategy = entry_schema.map(|s| s.patch_strategy).unwrap_or_default();
    let merged = match (original.remove(name).filter(|_| same_kind), change) {
        (Some(Value::Object(now)), Value::Object(change)) => {
            if strategy.replace {
                Some(Value::Object(change))
            } else {
                let empty = Schema::default();
                Some(Value::Object(merge_map(now, change, entry_schema.unwrap_or(&empty))?))
            }
        }
        (Some(Value::Array(now)), Value::Array(change)) => {
            if strategy.merge || deletes_primitives {
                Some(Value::Array(merge_list(now, change, entry_schema, deletes_primitives)?))
            } else {
                Some(Value::Array(change))
            }
        }
        (None, mut added) => {
            drop_nulls(&mut added);
            without_directives(added)
        }
        (Some(_), other) => {
            change = other;
            without_directives(change)
        }
    };
    if let Some(merged) = merged {
        original.insert(name.to_owned(), merged);
    }
    Ok(())
}

/// `$retainKeys` lists all fields that may remain; used for unions such as an update strategy.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<(), PatchError> {
    let Some(listed) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let wrong = || bad("invalid patch format of retainKeys");
    let Value::Array(listed) = listed else { return Err(wrong()) };
    let kept = |name: &str| listed.iter().any(|item| item.as_str() == Some(name));
    let contradicts = patch.iter().any(|(name, change)| {
        !change.is_null() && !name.starts_with(DELETE_PRIMITIVES) && !name.starts_with(ELEMENT_ORDER) && !kept(name)
    });
    if contradicts {
        return Err(wrong());
    }
    original.retain(|name, _| kept(name));
    Ok(())
}

/// Lists that come with `$setElementOrder` are merged first, then sorted as the patch asks.
fn merge_ordered_lists(original: &mut Object, patch: &mut Object, schema: &Schema) -> Result<(), PatchError> {
    let names: Vec<String> = patch.keys().filter(|name| name.starts_with(ELEMENT_ORDER)).cloned().collect();
    for name in names {
        let order = match patch.remove(&name) {
            Some(Value::Array(order)) => order,
            other => return Err(wrong_kind("[]interface {}", other.as_ref())),
        };
        let Some((ELEMENT_ORDER, target)) = name.split_once('/') else {
            return Err(bad_element_order());
        };
        let now = take_list(original, target)?;
        let change = take_list(patch, target)?;
        let entry_schema = schema.entry(target);
        let merge_key = entry_schema.and_then(|s| s.patch_merge_key.as_deref()).unwrap_or_default();
        check_order(change.as_deref().unwrap_or_default(), &order, merge_key)?;
        let server_order = now.clone().unwrap_or_default();
        let merged = match (now, change) {
            (Some(now), None) => now,
            (None, Some(change)) => match without_directives(Value::Array(change)) {
                Some(Value::Array(change)) => change,
                _ => continue,
            },
            (Some(now), Some(change)) => {
                if entry_schema.is_some_and(|s| s.patch_strategy.merge) {
                    merge_list(now, change, entry_schema, false)?
                } else {
                    change
                }
            }
            (None, None) => continue,
        };
        let sorted = in_order(merged, &order, &server_order, merge_key)?;
        original.insert(target.to_owned(), Value::Array(sorted));
    }
    Ok(())
}

fn take_list(map: &mut Object, name: &str) -> Result<Option<Vec<Value>>, PatchError> {
    match map.remove(name) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(wrong_kind("[]interface {}", Some(&other))),
    }
}

fn wrong_kind(expected: &str, found: Option<&Value>) -> PatchError {
    let found = match found {
        None | Some(Value::Null) => "nil",
        Some(Value::Object(_)) => "map",
        Some(Value::Array(_)) => "slice",
        Some(Value::String(_)) => "string",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(number)) => {
            if number.is_f64() {
                "float64"
            } else {
                "int64"
            }
        }
    };
    let expected = if expected.starts_with("[]") { "slice" } else { "map" };
    PatchError::Internal(format!("expected a {expected}, but received a {found}"))
}

fn key_of<'a>(item: &'a Value, merge_key: &str) -> Result<&'a Value, PatchError> {
    let map = item.as_object().ok_or_else(|| wrong_kind("map", Some(item)))?;
    map.get(merge_key).ok_or_else(|| no_merge_key(item, merge_key))
}

/// What identifies an item: itself in a list of scalars, its merge key in a list of objects.
fn identity<'a>(item: &'a Value, merge_key: &str) -> Option<&'a Value> {
    if merge_key.is_empty() { Some(item) } else { item.get(merge_key) }
}

/// The items of the patch must be a subsequence of the order that the same patch asks for.
fn check_order(change: &[Value], order: &[Value], merge_key: &str) -> Result<(), PatchError> {
    if change.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut wanted = order.iter();
    for item in change.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        loop {
            let Some(candidate) = wanted.next() else {
                return Err(PatchError::Internal(format!(
                    "The order in patch list:\n{}\n doesn't match {ELEMENT_ORDER} list:\n{}\n",
                    shown(&Value::Array(change.to_vec())),
                    shown(&Value::Array(order.to_vec()))
                )));
            };
            let same = if merge_key.is_empty() {
                item == candidate
            } else {
                key_of(item, merge_key)? == key_of(candidate, merge_key)?
            };
            if same {
                break;
            }
        }
    }
    Ok(())
}

fn merge_list(
    now: Vec<Value>,
    change: Vec<Value>,
    schema: Option<&Schema>,
    deletes_primitives: bool,
) -> Result<Vec<Value>, PatchError> {
    if now.is_empty() && change.is_empty() {
        return Ok(now);
    }
    let holds_maps = check_elements(&now, &change)?;
    if !holds_maps {
        if deletes_primitives {
            return Ok(now.into_iter().filter(|item| !change.contains(item)).collect());
        }
        let mut merged: Vec<Value> = Vec::new();
        for item in now.iter().chain(&change) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        return in_order(merged, &change, &now, "");
    }
    let merge_key = schema.and_then(|s| s.patch_merge_key.as_deref()).unwrap_or_default();
    if merge_key.is_empty() {
        let name = schema.map_or("", |s| s.items.as_ref().map_or("", |items| &items.type_name));
        return Err(PatchError::Internal(format!("cannot merge lists without merge key for {name}")));
    }
    let (now, change) = apply_item_directives(now, change, merge_key)?;
    let empty = Schema::default();
    let item_schema = schema.and_then(|s| s.items.as_deref()).unwrap_or(&empty);
    let mut merged = now.clone();
    for item in &change {
        let key = key_of(item, merge_key)?;
        let place = merged.iter().position(|candidate| candidate.get(merge_key) == Some(key));
        match (place, item) {
            (Some(at), Value::Object(item)) => {
                let Value::Object(current) = merged[at].take() else {
                    return Err(PatchError::Internal(format!("value for key {at} is not a map")));
                };
                merged[at] = Value::Object(merge_map(current, item.clone(), item_schema)?);
            }
            _ => merged.push(item.clone()),
        }
    }
    in_order(merged, &change, &now, merge_key)
}

/// Whether both lists hold objects; lists of lists and mixed lists are refused.
fn check_elements(now: &[Value], change: &[Value]) -> Result<bool, PatchError> {
    let mut first: Option<&Value> = None;
    for item in now.iter().chain(change) {
        match first {
            None if item.is_array() => {
                return Err(PatchError::Unprocessable("lists of lists are not supported".into()));
            }
            None => first = Some(item),
            Some(first) if std::mem::discriminant(first) != std::mem::discriminant(item) => {
                let lists = [Value::Array(now.to_vec()), Value::Array(change.to_vec())];
                return Err(PatchError::Internal(format!(
                    "list element types are not identical: {}",
                    shown(&Value::Array(lists.to_vec()))
                )));
            }
            Some(_) => {}
        }
    }
    Ok(first.is_some_and(Value::is_object))
}

/// Carries out `$patch` inside of list items and returns what is left to merge.
fn apply_item_directives(
    mut now: Vec<Value>,
    change: Vec<Value>,
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut rest = Vec::with_capacity(change.len());
    let mut replace = false;
    for item in change {
        let directive = item.get(DIRECTIVE).cloned();
        match directive.as_ref().map(Value::as_str) {
            None => rest.push(item),
            Some(Some("delete")) => {
                let key = key_of(&item, merge_key)?;
                now.retain(|candidate| candidate.get(merge_key) != Some(key));
            }
            Some(Some("replace")) => replace = true,
            Some(Some("merge")) => {
                return Err(PatchError::Internal("merging lists cannot yet be specified in the patch".into()));
            }
            Some(_) => {
                let empty = Object::new();
                let map = item.as_object().unwrap_or(&empty);
                return Err(unknown_directive(&directive.unwrap_or_default(), map));
            }
        }
    }
    if replace { Ok((rest, Vec::new())) } else { Ok((now, rest)) }
}

/// Items that the patch names stand in its order; all others keep their place relative to them as far as possible.
fn in_order(
    merged: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    merge_key: &str,
) -> Result<Vec<Value>, PatchError> {
    let rank = |order: &[Value], item: &Value| {
        let wanted = identity(item, merge_key)?;
        order.iter().position(|candidate| identity(candidate, merge_key) == Some(wanted))
    };
    if !merge_key.is_empty() {
        for item in &merged {
            key_of(item, merge_key)?;
        }
    }
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| rank(patch_order, item).is_some());
    named.sort_by_key(|item| rank(patch_order, item));
    others.sort_by_key(|item| rank(server_order, item).unwrap_or(usize::MAX));
    let mut result = Vec::with_capacity(named.len() + others.len());
    let mut named = named.into_iter().peekable();
    let mut others = others.into_iter().peekable();
    loop {
        let other_first = match (others.peek(), named.peek()) {
            (None, None) => return Ok(result),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(named)) => match (rank(server_order, other), rank(server_order, named)) {
                (Some(other), Some(named)) => other < named,
                _ => false,
            },
        };
        result.extend(if other_first { others.next() } else { named.next() });
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, entry| !entry.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What is added anew is taken as it is, except for objects that are only a directive.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(Value::Object(
            map.into_iter().filter_map(|(name, entry)| without_directives(entry).map(|entry| (name, entry))).collect(),
        )),
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::parse;

    fn schema() -> Schema {
        parse(&json!({"type": "object", "properties": {
            "containers": {"type": "array", "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name",
                "items": {"type": "object", "properties": {
                    "args": {"type": "array", "items": {"type": "string"}},
                    "env": {"type": "array", "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name",
                            "items": {"type": "object"}}}}},
            "finalizers": {"type": "array", "x-kubernetes-patch-strategy": "merge", "items": {"type": "string"}},
            "strategy": {"type": "object", "x-kubernetes-patch-strategy": "retainKeys"},
            "plain": {"type": "array", "items": {"type": "object"}},
        }}))
    }

    #[test]
    fn lists_merge_by_key_and_directives_are_obeyed() {
        let rows = [
            (
                json!({"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]}),
                json!({"containers": [{"name": "a", "image": "2", "args": ["y"]}]}),
                json!({"containers": [{"name": "a", "image": "2", "args": ["y"]}, {"name": "b"}]}),
            ),
            (
                json!({"containers": [{"name": "a"}]}),
                json!({"containers": [{"name": "b"}]}),
                json!({"containers": [{"name": "b"}, {"name": "a"}]}),
            ),
            (
                json!({"containers": [{"name": "a"}, {"name": "b"}]}),
                json!({"containers": [{"name": "a", "$patch": "delete"}]}),
                json!({"containers": [{"name": "b"}]}),
            ),
            (
                json!({"containers": [{"name": "a"}, {"name": "b"}]}),
                json!({"containers": [{"$patch": "replace"}, {"name": "c"}]}),
                json!({"containers": [{"name": "c"}]}),
            ),
            (
                json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "own"}]}),
                json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}], "containers": [{"name": "c", "image": "3"}]}),
                json!({"containers": [{"name": "b"}, {"name": "c", "image": "3"}, {"name": "a"}, {"name": "own"}]}),
            ),
            (
                json!({"finalizers": ["a", "b"]}),
                json!({"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}),
                json!({"finalizers": ["c", "b"]}),
            ),
            (
                json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}),
                json!({"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}),
                json!({"strategy": {"type": "Recreate"}}),
            ),
            (json!({"plain": [{"a": 1}]}), json!({"plain": [{"b": 2}]}), json!({"plain": [{"b": 2}]})),
            (
                json!({"strategy": {"type": "x"}}),
                json!({"strategy": {"$patch": "replace", "n": 1}}),
                json!({"strategy": {"n": 1}}),
            ),
            (json!({"a": 1}), json!({"a": null, "b": {"c": null, "d": 1}}), json!({"b": {"d": 1}})),
        ];
        for (original, patch, expected) in rows {
            assert_eq!(apply(&schema(), original, &patch), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn patches_that_contradict_themselves_are_refused() {
        let rows = [
            (
                json!({"containers": [{"image": "x"}]}),
                PatchError::Internal("map: map[image:x] does not contain declared merge key: name".into()),
            ),
            (
                json!({"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}),
                PatchError::BadRequest("invalid patch format of retainKeys".into()),
            ),
            (
                json!({"$patch": "jump"}),
                PatchError::Internal("unknown patch type: jump in map: map[$patch:jump]".into()),
            ),
        ];
        for (patch, expected) in rows {
            let original = json!({"containers": [{"name": "a"}], "strategy": {"type": "x"}});
            assert_eq!(apply(&schema(), original, &patch), Err(expected), "{patch}");
        }
    }
}
