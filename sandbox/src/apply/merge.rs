//! Laying an applied configuration over the live object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::PathElement;
use super::typed::{Shape, Typed};

/// The live value with everything that was applied laid over it.
pub(super) fn merge(typed: Typed<'_>, live: &Value, applied: &Value) -> Value {
    node(typed, Some(live), Some(applied)).unwrap_or(Value::Null)
}

fn node(typed: Typed<'_>, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let live_shape = live.map(|value| typed.shape(value));
    let applied_shape = applied.map(|value| typed.shape(value));
    let same = live_shape.is_none() || applied_shape.is_none() || live_shape == applied_shape;
    match applied_shape.or(live_shape) {
        Some(Shape::Map) if same && !both_empty(live, applied) => merge_maps(typed, live, applied),
        Some(Shape::List) if same && !both_empty(live, applied) => merge_lists(typed, live, applied),
        _ => applied.or(live).cloned(),
    }
}

fn both_empty(live: Option<&Value>, applied: Option<&Value>) -> bool {
    let empty = |side: Option<&Value>| match side {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    empty(live) && empty(applied)
}

fn merge_maps(typed: Typed<'_>, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let (live, applied) = (live.and_then(Value::as_object), applied.and_then(Value::as_object));
    let names: BTreeSet<&String> =
        live.into_iter().flatten().chain(applied.into_iter().flatten()).map(|(name, _)| name).collect();
    let mut merged = Map::new();
    for name in names {
        let field = typed.field(name).unwrap_or(Typed::Deduced);
        let live = live.and_then(|map| map.get(name));
        let applied = applied.and_then(|map| map.get(name));
        if let Some(entry) = node(field, live, applied) {
            merged.insert(name.clone(), entry);
        }
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

/// A list side: the order of its items and each item by identity (none where it is ambiguous).
struct Side<'v> {
    order: Vec<PathElement>,
    items: Vec<&'v Value>,
    by_identity: BTreeMap<PathElement, Option<&'v Value>>,
}

impl<'v> Side<'v> {
    fn of(typed: Typed<'_>, value: Option<&'v Value>) -> Self {
        let mut side = Self { order: Vec::new(), items: Vec::new(), by_identity: BTreeMap::new() };
        for item in value.and_then(Value::as_array).into_iter().flatten() {
            let Ok(identity) = typed.identify(item) else { continue };
            side.by_identity.entry(identity.clone()).and_modify(|ambiguous| *ambiguous = None).or_insert(Some(item));
            side.order.push(identity);
            side.items.push(item);
        }
        side
    }

    fn has(&self, identity: &PathElement) -> bool {
        self.by_identity.contains_key(identity)
    }

    fn get(&self, identity: &PathElement) -> Option<&'v Value> {
        self.by_identity.get(identity).copied().flatten()
    }
}

/// Applied items stand in their own order; live items that were not applied keep their place between them.
fn merge_lists(typed: Typed<'_>, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let (live, applied) = (Side::of(typed, live), Side::of(typed, applied));
    let mut shared = applied.order.iter().filter(|identity| live.has(identity));
    let mut next_shared = shared.next();
    let mut taken: BTreeSet<&PathElement> = BTreeSet::new();
    let mut out = Vec::new();
    let item = |live: Option<&Value>, applied: Option<&Value>| node(typed.item(), live, applied);
    let (mut l, mut a) = (0, 0);
    while l < live.order.len() || a < applied.order.len() {
        if let (Some(left), Some(right)) = (live.order.get(l), applied.order.get(a)) {
            if left == right {
                taken.insert(right);
                out.extend(item(live.get(left), applied.get(right)));
                l += 1;
                a += 1;
                next_shared = shared.next();
                continue;
            }
            if applied.has(left) && next_shared.is_some_and(|next| next != left) {
                l += 1;
                continue;
            }
        }
        if let Some(left) = live.order.get(l) {
            if !applied.has(left) {
                out.extend(item(live.items.get(l).copied(), None));
                l += 1;
                continue;
            }
            if taken.contains(left) {
                l += 1;
            }
        }
        if let Some(right) = applied.order.get(a) {
            taken.insert(right);
            out.extend(item(live.get(right), applied.get(right)));
            a += 1;
            if next_shared == Some(right) {
                next_shared = shared.next();
            }
        }
    }
    (!out.is_empty()).then_some(Value::Array(out))
}
