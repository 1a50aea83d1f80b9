//! The one place where requests meet schemas and field ownership.

use serde_json::{Value, json};

use super::body::strict_failure;
use super::options::FieldValidation;
use super::registry::Version;
use super::status::{Answer, Status};
use super::verbs::{Call, Target};
use super::{crd, crd_rules};
use crate::apply::{self, ApplyError, Write};
use crate::clock::rfc3339_seconds;
use crate::patch::strategic;
use crate::schema::builtin_defaults::default_builtin;
use crate::schema::builtin_validation::validate_builtin;
use crate::schema::metadata;
use crate::schema::{
    FieldError, Schema, builtin_schema, check_types, default, names, prune, prune_resource, validate_resource,
};
use crate::world::{metadata_text, object_mut, set_metadata};

/// Who owns the fields that a write sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A create, update or patch by the call's manager, through that door.
    Update { subresource: &'static str },
    /// A server-side apply whose ownership is in the object already.
    Applied,
}

/// Where an object comes from; refusals differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Body,
    Patch,
}

/// Makes an incoming object one of its kind: types checked, unknown fields out (or refused), defaults in.
pub(crate) fn admit(call: &mut Call, target: &Target, mut value: Value, source: Source) -> Answer<Value> {
    let sent = (source == Source::Patch).then(|| value.clone());
    let refuse = |why: &str| match &sent {
        Some(patched) => Status::invalid_patch(patched, why),
        None => Status::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: {why}",
            kind = target.kind(),
            version = target.version
        )),
    };
    // A built-in object is read as one piece, below.
    let of_custom = metadata_schema().filter(|_| built_in_schema(target).is_none());
    if let Some(meta) = of_custom {
        let typed = value.get("metadata").is_none_or(Value::is_object);
        let fits = value.get("metadata").map_or(Ok(()), |metadata| check_types(meta, metadata));
        if !typed || fits.is_err() {
            let why = fits.err().unwrap_or_else(|| "metadata is not an object".to_owned());
            return Err(refuse(&why));
        }
    }
    let unknown = match custom_schema(target) {
        Some(schema) => {
            let unknown = prune_resource(schema, &mut value);
            default(schema, &mut value);
            // Without conversion, what the stored version doesn't know can't be kept.
            if let Some(stored) = target.resource.stored_schema().filter(|_| !target.is_stored_version()) {
                prune_resource(stored, &mut value);
            }
            unknown
        }
        None if target.resource.rules.custom => Vec::new(),
        None => match built_in_schema(target) {
            Some(schema) => {
                check_types(schema, &value).map_err(|why| refuse(&why))?;
                let unknown = prune(schema, &mut value);
                default_builtin(&target.api_version(), target.kind(), &mut value);
                unknown
            }
            None => Vec::new(),
        },
    };
    let unknown: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match call.options.field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => call.warnings.extend(unknown),
        FieldValidation::Strict => {
            let mut complaints = std::mem::take(&mut call.patch_complaints);
            complaints.extend(unknown);
            if !complaints.is_empty() {
                return Err(match &sent {
                    Some(patched) => {
                        let why = format!("strict decoding error: {}", complaints.join(", "));
                        Status::invalid_patch(patched, why)
                    }
                    None => strict_failure(target.kind(), &target.api_version(), &complaints),
                });
            }
        }
    }
    Ok(value)
}

/// A patch can't turn an object into one of another kind.
pub(crate) fn restore_type(target: &Target, value: &mut Value) -> Answer<()> {
    let fields = object_mut(value);
    let kept = [("kind", target.kind().to_owned()), ("apiVersion", target.api_version())];
    for (field, wanted) in kept {
        let given = fields.get(field).and_then(Value::as_str).unwrap_or("");
        if given != wanted && !given.is_empty() {
            return Err(Status::bad_request(format!(
                "the {field} in the data ({given}) does not match the expected {field} ({wanted})"
            )));
        }
        fields.insert(field.into(), json!(wanted));
    }
    Ok(())
}

fn metadata_schema() -> Option<&'static Schema> {
    builtin_schema("v1", "ConfigMap")?.entry("metadata")
}

fn built_in_schema(target: &Target) -> Option<&'static Schema> {
    builtin_schema(&target.api_version(), target.kind())
}

fn custom_schema(target: &Target) -> Option<&Schema> {
    target.version_facts()?.schema.as_ref().map(|schema| &schema.parsed)
}

/// The write as the ownership of fields sees it.
fn write<'a>(call: &'a Call, target: &'a Target, at: &'a WriteTexts, subresource: &'a str) -> Write<'a> {
    Write {
        schema: custom_schema(target).or_else(|| built_in_schema(target)),
        manager: &call.options.field_manager,
        api_version: &at.api_version,
        subresource,
        reset: reset_fields(target),
        now: &at.now,
    }
}

/// Texts that a write borrows.
struct WriteTexts {
    api_version: String,
    now: String,
}

impl WriteTexts {
    fn of(call: &Call, target: &Target) -> Self {
        Self { api_version: target.api_version(), now: rfc3339_seconds(call.now) }
    }
}

/// Fields that a door doesn't change, whatever is sent through it.
fn reset_fields(target: &Target) -> &'static [&'static str] {
    let has_status = target.version_facts().is_some_and(Version::has_status);
    match (target.subresource, target.resource.rules.custom, target.kind()) {
        ("status", true, _) => &["spec", "metadata"],
        ("status", false, "Deployment") => &["spec", "metadata.labels"],
        ("status", false, "Pod") => &["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
        ("status", false, _) => &["spec"],
        _ if has_status => &["status"],
        _ => &[],
    }
}

/// Notes who owns which field after a write. A write that changed nothing keeps the times as they were.
pub(crate) fn own_fields(call: &Call, target: &Target, before: Option<&Value>, value: &mut Value, writer: Writer) {
    if let Writer::Update { subresource } = writer {
        let texts = WriteTexts::of(call, target);
        apply::update(before, value, &write(call, target, &texts, subresource));
    }
    if let Some(before) = before {
        apply::ignore_new_times(value, before);
    }
}

/// Whether a new object keeps the rules of its kind.
pub(crate) fn check_create(target: &Target, value: &Value) -> Answer<()> {
    refuse_if_any(target, value, &complaints(target, value, None))
}

/// Whether the next state of an object keeps the rules of its kind.
pub(crate) fn check_update(target: &Target, before: &Value, value: &Value) -> Answer<()> {
    refuse_if_any(target, value, &complaints(target, value, Some(before)))
}

fn complaints(target: &Target, value: &Value, before: Option<&Value>) -> Vec<FieldError> {
    if !target.resource.rules.custom {
        let mut errors = validate_builtin(&target.api_version(), target.kind(), value, before);
        if let Some(before) = before {
            // Told twice: once by the store, once by the kind.
            let mut of_metadata = metadata::validate_update(&value["metadata"], &before["metadata"]);
            of_metadata.retain(|error| errors.contains(error));
            errors.splice(0..0, of_metadata);
        }
        if target.is(crd::GROUP, "CustomResourceDefinition") {
            errors.extend(match before {
                None => crd_rules::complaints(value),
                Some(before) => crd_rules::update_complaints(before, value),
            });
        }
        return errors;
    }
    let meta = &value["metadata"];
    let mut errors = match before {
        None => metadata::validate(meta, target.resource.namespaced, names::dns_subdomain),
        // Told twice: once by the store, once by the kind.
        Some(before) => {
            let once = metadata::validate_update(meta, &before["metadata"]);
            [once.clone(), once].concat()
        }
    };
    if let Some(schema) = custom_schema(target) {
        errors.extend(validate_resource(schema, value, before));
    }
    errors
}

fn refuse_if_any(target: &Target, value: &Value, errors: &[FieldError]) -> Answer<()> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(target.invalid(metadata_text(value, "name"), errors))
}

/// Lays a strategic merge patch over an object.
pub(crate) fn strategic_merge(target: &Target, before: &Value, changes: &Value) -> Answer<Value> {
    let schema = built_in_schema(target).ok_or_else(|| Status::unsupported_media_type(&[]))?;
    Ok(strategic::apply(schema, before.clone(), changes)?)
}

/// Whether what is applied is an object of the target's kind and name.
pub(crate) fn check_applied(target: &Target, wanted: &mut Value) -> Answer<()> {
    if wanted.get("apiVersion").and_then(Value::as_str).unwrap_or("").is_empty() {
        let kind = wanted.get("kind").and_then(Value::as_str).unwrap_or("");
        return Err(Status::bad_request(format!("invalid object type: /, Kind={kind}")));
    }
    let kind = wanted.get("kind").and_then(Value::as_str).unwrap_or("");
    let version = wanted.get("apiVersion").and_then(Value::as_str).unwrap_or("");
    if kind != target.kind() && version == target.api_version() {
        let group = if target.group().is_empty() { "/" } else { "" };
        return Err(Status::bad_request(format!("invalid object type: {group}{version}, Kind={kind}")));
    }
    let given = metadata_text(wanted, "name").to_owned();
    if !given.is_empty() && given != target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            target.name
        )));
    }
    set_metadata(wanted, "name", json!(target.name));
    Ok(())
}

/// Lays what a manager wants over what is there (`None`: it is created by this).
pub(crate) fn apply(call: &Call, target: &Target, before: Option<&Value>, wanted: &Value) -> Answer<Value> {
    let texts = WriteTexts::of(call, target);
    let write = write(call, target, &texts, target.subresource);
    let force = call.options.force.unwrap_or(false);
    apply::apply(before, wanted, force, &write).map_err(|error| match error {
        ApplyError::Conflict(conflicts) => Status::apply_conflict(conflicts.message(), &conflicts.causes()),
        ApplyError::BadRequest(why) => Status::bad_request(why),
        ApplyError::Internal(why) => Status::internal(why),
    })
}
