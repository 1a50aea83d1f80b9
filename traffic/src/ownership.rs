//! Giving fields of shared objects back to whoever applies them. While a release runs, our field manager owns the
//! list of routes (the API server counts it as one field), so that others can see whose changes these are. When it
//! is over, the entry goes, and edits from Git are seen again as what they are.

use serde_json::Value;

use crate::edit::{Action, Edit, FIELD_MANAGER, Target};
use crate::objects::ObjectRef;
use crate::patch::Patch;

/// Gives up the ownership of all fields of an object, if there is any.
pub(crate) fn release(name: &ObjectRef, object: &Value) -> Option<Edit> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let index = entries.iter().position(|entry| entry["manager"] == FIELD_MANAGER)?;
    let path = format!("/metadata/managedFields/{index}");
    let mut patch = Patch::of(object);
    for field in ["manager", "operation", "time"] {
        patch.read(format!("{path}/{field}"), entries[index][field].clone());
    }
    patch.remove(path);
    Some(Edit {
        target: Target::of(name, object),
        action: Action::JsonPatch(patch.operations()),
        reason: "no release needs this object, so its fields belong to whoever applies it".to_owned(),
        event: None,
        only_tidies_up: true,
    })
}
