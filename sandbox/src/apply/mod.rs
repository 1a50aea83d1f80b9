//! Server-side apply: every field has owners, a change to somebody else's field is a conflict, and what an applier
//! no longer applies goes away if nobody else owns it.

mod client_side;
mod conflict;
mod field_set;
mod managers;
mod merge;
mod path;
mod typed;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use conflict::{Conflict, Conflicts};
pub use field_set::FieldSet;
pub use managers::{ManagerId, Managers, Operation, Owned};
pub use path::PathElement;

use crate::schema::{Schema, zero_object};
use typed::Typed;
use walk::Comparison;

/// Owner of what was there before the first apply of an object that had no owners.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// Fields that say what an object is; nobody owns them.
const NEVER_OWNED: [&str; 12] = [
    "apiVersion",
    "kind",
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.selfLink",
    "metadata.uid",
    "metadata.clusterName",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
];

/// A write, as far as ownership is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// The schema of the kind; without one, what is owned is deduced from the values.
    pub schema: Option<&'a Schema>,
    /// `fieldManager`, or what [`manager_from_user_agent`] says.
    pub manager: &'a str,
    /// The version in which the request speaks, e.g. `apps/v1`.
    pub api_version: &'a str,
    /// `status`, `scale` or empty.
    pub subresource: &'a str,
    /// Fields that this endpoint does not change, e.g. `status` for the main one: never owned through it.
    pub reset: &'a [&'a str],
    /// RFC 3339 with seconds.
    pub now: &'a str,
}

/// Why an apply did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// 409 with [`Conflicts::causes`].
    #[error("{}", .0.message())]
    Conflict(Conflicts),
    /// 400.
    #[error("{0}")]
    BadRequest(String),
    /// 500: the configuration does not have the form of its kind.
    #[error("{0}")]
    Internal(String),
}

/// The manager of a request that names none: its user agent up to the first slash.
pub fn manager_from_user_agent(user_agent: &str) -> &str {
    let name = user_agent.split('/').next().unwrap_or_default();
    let end = name.char_indices().nth(128).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

/// Applies a configuration to the live object (`None`: it is created by this) and returns the object with its
/// managedFields. Defaulting and validation come after.
pub fn apply(live: Option<&Value>, applied: &Value, force: bool, write: &Write<'_>) -> Result<Value, ApplyError> {
    let patch_version = applied.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let kind = applied.get("kind").and_then(Value::as_str).unwrap_or_default();
    if patch_version.is_empty() || kind.is_empty() {
        return Err(ApplyError::Internal(format!("invalid object type: {}, Kind={kind}", grouped(patch_version))));
    }
    if patch_version != write.api_version {
        return Err(ApplyError::BadRequest(format!(
            "Incorrect version specified in apply patch. Specified patch version: {patch_version}, expected: {}",
            write.api_version
        )));
    }
    if applied.pointer("/metadata/managedFields").is_some_and(|entries| !entries.is_null()) {
        return Err(ApplyError::BadRequest("metadata.managedFields must be nil".into()));
    }
    let engine = Engine::new(write);
    typed::check(engine.typed, applied, false).map_err(|why| {
        ApplyError::Internal(format!("failed to create typed patch object ({}): {why}", describe(applied)))
    })?;
    let mut managers = live.map(|live| decode_managers(live).unwrap_or_default()).unwrap_or_default();
    let live = live.map_or_else(|| empty_like(applied), without_managers);
    if managers.is_empty() {
        let first = Write { manager: BEFORE_FIRST_APPLY, ..*write };
        managers = Engine::new(&first).own_changes(&zero_like(write.schema, &live), &live, managers);
    }
    let outcome = match engine.apply(&live, applied, managers.clone(), force) {
        Err(ApplyError::Conflict(conflicts)) if write.manager == client_side::KUBECTL => {
            // What kubectl itself applied from the client may be taken over without force.
            let others = conflicts.outside(&client_side::allowed(engine.typed, &live));
            if !others.is_empty() {
                return Err(ApplyError::Conflict(others));
            }
            engine.apply(&live, applied, managers, true)?
        }
        outcome => outcome?,
    };
    let (mut object, mut managers) = outcome;
    if object != live
        && let Some(own) = managers.get_mut(&engine.applier())
    {
        own.time = Some(write.now.to_owned());
    }
    if write.manager == client_side::KUBECTL {
        client_side::refresh(&mut object, applied);
    }
    set_managers(&mut object, &managers);
    Ok(object)
}

/// Notes in `new` who owns what after a create, update or patch made it out of `live` (`None`: create).
pub fn update(live: Option<&Value>, new: &mut Value, write: &Write<'_>) {
    let entries = new.pointer("/metadata/managedFields").filter(|_| write.subresource.is_empty());
    let reset = entries.and_then(Value::as_array).is_some_and(|entries| {
        entries.is_empty() || entries.len() == 1 && entries[0].as_object().is_some_and(Map::is_empty)
    });
    let of_live = || live.and_then(decode_managers).unwrap_or_default();
    let managers = if reset {
        Managers::new()
    } else {
        // Clients that know nothing of managers don't wipe them out.
        match entries.and_then(|_| decode_managers(new)) {
            Some(managers) if !managers.is_empty() => managers,
            _ => of_live(),
        }
    };
    remove_managers(new);
    let has_uid = live.is_some_and(|live| live.pointer("/metadata/uid").is_some());
    if managers.is_empty() && has_uid {
        return;
    }
    let old = live.map_or_else(|| zero_like(write.schema, new), without_managers);
    let managers = Engine::new(write).own_changes(&old, new, managers);
    set_managers(new, &managers);
}

/// A write that would change nothing but the times in managedFields changes nothing.
pub fn ignore_new_times(new: &mut Value, old: &Value) {
    let plain = |object: &Value| {
        let mut object = without_managers(object);
        if let Some(Value::Object(meta)) = object.get_mut("metadata") {
            meta.remove("resourceVersion");
        }
        object
    };
    let timeless = |object: &Value| {
        let mut managers = decode_managers(object)?;
        managers.values_mut().for_each(|owned| owned.time = None);
        Some(managers)
    };
    if timeless(new) == timeless(old)
        && plain(new) == plain(old)
        && let Some(entries) = old.pointer("/metadata/managedFields").cloned()
        && let Some(Value::Object(meta)) = new.get_mut("metadata")
    {
        meta.insert("managedFields".into(), entries);
    }
}

struct Engine<'a> {
    write: &'a Write<'a>,
    typed: Typed<'a>,
    reset: FieldSet,
}

impl<'a> Engine<'a> {
    fn new(write: &'a Write<'a>) -> Self {
        let typed = write.schema.map_or(Typed::Deduced, Typed::resource);
        Self { write, typed, reset: FieldSet::of_fields(write.reset) }
    }

    fn id(&self, operation: Operation) -> ManagerId {
        ManagerId {
            name: if self.write.manager.is_empty() { "unknown".into() } else { self.write.manager.into() },
            operation,
            api_version: match operation {
                Operation::Apply => String::new(),
                Operation::Update => self.write.api_version.to_owned(),
            },
            subresource: self.write.subresource.to_owned(),
        }
    }

    fn applier(&self) -> ManagerId {
        self.id(Operation::Apply)
    }

    fn apply(
        &self,
        live: &Value,
        applied: &Value,
        mut managers: Managers,
        force: bool,
    ) -> Result<(Value, Managers), ApplyError> {
        let me = self.applier();
        let merged = merge::merge(self.typed, live, applied);
        let last = managers.get(&me).map(|owned| owned.fields.clone()).unwrap_or_default();
        let time = managers.get(&me).and_then(|owned| owned.time.clone());
        let fields = walk::fields_of(self.typed, applied).without_subtrees(&self.reset);
        let own = Owned { fields, api_version: self.write.api_version.to_owned(), time };
        managers.insert(me.clone(), own);
        let object = self.drop_abandoned(merged, &managers, &last);
        let comparison = Comparison::between(self.typed, live, &object).without(&self.reset);
        take_from_others(&comparison, &mut managers, &me, force)?;
        strip(&mut managers, &me);
        Ok((object, managers))
    }

    /// Removes what this applier applied last time, does not apply now, and nobody else owns.
    fn drop_abandoned(&self, merged: Value, managers: &Managers, last: &FieldSet) -> Value {
        if last.is_empty() {
            return merged;
        }
        let named = |set: &FieldSet| walk::with_named_parents(Some(self.typed), set);
        let fields = |value: &Value| named(&walk::fields_of(self.typed, value));
        let without =
            |set: &FieldSet| walk::remove(self.typed, &merged, set).unwrap_or_else(|| Value::Object(Map::new()));
        let merged_fields = fields(&merged);
        let pruned = without(&named(last));
        let owned = managers.values().fold(FieldSet::new(), |all, owned| all.union(&owned.fields));
        let pruned = without(&merged_fields.difference(&fields(&pruned).union(&named(&owned))));
        without(&merged_fields.difference(&fields(&pruned)).intersection(&named(last)))
    }

    /// The owners after an update: who wrote owns what changed by it.
    fn own_changes(&self, old: &Value, new: &Value, mut managers: Managers) -> Managers {
        let me = self.id(Operation::Update);
        let comparison = Comparison::between(self.typed, old, new).without(&self.reset);
        let nobody = ManagerId { name: String::new(), ..self.id(Operation::Apply) };
        // Nobody's changes are in conflict with an update; it takes what it needs.
        let _ = take_from_others(&comparison, &mut managers, &nobody, true);
        let changed = comparison
            .modified
            .union(&comparison.added)
            .without_subtrees(&self.reset)
            .difference(&FieldSet::of_fields(&NEVER_OWNED));
        if !changed.is_empty() {
            let kept = managers.get(&me).map(|owned| owned.fields.clone()).unwrap_or_default();
            let own = Owned {
                fields: changed.union(&kept),
                api_version: self.write.api_version.to_owned(),
                time: Some(self.write.now.to_owned()),
            };
            managers.insert(me, own);
        }
        managers::cap(&mut managers);
        managers
    }
}

/// What changes is taken from whoever else owns it; without force that is a conflict.
fn take_from_others(
    comparison: &Comparison,
    managers: &mut Managers,
    me: &ManagerId,
    force: bool,
) -> Result<(), ApplyError> {
    let changed = comparison.modified.union(&comparison.added);
    let others = managers.iter().filter(|(id, _)| *id != me);
    let conflicts: BTreeMap<ManagerId, FieldSet> = others
        .map(|(id, owned)| (id.clone(), owned.fields.intersection(&changed)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(ApplyError::Conflict(Conflicts::of(&conflicts)));
    }
    for (id, owned) in managers.iter_mut().filter(|(id, _)| *id != me) {
        if let Some(lost) = conflicts.get(id) {
            owned.fields = owned.fields.difference(lost);
        }
        owned.fields = owned.fields.difference(&comparison.removed);
    }
    managers.retain(|_, owned| !owned.fields.is_empty());
    Ok(())
}

fn strip(managers: &mut Managers, me: &ManagerId) {
    let emptied = managers.get_mut(me).is_some_and(|own| {
        own.fields = own.fields.difference(&FieldSet::of_fields(&NEVER_OWNED));
        own.fields.is_empty()
    });
    if emptied {
        managers.remove(me);
    }
}

fn decode_managers(object: &Value) -> Option<Managers> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    managers::decode(entries).ok()
}

fn set_managers(object: &mut Value, managers: &Managers) {
    remove_managers(object);
    if managers.is_empty() {
        return;
    }
    if let Value::Object(map) = object
        && let Value::Object(meta) = map.entry("metadata").or_insert_with(|| Value::Object(Map::new()))
    {
        meta.insert("managedFields".into(), Value::Array(managers::encode(managers)));
    }
}

fn remove_managers(object: &mut Value) {
    if let Some(Value::Object(meta)) = object.get_mut("metadata") {
        meta.remove("managedFields");
    }
}

fn without_managers(object: &Value) -> Value {
    let mut object = object.clone();
    remove_managers(&mut object);
    object
}

/// What an object is before anything is set. Built-in kinds always have some fields, and those are nobody's merit.
fn zero_like(schema: Option<&Schema>, object: &Value) -> Value {
    let builtin = schema.filter(|schema| !schema.type_name.is_empty());
    let mut zero = builtin.map_or_else(|| Value::Object(Map::new()), zero_object);
    if let (Value::Object(zero), Value::Object(identity)) = (&mut zero, empty_like(object)) {
        zero.extend(identity);
    }
    zero
}

/// What an object is before it is created: its type.
fn empty_like(object: &Value) -> Value {
    let fields = ["apiVersion", "kind"].into_iter();
    let fields = fields.filter_map(|name| Some((name.to_owned(), object.get(name)?.clone())));
    Value::Object(fields.collect())
}

fn describe(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{}/{}; {}, Kind={}",
        text("/metadata/namespace"),
        text("/metadata/name"),
        grouped(text("/apiVersion")),
        text("/kind")
    )
}

/// A version with its group, also where that is the core one, which has no name.
fn grouped(api_version: &str) -> String {
    if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") }
}
