//! The four kinds of patches.

use json_patch::PatchOperation;
use serde_json::Value;

use super::create::{check_namespace_field, create_as};
use super::replace::{Written, replace};
use super::{Call, Target};
use crate::api::admission::{self, Writer};
use crate::api::status::{Answer, Status};
use crate::schema::decode::MAX_DEPTH;
use crate::world::World;

/// More operations than this are not tried.
const MAX_OPERATIONS: usize = 10_000;

/// What `copy` operations may add up to, so that a short patch can't grow without end.
const COPY_LIMIT_BYTES: usize = 3 * 1024 * 1024;

/// A patch, read from its body.
#[derive(Debug, Clone)]
pub enum Patch {
    Json(Value),
    Merge(Value),
    Strategic(Value),
    /// Server-side apply.
    Apply(Value),
}

/// Patches an object, or the part of it that the target's subresource reaches.
pub fn patch(world: &mut World, call: &mut Call, target: &Target, patch: &Patch) -> Answer<Written> {
    match patch {
        Patch::Apply(wanted) => apply(world, call, target, wanted),
        Patch::Json(_) | Patch::Merge(_) | Patch::Strategic(_) => change(world, call, target, patch),
    }
}

fn change(world: &mut World, call: &mut Call, target: &Target, patch: &Patch) -> Answer<Written> {
    let existing = target.stored(world)?;
    let mut value = changed(target, target.shown(&existing).value(), patch)?;
    check_namespace_field(target, &mut value)?;
    admission::restore_type(target, &mut value)?;
    let value = admission::admit(call, target, value)?;
    let writer = Writer::Update { manager: call.options.field_manager.clone(), subresource: target.subresource };
    let object = replace(world, call, target, &existing, value, &writer)?;
    Ok(Written { object, created: false })
}

/// The object that a patch makes of another one.
pub(crate) fn changed(target: &Target, before: &Value, patch: &Patch) -> Answer<Value> {
    match patch {
        Patch::Json(operations) => json(before, operations),
        Patch::Merge(changes) => {
            let mut value = before.clone();
            json_patch::merge(&mut value, changes);
            checked_depth(value)
        }
        Patch::Strategic(changes) => checked_depth(admission::strategic_merge(target, before, changes)?),
        Patch::Apply(_) => Err(Status::unsupported_media_type(&[])),
    }
}

fn json(before: &Value, operations: &Value) -> Answer<Value> {
    let operations: Vec<PatchOperation> = serde_json::from_value(operations.clone())
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(Status::too_many_operations(operations.len(), MAX_OPERATIONS));
    }
    let mut value = before.clone();
    let mut copied_bytes = 0;
    for operation in &operations {
        if let PatchOperation::Copy(copy) = operation {
            let source = value.pointer(copy.from.as_str());
            copied_bytes += source.map_or(0, |source| source.to_string().len());
            if copied_bytes > COPY_LIMIT_BYTES {
                return Err(Status::patch_does_not_apply());
            }
        }
        json_patch::patch(&mut value, std::slice::from_ref(operation)).map_err(|_| Status::patch_does_not_apply())?;
        value = checked_depth(value)?;
    }
    Ok(value)
}

/// Patches can nest deeper than any one body; everything behind this point may recurse.
fn checked_depth(value: Value) -> Answer<Value> {
    if deeper_than(&value, MAX_DEPTH) {
        return Err(Status::patch_does_not_apply());
    }
    Ok(value)
}

fn deeper_than(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => true,
        (Value::Array(items), _) => items.iter().any(|item| deeper_than(item, levels - 1)),
        (Value::Object(fields), _) => fields.values().any(|inner| deeper_than(inner, levels - 1)),
        _ => false,
    }
}

fn apply(world: &mut World, call: &mut Call, target: &Target, wanted: &Value) -> Answer<Written> {
    let mut wanted = wanted.clone();
    admission::check_applied(call, target, &mut wanted)?;
    check_namespace_field(target, &mut wanted)?;
    let Some(existing) = target.lookup(world).cloned() else {
        if !target.subresource.is_empty() {
            return Err(Status::not_found(target.group(), target.plural(), &target.name));
        }
        let object = create_as(world, call, target, wanted, &Writer::Apply)?;
        return Ok(Written { object, created: true });
    };
    let before = target.shown(&existing);
    let merged = admission::apply(call, target, before.value(), &wanted)?;
    let merged = admission::admit(call, target, merged)?;
    let object = replace(world, call, target, &existing, merged, &Writer::Applied)?;
    Ok(Written { object, created: false })
}
