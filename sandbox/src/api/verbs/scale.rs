//! The `scale` door: one view of replicas for whatever has some.

use serde_json::{Map, Value, json};

use super::replace::replace;
use super::{Call, Target};
use crate::api::admission::{self, Source, Writer};
use crate::api::registry::{ScalePaths, Subresource};
use crate::api::selector::LabelSelector;
use crate::api::status::{Answer, Status};
use crate::schema::FieldError;
use crate::world::{Object, World, metadata, metadata_text, object_mut};

/// Reads the scale of an object.
pub fn get(world: &World, target: &Target) -> Answer<Value> {
    let paths = paths(target)?;
    let object = target.stored(world)?;
    Ok(scale_of(&target.shown(&object), &paths))
}

/// Sets the replicas of an object to those of a Scale.
pub fn update(world: &mut World, call: &mut Call, target: &Target, scale: &Value) -> Answer<Value> {
    let paths = paths(target)?;
    let existing = target.stored(world)?;
    check(target, scale)?;
    let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
    let mut value = target.shown(&existing).value().clone();
    let sent = metadata_text(scale, "resourceVersion");
    if !sent.is_empty() && sent != existing.revision().to_string() {
        return Err(Status::stale_write(target.group(), target.plural(), &target.name));
    }
    set_at(&mut value, &paths.spec_replicas, json!(replicas));
    let value = admission::admit(call, target, value, Source::Body)?;
    let writer = Writer::Update { subresource: "scale" };
    let object = replace(world, call, target, &existing, value, writer)?;
    Ok(scale_of(&object, &paths))
}

fn paths(target: &Target) -> Answer<ScalePaths> {
    match target.version_facts().and_then(|version| version.subresource("scale")) {
        Some(Subresource::Scale(paths)) => Ok(paths.clone()),
        _ => Err(Status::no_such_resource()),
    }
}

fn check(target: &Target, scale: &Value) -> Answer<()> {
    let replicas = &scale["spec"]["replicas"];
    let given = metadata_text(scale, "name");
    if !given.is_empty() && given != target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            target.name
        )));
    }
    match replicas {
        Value::Null => Ok(()),
        Value::Number(number) if number.as_i64().is_some_and(|wanted| wanted >= 0) => Ok(()),
        Value::Number(_) => {
            let why = "must be greater than or equal to 0";
            let error = FieldError::invalid("spec.replicas", replicas.clone(), why);
            Err(Status::invalid("autoscaling", "Scale", &target.name, &[error]))
        }
        other => Err(Status::bad_request(format!(
            "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: {other} is not an integer"
        ))),
    }
}

fn scale_of(object: &Object, paths: &ScalePaths) -> Value {
    let value = object.value();
    let mut kept = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(inner) = metadata(value, field) {
            kept.insert(field.into(), inner.clone());
        }
    }
    let number = |path: &str| at(value, path).and_then(Value::as_i64).unwrap_or(0);
    let mut spec = Map::new();
    let wanted = number(&paths.spec_replicas);
    if wanted != 0 {
        spec.insert("replicas".into(), json!(wanted));
    }
    let mut status = Map::new();
    status.insert("replicas".into(), json!(number(&paths.status_replicas)));
    if let Some(selector) = paths.selector.as_deref().and_then(|path| selector_text(at(value, path)?)) {
        status.insert("selector".into(), json!(selector));
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": kept,
        "spec": spec,
        "status": status,
    })
}

/// A custom resource keeps its selector as text, a built-in one as a structure.
fn selector_text(selector: &Value) -> Option<String> {
    match selector {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        structure => LabelSelector::from_spec(structure).map(|selector| selector.to_string()),
    }
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.trim_start_matches('.').split('.').try_fold(value, |at, field| at.get(field))
}

fn set_at(value: &mut Value, path: &str, to: Value) {
    let mut place = value;
    for field in path.trim_start_matches('.').split('.') {
        place = object_mut(place).entry(field).or_insert(Value::Null);
    }
    *place = to;
}
