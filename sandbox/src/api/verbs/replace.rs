//! Storing another state of an object that is there: the common end of updates, patches and scaling.

use std::sync::Arc;

use serde_json::{Value, json};

use super::create::{check_namespace_field, create};
use super::{Call, Target, delete};
use crate::api::admission::{self, Source, Writer};
use crate::api::registry::Version;
use crate::api::status::{Answer, Status};
use crate::api::{convert, follow_up, kinds, warnings};
use crate::schema::{FieldError, Reason};
use crate::world::{Object, World, metadata, metadata_mut, metadata_text, object_mut, remove_metadata, set_metadata};

/// What a write came to.
#[derive(Debug, Clone)]
pub struct Written {
    pub object: Arc<Object>,
    pub created: bool,
}

/// Replaces an object (or, by the target's subresource, a part of it) with what the client sent.
pub fn update(world: &mut World, call: &mut Call, target: &Target, value: Value) -> Answer<Written> {
    let mut value = admission::admit(call, target, value, Source::Body)?;
    check_name(target, &mut value)?;
    check_namespace_field(target, &mut value)?;
    let Some(existing) = target.lookup(world).cloned() else {
        if target.resource.rules.create_on_update && target.subresource.is_empty() {
            let object = create(world, call, target, value)?;
            return Ok(Written { object, created: true });
        }
        return Err(Status::not_found(target.group(), target.plural(), &target.name));
    };
    check_uid(target, &existing, &value)?;
    let unconditional = matches!(metadata_text(&value, "resourceVersion"), "" | "0");
    if unconditional && !target.resource.rules.unconditional_update {
        // The real server shows the missing version as Go's unsigned zero, and names what it refuses in two ways.
        let custom = target.resource.rules.custom;
        let why = if custom { "0: must be specified for an update" } else { "0x0: must be specified for an update" };
        let error = FieldError::new(Reason::Invalid, "metadata.resourceVersion", None, why);
        let kind = if custom { target.plural() } else { target.kind() };
        return Err(Status::invalid(target.group(), kind, &target.name, &[error]));
    }
    if unconditional {
        remove_metadata(&mut value, "resourceVersion");
    }
    let writer = Writer::Update { subresource: target.subresource };
    let object = replace(world, call, target, &existing, value, writer)?;
    Ok(Written { object, created: false })
}

pub(super) fn check_name(target: &Target, value: &mut Value) -> Answer<()> {
    let given = metadata_text(value, "name");
    if given.is_empty() {
        set_metadata(value, "name", json!(target.name));
        return Ok(());
    }
    if given != target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            target.name
        )));
    }
    Ok(())
}

/// A client that names a uid means that very object, not another one of the same name.
fn check_uid(target: &Target, existing: &Object, value: &Value) -> Answer<()> {
    let given = metadata_text(value, "uid");
    if given.is_empty() || given == existing.uid() {
        return Ok(());
    }
    let key = storage_key(target);
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {}",
        existing.uid()
    );
    Err(Status::conflict(target.group(), target.plural(), &target.name, why))
}

fn storage_key(target: &Target) -> String {
    let group = if target.resource.rules.custom { format!("{}/", target.group()) } else { String::new() };
    format!("/registry/{group}{}/{}", target.plural(), target.key())
}

/// Stores `value` (in the target's version, defaults filled in) in place of `existing`.
pub(crate) fn replace(
    world: &mut World,
    call: &mut Call,
    target: &Target,
    existing: &Arc<Object>,
    mut value: Value,
    writer: Writer,
) -> Answer<Arc<Object>> {
    let before = target.shown(existing);
    let given = metadata_text(&value, "resourceVersion");
    if !given.is_empty() && given.parse::<u64>().is_err() {
        return Err(Status::internal(format!("strconv.ParseUint: parsing {given:?}: invalid syntax")));
    }
    if !given.is_empty() && given != existing.revision().to_string() {
        return Err(Status::stale_write(target.group(), target.plural(), &target.name));
    }
    keep_what_others_decide(target, before.value(), &mut value);
    kinds::prepare_update(target, before.value(), &mut value);
    count_generation(target, before.value(), &mut value);
    admission::own_fields(call, target, Some(before.value()), &mut value, writer);
    admission::check_update(target, before.value(), &value)?;
    if value == *before.value() {
        return Ok(before);
    }
    call.warnings.extend(warnings::warnings(target, Some(before.value()), &value));
    let stored = convert::stored(&target.resource, value);
    if call.options.dry_run {
        return Ok(target.shown(&Arc::new(Object::shown(stored, existing.revision()))));
    }
    if delete::is_finished(target, existing.value(), &stored) {
        delete::remove(world, target, call.now);
        return Ok(target.shown(&Arc::new(Object::shown(stored, existing.revision()))));
    }
    let object = world.put(&target.resource.stored_as, stored);
    follow_up::after_write(world, target, Some(existing), &object, call.now);
    Ok(target.shown(&object))
}

/// Fields that no client writes, and the part of the object that this door doesn't reach.
fn keep_what_others_decide(target: &Target, before: &Value, value: &mut Value) {
    for field in ["generation", "selfLink"] {
        match metadata(before, field) {
            Some(kept) => set_metadata(value, field, kept.clone()),
            None => remove_metadata(value, field),
        }
    }
    let flexible = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"];
    for field in flexible {
        let left_out = metadata(value, field).is_none_or(|given| given.is_null() || given == "");
        if left_out && let Some(kept) = metadata(before, field) {
            set_metadata(value, field, kept.clone());
        }
    }
    let has_status = target.version_facts().is_some_and(Version::has_status);
    match target.subresource {
        "status" => {
            let status = value.get("status").cloned();
            let sent = metadata_mut(value).clone();
            let mut merged = before.clone();
            kinds::take_status_metadata(target, &sent, metadata_mut(&mut merged));
            set_or_remove(&mut merged, "status", status);
            *value = merged;
        }
        "" if has_status => set_or_remove(value, "status", before.get("status").cloned()),
        _ => {}
    }
}

fn set_or_remove(value: &mut Value, field: &str, to: Option<Value>) {
    let fields = object_mut(value);
    match to {
        Some(inner) => fields.insert(field.into(), inner),
        None => fields.remove(field),
    };
}

/// `metadata.generation` counts changes of what the user wishes, not of what is reported or of labels.
fn count_generation(target: &Target, before: &Value, value: &mut Value) {
    if !target.resource.rules.counts_generations || target.subresource == "status" {
        return;
    }
    let has_status = target.version_facts().is_some_and(Version::has_status);
    let wished = |object: &Value| -> Vec<(String, Value)> {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(field, _)| {
                let reported = field.as_str() == "status" && has_status;
                !reported && !matches!(field.as_str(), "metadata" | "apiVersion" | "kind")
            })
            .map(|(field, inner)| (field.clone(), inner.clone()))
            .collect()
    };
    // A Deployment's controller also watches annotations, so the real server counts those as well.
    let annotated =
        target.is("apps", "Deployment") && metadata(before, "annotations") != metadata(value, "annotations");
    if annotated || wished(before) != wished(value) {
        let generation = metadata(before, "generation").and_then(Value::as_i64).unwrap_or(0);
        set_metadata(value, "generation", json!(generation + 1));
    }
}
