//! The four kinds of patches.

use serde_json::Value;

use super::create::{check_namespace_field, create_as};
use super::replace::{Written, check_name, replace};
use super::{Call, Target};
use crate::api::admission::{self, Source, Writer};
use crate::api::status::{Answer, Status};
use crate::patch::json::{self, Operation};
use crate::patch::merge;
use crate::schema::decode::MAX_DEPTH;
use crate::world::{World, metadata_text};

/// A patch, read from its body.
#[derive(Debug, Clone)]
pub enum Patch {
    Json(Vec<Operation>),
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
    if metadata_text(&value, "name").is_empty() {
        let why = "was undeterminable: name must be provided";
        return Err(Status::bad_request(format!("the name of the object ({} based on URL) {why}", target.name)));
    }
    check_name(target, &mut value)?;
    check_namespace_field(target, &mut value)?;
    admission::restore_type(target, &mut value)?;
    let value = admission::admit(call, target, value, Source::Patch)?;
    let writer = Writer::Update { subresource: target.subresource };
    let object = replace(world, call, target, &existing, value, writer)?;
    Ok(Written { object, created: false })
}

/// The object that a patch makes of another one.
pub(crate) fn changed(target: &Target, before: &Value, patch: &Patch) -> Answer<Value> {
    let value = match patch {
        Patch::Json(operations) => json::apply(before, operations)?,
        Patch::Merge(Value::Null) => return Err(Status::bad_request("Invalid JSON Patch")),
        Patch::Merge(changes) => {
            let mut value = before.clone();
            merge::apply(&mut value, changes);
            value
        }
        Patch::Strategic(changes) => admission::strategic_merge(target, before, changes)?,
        Patch::Apply(_) => return Err(Status::unsupported_media_type(&[])),
    };
    checked_depth(value)
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
    admission::check_applied(target, &mut wanted)?;
    check_namespace_field(target, &mut wanted.clone())?;
    let Some(existing) = target.lookup(world).cloned() else {
        if !target.subresource.is_empty() {
            return Err(Status::not_found(target.group(), target.plural(), &target.name));
        }
        let created = admission::apply(call, target, None, &wanted)?;
        let object = create_as(world, call, target, created, Writer::Applied)?;
        return Ok(Written { object, created: true });
    };
    let before = target.shown(&existing);
    let merged = admission::apply(call, target, Some(before.value()), &wanted)?;
    let merged = admission::admit(call, target, merged, Source::Body)?;
    let object = replace(world, call, target, &existing, merged, Writer::Applied)?;
    Ok(Written { object, created: false })
}
