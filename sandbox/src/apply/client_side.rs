//! Objects that kubectl applied from the client carry their last configuration in an annotation. When kubectl turns
//! to server-side apply, it may take over what stands there.

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::typed::Typed;
use super::walk::{Comparison, fields_of};

/// The only manager for whom the annotation counts.
pub(super) const KUBECTL: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Longer annotations would make the object unstorable; then it is dropped instead.
const MAX_BYTES: usize = 256 << 10;

fn last_applied(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str()
}

/// Fields that were applied from the client and still have that value.
pub(super) fn allowed(typed: Typed<'_>, live: &Value) -> FieldSet {
    let parsed = last_applied(live).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(applied) = parsed.filter(|applied| applied.get("apiVersion") == live.get("apiVersion")) else {
        return FieldSet::new();
    };
    let changes = Comparison::between(typed, &applied, live);
    fields_of(typed, &applied).difference(&changes.modified).difference(&changes.added).difference(&changes.removed)
}

/// Keeps the annotation, where there is one, in step with what is applied now.
pub(super) fn refresh(object: &mut Value, applied: &Value) {
    if last_applied(object).is_none_or(str::is_empty) {
        return;
    }
    let mut applied = applied.clone();
    if let Some(Value::Object(annotations)) = applied.pointer_mut("/metadata/annotations") {
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty()
            && let Some(Value::Object(meta)) = applied.get_mut("metadata")
        {
            meta.remove("annotations");
        }
    }
    let text = format!("{applied}\n");
    if let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") {
        let size: usize = total(annotations) + text.len();
        if size > MAX_BYTES {
            annotations.remove(LAST_APPLIED);
        } else {
            annotations.insert(LAST_APPLIED.into(), Value::String(text));
        }
    }
}

fn total(annotations: &Map<String, Value>) -> usize {
    annotations
        .iter()
        .filter(|(name, _)| *name != LAST_APPLIED)
        .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len))
        .sum()
}
