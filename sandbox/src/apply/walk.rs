//! The walks over values that ownership needs: which fields are there, what differs, what to take out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::path::PathElement;
use super::typed::{Shape, Typed};

/// All fields that a value sets.
pub(super) fn fields_of(typed: Typed<'_>, value: &Value) -> FieldSet {
    let mut set = FieldSet::new();
    collect(typed, value, &mut Vec::new(), &mut set);
    set
}

fn collect(typed: Typed<'_>, value: &Value, path: &mut Vec<PathElement>, set: &mut FieldSet) {
    match (typed.shape(value), value) {
        (Shape::Leaf, _) => set.insert(path),
        (Shape::Map, Value::Object(map)) => {
            for (name, entry) in map {
                let named = typed.named_field(name).is_some();
                let empty = entry.is_null() || entry.as_object().is_some_and(Map::is_empty);
                path.push(PathElement::Field(name.clone()));
                collect(typed.field(name).unwrap_or(Typed::Deduced), entry, path, set);
                // Entries of open maps are owned as such, named fields only through what is in them.
                if empty || !named {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Shape::List, Value::Array(items)) => {
            for (identity, items) in group(typed, items) {
                path.push(identity);
                // An ambiguous item is owned as one thing.
                if let [only] = items.as_slice() {
                    collect(typed.item(), only, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Items by identity; what can't be identified is left out.
fn group<'v>(typed: Typed<'_>, items: &'v [Value]) -> BTreeMap<PathElement, Vec<&'v Value>> {
    let mut groups: BTreeMap<PathElement, Vec<&Value>> = BTreeMap::new();
    for item in items {
        if let Ok(identity) = typed.identify(item) {
            groups.entry(identity).or_default().push(item);
        }
    }
    groups
}

/// What changes from one object to another.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

impl Comparison {
    pub(super) fn between(typed: Typed<'_>, old: &Value, new: &Value) -> Self {
        let mut comparison = Self::default();
        comparison.node(typed, Some(old), Some(new), &mut Vec::new());
        comparison
    }

    /// Changes that this request can't make are none of its business.
    #[must_use]
    pub(super) fn without(self, reset: &FieldSet) -> Self {
        Self {
            added: self.added.without_subtrees(reset),
            modified: self.modified.without_subtrees(reset),
            removed: self.removed.without_subtrees(reset),
        }
    }

    fn note(&mut self, old: Option<&Value>, new: Option<&Value>, path: &[PathElement]) {
        match (old, new) {
            (None, Some(_)) => self.added.insert(path),
            (Some(_), None) => self.removed.insert(path),
            (Some(old), Some(new)) if old != new => self.modified.insert(path),
            _ => {}
        }
    }

    fn node(&mut self, typed: Typed<'_>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<PathElement>) {
        let shape_of = |value: Option<&Value>| value.map(|value| typed.shape(value));
        let (old_shape, new_shape) = (shape_of(old), shape_of(new));
        if old_shape.is_some() && new_shape.is_some() && old_shape != new_shape {
            // The value turned into another kind of value: both sides count on their own.
            self.walk(typed, old_shape, old, None, path);
            self.walk(typed, new_shape, None, new, path);
            self.note(old, new, path);
            return;
        }
        let leaf = self.walk(typed, new_shape.or(old_shape), old, new, path);
        if !leaf && (old.is_none() || new.is_none()) {
            self.note(old, new, path);
        }
    }

    /// Returns whether the value was one field.
    fn walk(
        &mut self,
        typed: Typed<'_>,
        shape: Option<Shape>,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &mut Vec<PathElement>,
    ) -> bool {
        let both_empty = [old, new].iter().all(|side| side.is_none_or(is_empty));
        if shape == Some(Shape::Leaf) || both_empty {
            self.note(old, new, path);
            return true;
        }
        match shape {
            Some(Shape::Map) => self.maps(typed, old, new, path),
            Some(Shape::List) => self.lists(typed, old, new, path),
            _ => {}
        }
        false
    }

    fn maps(&mut self, typed: Typed<'_>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<PathElement>) {
        let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        let names = old.into_iter().flatten().chain(new.into_iter().flatten()).map(|(name, _)| name);
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            let (old, new) = (old.and_then(|map| map.get(name)), new.and_then(|map| map.get(name)));
            path.push(PathElement::Field(name.clone()));
            self.node(typed.field(name).unwrap_or(Typed::Deduced), old, new, path);
            path.pop();
        }
    }

    fn lists(&mut self, typed: Typed<'_>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<PathElement>) {
        let items = |side: Option<&'_ Value>| side.and_then(Value::as_array).cloned().unwrap_or_default();
        let (old, new) = (items(old), items(new));
        let (old, new) = (group(typed, &old), group(typed, &new));
        for identity in old.keys().chain(new.keys()).collect::<std::collections::BTreeSet<_>>() {
            let before = old.get(identity).map_or(&[][..], Vec::as_slice);
            let after = new.get(identity).map_or(&[][..], Vec::as_slice);
            path.push(identity.clone());
            match (before, after) {
                ([] | [_], [] | [_]) => {
                    self.node(typed.item(), before.first().copied(), after.first().copied(), path);
                }
                ([_, _, ..], [_, _, ..]) if before != after => self.modified.insert(path),
                ([_, _, ..], [_, _, ..]) => {}
                ([_, _, ..], _) => {
                    if let Some(item) = after.first() {
                        self.node(typed.item(), None, Some(item), path);
                    }
                    self.removed.insert(path);
                }
                (_, _) => {
                    if let Some(item) = before.first() {
                        self.node(typed.item(), Some(item), None, path);
                    }
                    self.added.insert(path);
                }
            }
            path.pop();
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The value without the fields in `removed`. `None`: nothing is left of it.
pub(super) fn remove(typed: Typed<'_>, value: &Value, removed: &FieldSet) -> Option<Value> {
    match (typed.shape(value), value) {
        (Shape::Map, Value::Object(map)) if !map.is_empty() => {
            let mut rest = Map::new();
            let mut touched = false;
            for (name, entry) in map {
                let step = PathElement::Field(name.clone());
                if removed.has_member(&step) {
                    continue;
                }
                let field = typed.field(name).unwrap_or(Typed::Deduced);
                let (entry, inside) = remove_inside(field, entry, removed.below(&step));
                touched |= inside;
                rest.insert(name.clone(), entry);
            }
            (touched || !rest.is_empty()).then_some(Value::Object(rest))
        }
        (Shape::List, Value::Array(items)) if !items.is_empty() => {
            let mut rest = Vec::new();
            let mut touched = false;
            for item in items {
                let Ok(step) = typed.identify(item) else {
                    rest.push(item.clone());
                    continue;
                };
                if removed.has_member(&step) {
                    continue;
                }
                let (item, inside) = remove_inside(typed.item(), item, removed.below(&step));
                touched |= inside;
                rest.push(item);
            }
            (touched || !rest.is_empty()).then_some(Value::Array(rest))
        }
        (Shape::Leaf, Value::Object(_) | Value::Array(_)) | (Shape::Map | Shape::List, _) => None,
        (Shape::Leaf, scalar) => Some(scalar.clone()),
    }
}

/// A container out of which things are taken stays, even when it becomes empty.
fn remove_inside(typed: Typed<'_>, value: &Value, removed: Option<&FieldSet>) -> (Value, bool) {
    let Some(removed) = removed else { return (value.clone(), false) };
    let rest = remove(typed, value, removed).unwrap_or_else(|| match value {
        Value::Object(_) => Value::Object(Map::new()),
        Value::Array(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    });
    (rest, true)
}

/// The set, and every field that the schema names on the way to its members.
pub(super) fn with_named_parents(typed: Option<Typed<'_>>, set: &FieldSet) -> FieldSet {
    let mut named = Vec::new();
    let mut children = BTreeMap::new();
    for (step, below) in set.children() {
        let child = match (step, typed) {
            (PathElement::Field(name), Some(typed)) => {
                if typed.named_field(name).is_some() {
                    named.push(step.clone());
                }
                typed.field(name)
            }
            (PathElement::Key(_), Some(typed)) => Some(typed.item()),
            _ => None,
        };
        children.insert(step.clone(), with_named_parents(child, below));
    }
    set.with_children(named, children)
}
