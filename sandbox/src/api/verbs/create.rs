//! Creating objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Target};
use crate::api::admission::{self, Source, Writer};
use crate::api::status::{Answer, Status};
use crate::api::{convert, crd, follow_up, kinds, warnings};
use crate::world::{Object, World, metadata, metadata_text, remove_metadata, set_metadata};

/// A generated name keeps this much of its base, so that it fits into a label.
const GENERATED_BASE_LENGTH: usize = 58;

/// How often a generated name that is taken is drawn again.
const NAME_DRAWS: usize = 8;

/// Stores a new object. The value is in the target's version; defaults are filled in here.
pub fn create(world: &mut World, call: &mut Call, target: &Target, value: Value) -> Answer<Arc<Object>> {
    let writer = Writer::Update { subresource: "" };
    create_as(world, call, target, value, writer)
}

/// The same, on behalf of whoever owns the fields.
pub(crate) fn create_as(
    world: &mut World,
    call: &mut Call,
    target: &Target,
    value: Value,
    writer: Writer,
) -> Answer<Arc<Object>> {
    check_definition(world, target)?;
    let mut value = admission::admit(call, target, value, Source::Body)?;
    check_namespace_field(target, &mut value)?;
    if metadata(&value, "resourceVersion").is_some_and(|revision| revision != "" && revision != "0") {
        return Err(Status::internal("resourceVersion should not be set on objects to be created"));
    }
    admission::own_fields(call, target, None, &mut value, writer);
    check_namespace(world, target, metadata_text(&value, "name"))?;
    name_and_stamp(world, call, target, &mut value);
    kinds::check_account(world, target, &value)?;
    kinds::prepare_create(world, target, &mut value);
    admission::check_create(target, &value)?;
    let name = metadata_text(&value, "name").to_owned();
    if target.named(&name).lookup(world).is_some() {
        return Err(Status::already_exists(target.group(), target.plural(), &name));
    }
    call.warnings.extend(warnings::warnings(target, None, &value));
    let stored = convert::stored(&target.resource, value);
    if call.options.dry_run {
        return Ok(target.shown(&Arc::new(Object::shown(stored, 0))));
    }
    let object = world.put(&target.resource.stored_as, stored);
    follow_up::after_write(world, target, None, &object, call.now);
    Ok(target.shown(&object))
}

/// The namespace of the body and the one of the path have to agree; a missing one is filled in.
pub(crate) fn check_namespace_field(target: &Target, value: &mut Value) -> Answer<()> {
    let given = metadata_text(value, "namespace");
    if !given.is_empty() && given != target.namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if target.resource.namespaced {
        set_metadata(value, "namespace", json!(target.namespace));
    } else {
        remove_metadata(value, "namespace");
    }
    Ok(())
}

/// A kind that is going away takes no new objects.
fn check_definition(world: &World, target: &Target) -> Answer<()> {
    let going = target.resource.rules.custom && crd::is_going(world, target);
    if going { Err(Status::definition_terminating(target.group(), target.plural())) } else { Ok(()) }
}

/// Nothing is created in a namespace that isn't there or that is going away.
fn check_namespace(world: &World, target: &Target, name: &str) -> Answer<()> {
    if !target.resource.namespaced {
        return Ok(());
    }
    match world.get("", "namespaces", "", &target.namespace) {
        None => Err(Status::not_found("", "namespaces", &target.namespace)),
        Some(namespace) if namespace.is_deleting() => {
            Err(Status::namespace_terminating(target.group(), target.plural(), name, &target.namespace))
        }
        Some(_) => Ok(()),
    }
}

fn name_and_stamp(world: &mut World, call: &Call, target: &Target, value: &mut Value) {
    if metadata_text(value, "name").is_empty() && !metadata_text(value, "generateName").is_empty() {
        let name = generated_name(world, target, metadata_text(value, "generateName"));
        set_metadata(value, "name", json!(name));
    }
    for decided_here in ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        remove_metadata(value, decided_here);
    }
    let uid = world.random().uid();
    set_metadata(value, "uid", json!(uid));
    set_metadata(value, "creationTimestamp", call.timestamp());
    if target.resource.rules.counts_generations {
        set_metadata(value, "generation", json!(1));
    } else {
        remove_metadata(value, "generation");
    }
}

fn generated_name(world: &mut World, target: &Target, base: &str) -> String {
    let mut end = base.len().min(GENERATED_BASE_LENGTH);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = String::new();
    for _ in 0..NAME_DRAWS {
        name = format!("{}{}", &base[..end], world.random().name_suffix());
        if target.named(&name).lookup(world).is_none() {
            break;
        }
    }
    name
}
