//! Which objects belong to a controller: owned by uid, adopted when they match and nobody owns them,
//! released when they stop matching.

use serde_json::{Value, json};

use super::object::{at, controller_reference, controller_uid, is_being_deleted, name, namespace, uid};
use super::pods::selector_matches;
use super::write::{Kind, Write};

/// The claimed objects, and the writes that adopt or release.
pub(super) struct Claimed<'a> {
    pub(super) owned: Vec<&'a Value>,
    pub(super) writes: Vec<Write>,
}

/// Claims among `candidates` (all of the owner's namespace that match or are owned) what is `owner`'s.
pub(super) fn claim<'a>(owner: &Value, kind: Kind, candidates: &[&'a Value]) -> Claimed<'a> {
    let selector = at(owner, &["spec", "selector"]);
    let mut claimed = Claimed { owned: Vec::new(), writes: Vec::new() };
    for &candidate in candidates {
        let matches = selector_matches(selector, at(candidate, &["metadata", "labels"]));
        match controller_uid(candidate) {
            Some(of) if of == uid(owner) && matches => claimed.owned.push(candidate),
            Some(of) if of == uid(owner) => {
                if !is_being_deleted(owner) {
                    claimed.writes.push(release(kind, owner, candidate));
                }
            }
            Some(_) => {}
            None => {
                if matches && !is_being_deleted(owner) && !is_being_deleted(candidate) {
                    claimed.writes.push(adopt(kind, owner, candidate));
                    claimed.owned.push(candidate);
                }
            }
        }
    }
    claimed
}

fn adopt(kind: Kind, owner: &Value, object: &Value) -> Write {
    let mut owners = owner_references(object);
    owners.push(controller_reference(owner));
    patch_owners(kind, object, owners)
}

fn release(kind: Kind, owner: &Value, object: &Value) -> Write {
    let mut owners = owner_references(object);
    owners.retain(|one| one.get("uid").and_then(Value::as_str) != Some(uid(owner)));
    patch_owners(kind, object, owners)
}

fn owner_references(object: &Value) -> Vec<Value> {
    at(object, &["metadata", "ownerReferences"]).as_array().cloned().unwrap_or_default()
}

fn patch_owners(kind: Kind, object: &Value, owners: Vec<Value>) -> Write {
    let owners = if owners.is_empty() { Value::Null } else { Value::Array(owners) };
    Write::Patch {
        kind,
        namespace: namespace(object).to_owned(),
        name: name(object).to_owned(),
        patch: json!({"metadata": {"uid": uid(object), "ownerReferences": owners}}),
    }
}
