//! The one place where requests meet schemas and field ownership.

use serde_json::Value;

use super::body::strict_failure;
use super::options::FieldValidation;
use super::status::{Answer, Status};
use super::verbs::{Call, Target};
use crate::world::World;

/// Who owns the fields that a write sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A create, update or patch by that manager.
    Update { manager: String, subresource: &'static str },
    /// A server-side apply of an object that isn't there yet.
    Apply,
    /// A server-side apply whose ownership is in the object already.
    Applied,
}

/// Makes an incoming object one of its kind: unknown fields out (or refused), types checked, defaults in.
pub(crate) fn admit(_call: &mut Call, _target: &Target, value: Value) -> Answer<Value> {
    Ok(value)
}

pub(crate) fn restore_type(_target: &Target, _value: &mut Value) -> Answer<()> {
    Ok(())
}
pub(crate) fn own_fields(
    _call: &Call,
    _target: &Target,
    _before: Option<&Value>,
    _value: &mut Value,
    _writer: &Writer,
) -> Answer<()> {
    Ok(())
}
pub(crate) fn check_create(_world: &World, _target: &Target, _value: &Value) -> Answer<()> {
    Ok(())
}
pub(crate) fn check_update(_world: &World, _target: &Target, _before: &Value, _value: &Value) -> Answer<()> {
    Ok(())
}
pub(crate) fn strategic_merge(_target: &Target, before: &Value, changes: &Value) -> Answer<Value> {
    let mut v = before.clone();
    json_patch::merge(&mut v, changes);
    Ok(v)
}
pub(crate) fn check_applied(_call: &mut Call, _target: &Target, _wanted: &mut Value) -> Answer<()> {
    Ok(())
}
pub(crate) fn apply(_call: &Call, _target: &Target, before: &Value, wanted: &Value) -> Answer<Value> {
    let mut v = before.clone();
    json_patch::merge(&mut v, wanted);
    Ok(v)
}
