//! CustomResourceDefinitions come to life, change, and go.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::admission::Writer;
use super::openapi::Fnv;
use super::options::DeleteOptions;
use super::registry::{Column, CustomSchema, Resource, Rules, ScalePaths, Subresource, Version};
use super::verbs::delete::delete;
use super::verbs::replace::replace;
use super::verbs::{Call, Target};
use crate::clock::rfc3339_seconds;
use crate::schema;
use crate::world::{
    Object, ResourceKey, World, child_mut, metadata, metadata_list, object_mut, remove_metadata, set_metadata,
};

pub(crate) const GROUP: &str = "apiextensions.k8s.io";
pub(crate) const PLURAL: &str = "customresourcedefinitions";

/// Holds a definition until the last of its objects is gone.
pub(crate) const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Follows up on a write: a definition begins to be served, changes, or takes its objects with it.
pub(crate) fn after_write(world: &mut World, target: &Target, object: &Arc<Object>, now: Timestamp) {
    if !target.is(GROUP, "CustomResourceDefinition") {
        return;
    }
    if object.is_deleting() {
        remove_instances(world, object, now);
        finish_removal(world, object.name(), now);
        return;
    }
    let definition = object.value();
    let generation = metadata(definition, "generation").and_then(Value::as_i64).unwrap_or(0);
    let names = &definition["spec"]["names"];
    let group = text(&definition["spec"], "group");
    let known = world.registry.find(&group, &text(names, "plural"));
    if known.is_some_and(|known| known.definition_generation == generation) {
        return;
    }
    let conflict = name_conflict(world, definition);
    if conflict.is_none() {
        world.registry.insert(resource(definition, generation));
    }
    show_accepted(world, object, conflict.as_deref(), now);
}

/// Follows up on a removal: the last object lets a waiting definition go; a definition that is gone is no longer served.
pub(crate) fn after_removal(world: &mut World, target: &Target, removed: &Object, now: Timestamp) {
    if target.is(GROUP, "CustomResourceDefinition") {
        let spec = &removed.value()["spec"];
        let (group, plural) = (text(spec, "group"), text(&spec["names"], "plural"));
        if world.registry.find(&group, &plural).is_some_and(|resource| resource.rules.custom) {
            world.registry.remove(&group, &plural);
        }
    } else if target.resource.rules.custom {
        finish_removal(world, &format!("{}.{}", target.plural(), target.group()), now);
    }
}

/// What a definition shows when its deletion begins.
pub(crate) fn show_terminating(definition: &mut Value, now: Timestamp) {
    let condition = condition(
        "Terminating",
        true,
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        now,
    );
    let status = child_mut(object_mut(definition), "status");
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if let Value::Array(conditions) = conditions {
        conditions.push(condition);
    }
}

/// The status with which a definition begins.
pub(crate) fn first_status(definition: &Value) -> Value {
    json!({
        "conditions": null,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": storage_version(definition).as_str().into_iter().collect::<Vec<_>>(),
    })
}

fn storage_version(definition: &Value) -> Value {
    let versions = definition["spec"]["versions"].as_array();
    let stored = versions.into_iter().flatten().find(|version| version["storage"] == true);
    stored.map_or(Value::Null, |version| version["name"].clone())
}

/// Whether the deletion of a kind's definition has begun.
pub(crate) fn is_going(world: &World, target: &Target) -> bool {
    let name = format!("{}.{}", target.plural(), target.group());
    world.get(GROUP, PLURAL, "", &name).is_some_and(|definition| definition.is_deleting())
}

fn key() -> ResourceKey {
    ResourceKey::new(GROUP, PLURAL)
}

fn remove_instances(world: &mut World, definition: &Object, now: Timestamp) {
    let spec = &definition.value()["spec"];
    let (group, plural) = (text(spec, "group"), text(&spec["names"], "plural"));
    let Ok(target) = Target::find(world, &group, &plural, "", "") else {
        return;
    };
    let call = Call::internal("customresourcedefinitions", now);
    for object in world.list(&group, &plural, "") {
        let one = Target { namespace: object.namespace().to_owned(), name: object.name().to_owned(), ..target.clone() };
        // An object that is gone meanwhile needs no removal; nothing else can refuse one.
        let _gone = delete(world, &call, &one, &DeleteOptions::default());
    }
}

fn finish_removal(world: &mut World, name: &str, now: Timestamp) {
    let Some(definition) = world.get(GROUP, PLURAL, "", name).cloned() else {
        return;
    };
    let spec = &definition.value()["spec"];
    let (group, plural) = (text(spec, "group"), text(&spec["names"], "plural"));
    let left = world.collection(&ResourceKey::new(&group, &plural)).is_some_and(|objects| !objects.is_empty());
    let held = metadata_list(definition.value(), "finalizers").iter().any(|one| one == CLEANUP_FINALIZER);
    if !definition.is_deleting() || left || !held {
        return;
    }
    let others: Vec<Value> = metadata_list(definition.value(), "finalizers")
        .iter()
        .filter(|one| *one != CLEANUP_FINALIZER)
        .cloned()
        .collect();
    if others.is_empty() {
        if let Ok(target) = Target::find(world, GROUP, PLURAL, "", name) {
            super::verbs::delete::remove(world, &target, now);
        }
        return;
    }
    let mut value = definition.value().clone();
    remove_metadata(&mut value, "finalizers");
    set_metadata(&mut value, "finalizers", Value::Array(others));
    world.put(&key(), value);
}

/// Another definition of the group that has one of the names already.
fn name_conflict(world: &World, definition: &Value) -> Option<String> {
    let names = &definition["spec"]["names"];
    let plural = text(names, "plural");
    let group = text(&definition["spec"], "group");
    let (kind, list_kind) = (text(names, "kind"), text(names, "listKind"));
    let singular = text(names, "singular");
    let short_names = texts(&names["shortNames"]);
    world.registry.in_group(&group).filter(|other| other.plural != plural).find_map(|other| {
        let taken = [&other.kind, &other.list_kind];
        let resource_names: Vec<&String> = other.short_names.iter().chain([&other.singular, &other.plural]).collect();
        [&kind, &list_kind]
            .into_iter()
            .find(|name| taken.contains(name))
            .or_else(|| short_names.iter().chain([&singular]).find(|name| resource_names.contains(name)))
            .cloned()
    })
}

fn show_accepted(world: &mut World, definition: &Arc<Object>, conflict: Option<&str>, now: Timestamp) {
    let mut value = definition.value().clone();
    let names = value["spec"]["names"].clone();
    let stored = storage_version(&value);
    let conditions = match conflict {
        None => json!([
            condition("NamesAccepted", true, "NoConflicts", "no conflicts found", now),
            condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted", now),
        ]),
        Some(name) => json!([
            condition("NamesAccepted", false, "KindConflict", &format!("{name:?} is already in use"), now),
            condition("Established", false, "NotAccepted", "not all names are accepted", now),
        ]),
    };
    let status = child_mut(object_mut(&mut value), "status");
    // A definition that is established stays so; its conditions keep the time of their last change.
    let kept = status.get("conditions").and_then(Value::as_array).filter(|known| {
        let same = |one: &Value, other: &Value| one["type"] == other["type"] && one["status"] == other["status"];
        let wanted = conditions.as_array().map_or(&[][..], Vec::as_slice);
        wanted.iter().all(|condition| known.iter().any(|one| same(one, condition)))
    });
    if kept.is_none() {
        status.insert("conditions".into(), conditions);
    }
    if conflict.is_none() {
        status.insert("acceptedNames".into(), names);
    }
    let versions = status.entry("storedVersions").or_insert_with(|| json!([]));
    if let Value::Array(versions) = versions
        && !versions.contains(&stored)
    {
        versions.push(stored);
    }
    if let Ok(target) = Target::find(world, GROUP, PLURAL, "", definition.name()) {
        let mut call = Call::internal("kube-apiserver", now);
        let writer = Writer::Update { subresource: "status" };
        // What it was taken with is valid, so that nothing can refuse a status that only says so.
        let _shown = replace(world, &mut call, &target.subresource("status"), definition, value, writer);
    }
}

fn condition(kind: &str, holds: bool, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({
        "type": kind,
        "status": if holds { "True" } else { "False" },
        "lastTransitionTime": rfc3339_seconds(now),
        "reason": reason,
        "message": message,
    })
}

fn resource(definition: &Value, generation: i64) -> Resource {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let group = text(spec, "group");
    let plural = text(names, "plural");
    let kind = text(names, "kind");
    let versions = spec["versions"].as_array().into_iter().flatten();
    Resource {
        stored_as: ResourceKey::new(&group, &plural),
        singular: text(names, "singular"),
        list_kind: text(names, "listKind"),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        versions: versions.map(|written| version(&group, &kind, written)).collect(),
        rules: Rules::CUSTOM,
        definition_generation: generation,
        group,
        plural,
        kind,
    }
}

fn version(group: &str, kind: &str, written: &Value) -> Version {
    let name = text(written, "name");
    let schema = &written["schema"]["openAPIV3Schema"];
    let warning = (written["deprecated"] == true).then(|| match written["deprecationWarning"].as_str() {
        Some(warning) => warning.to_owned(),
        None => format!("{group}/{name} {kind} is deprecated"),
    });
    let columns = written["additionalPrinterColumns"].as_array().into_iter().flatten();
    let selectable = written["selectableFields"].as_array().into_iter().flatten();
    Version {
        served: written["served"] == true,
        storage: written["storage"] == true,
        subresources: subresources(&written["subresources"]),
        schema: schema.is_object().then(|| Arc::new(custom_schema(schema))),
        columns: columns.map(column).collect(),
        deprecation_warning: warning,
        selectable_fields: selectable.map(|field| text(field, "jsonPath")).collect(),
        name,
    }
}

fn custom_schema(written: &Value) -> CustomSchema {
    let mut hash = Fnv::default();
    hash.add(&written.to_string());
    CustomSchema { written: written.clone(), parsed: schema::parse(written), hash: hash.text() }
}

fn subresources(written: &Value) -> Vec<Subresource> {
    let mut found = Vec::new();
    if written["status"].is_object() {
        found.push(Subresource::Status);
    }
    let scale = &written["scale"];
    if scale.is_object() {
        found.push(Subresource::Scale(ScalePaths {
            spec_replicas: text(scale, "specReplicasPath"),
            status_replicas: text(scale, "statusReplicasPath"),
            selector: scale["labelSelectorPath"].as_str().map(str::to_owned),
        }));
    }
    found
}

fn column(written: &Value) -> Column {
    Column {
        name: text(written, "name"),
        kind: text(written, "type"),
        format: text(written, "format"),
        description: text(written, "description"),
        priority: written["priority"].as_i64().unwrap_or(0),
        json_path: text(written, "jsonPath"),
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or("").to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
