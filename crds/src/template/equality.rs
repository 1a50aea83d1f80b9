//! Whether two templates make the same pods, however they are written: how an existing ReplicaSet is recognised.

use serde_json::{Map, Value};

use super::defaults::{image_pull_policy, is_default};
use super::go_fields::{Field, Kind, Struct, TABLE, Table};
use super::typed_json::read_quantity;
use super::{HASH_LABEL, PodTemplate};
use crate::values::{Quantity, parse_time, seconds_time};

/// Whether two templates make the same pods.
///
/// Equal are: absent and empty, absent and what the API server fills in, quantities of one value. Not looked at
/// are the hash label and the anti-affinity between revisions, which a controller puts into a ReplicaSet's
/// template and not into the Rollout's. Ephemeral metadata has to be taken out by the caller, who knows it from
/// the ReplicaSet's annotation.
pub fn semantically_equal(a: &PodTemplate, b: &PodTemplate) -> bool {
    a == b || plain(a) == plain(b)
}

/// The template with nothing in it that could be left out without changing the pods.
fn plain(template: &PodTemplate) -> Value {
    let template = template.clone().without_label(HASH_LABEL);
    match template.as_json() {
        Value::Object(fields) => Value::Object(plain_struct(fields, TABLE.pod_template(), &TABLE)),
        other => other.clone(),
    }
}

fn plain_struct(values: &Map<String, Value>, of: &Struct, table: &Table) -> Map<String, Value> {
    let mut plain = Map::new();
    for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = of.fields.iter().find(|field| field.name == *name) else {
            plain.insert(name.clone(), value.clone());
            continue;
        };
        let value = plain_value(value, &field.kind, table);
        if !is_zero(&value, field) && !is_default(&of.name, name, &value) {
            plain.insert(name.clone(), value);
        }
    }
    match of.name.as_str() {
        "PodSpec" => plain_pod_spec(&mut plain),
        "Container" | "EphemeralContainer" => {
            remove_usual_pull_policy(&mut plain, "image", "imagePullPolicy");
        }
        "ImageVolumeSource" => remove_usual_pull_policy(&mut plain, "reference", "pullPolicy"),
        "Volume" => remove_usual_volume_source(&mut plain),
        _ => {}
    }
    plain
}

fn plain_value(value: &Value, kind: &Kind, table: &Table) -> Value {
    match (kind, value) {
        (Kind::Struct(index), Value::Object(fields)) => Value::Object(plain_struct(fields, table.get(*index), table)),
        (Kind::Struct(_), Value::Null) => Value::Object(Map::new()),
        (Kind::List(item), Value::Array(values)) => {
            values.iter().map(|value| plain_value(value, item, table)).collect()
        }
        (Kind::Map(item), Value::Object(values)) => {
            let plain = values.iter().map(|(key, value)| (key.clone(), plain_map_item(value, item, table)));
            Value::Object(plain.collect())
        }
        (Kind::Text, Value::Null) => "".into(),
        (Kind::Int | Kind::IntOrString, Value::Null) => 0.into(),
        (Kind::Bool, Value::Null) => false.into(),
        (Kind::Quantity, _) => plain_quantity(value, |quantity| quantity),
        (Kind::Int | Kind::IntOrString, Value::Number(_)) => whole_number(value),
        (Kind::Time, Value::String(text)) => {
            parse_time(text).map_or_else(|_| value.clone(), |time| seconds_time(time).into())
        }
        _ => value.clone(),
    }
}

/// Quantities in a map are resource lists, and the API server stores those to the thousandth.
fn plain_map_item(value: &Value, kind: &Kind, table: &Table) -> Value {
    match kind {
        Kind::Quantity => plain_quantity(value, |quantity| quantity.rounded_to_milli()),
        _ => plain_value(value, kind, table),
    }
}

fn plain_quantity(value: &Value, round: impl Fn(Quantity) -> Quantity) -> Value {
    match (value, read_quantity(value)) {
        (Value::Null, _) => "0".into(),
        (_, Some(quantity)) => round(quantity).value_text().into(),
        (_, None) => value.clone(),
    }
}

/// `80.0` is what some writers make of 80.
fn whole_number(value: &Value) -> Value {
    match value.as_f64() {
        Some(float) if value.is_f64() && float.fract() == 0.0 && float.abs() < 2_f64.powi(53) => (float as i64).into(),
        _ => value.clone(),
    }
}

/// Whether a value is the one that an absent field has. Behind a pointer nothing is.
fn is_zero(value: &Value, field: &Field) -> bool {
    !field.is_pointer
        && match (&field.kind, value) {
            (Kind::Text, Value::String(text)) => text.is_empty(),
            (Kind::Quantity, Value::String(text)) => text == "0",
            (Kind::Bool, Value::Bool(set)) => !set,
            (Kind::Int | Kind::IntOrString, Value::Number(number)) => number.as_i64() == Some(0),
            (Kind::List(_), Value::Array(items)) => items.is_empty(),
            (Kind::Map(_) | Kind::Struct(_), Value::Object(items)) => items.is_empty(),
            _ => false,
        }
}

fn plain_pod_spec(spec: &mut Map<String, Value>) {
    // The API server keeps the old name of this field equal to the new one.
    if let Some(account) = spec.remove("serviceAccount") {
        spec.entry("serviceAccountName").or_insert(account);
    }
    // Until 1.27 the API server gave the ports of a template on the host's network their host port.
    if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        for list in ["containers", "initContainers"] {
            objects_in(spec.get_mut(list)).for_each(|container| {
                for port in objects_in(container.get_mut("ports")) {
                    if port.get("hostPort") == port.get("containerPort") {
                        port.remove("hostPort");
                    }
                }
            });
        }
    }
    remove_injected_anti_affinity(spec);
}

fn objects_in(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn remove_usual_pull_policy(fields: &mut Map<String, Value>, image: &str, policy: &str) {
    let image = fields.get(image).and_then(Value::as_str).unwrap_or_default();
    if fields.get(policy).and_then(Value::as_str) == Some(image_pull_policy(image)) {
        fields.remove(policy);
    }
}

/// A volume that names no source is an empty directory.
fn remove_usual_volume_source(volume: &mut Map<String, Value>) {
    let is_empty_dir = volume.get("emptyDir").and_then(Value::as_object).is_some_and(Map::is_empty);
    if is_empty_dir && volume.keys().all(|key| key == "name" || key == "emptyDir") {
        volume.remove("emptyDir");
    }
}

/// Takes out the terms by which a controller keeps the pods of two revisions apart: those that select on the hash
/// label. An affinity without any term left is none.
fn remove_injected_anti_affinity(spec: &mut Map<String, Value>) {
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(anti_affinity) = affinity.get_mut("podAntiAffinity").and_then(Value::as_object_mut) {
        for list in
            ["requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"]
        {
            if let Some(terms) = anti_affinity.get_mut(list).and_then(Value::as_array_mut) {
                terms.retain(|term| !selects_on_hash(term.get("podAffinityTerm").unwrap_or(term)));
                if terms.is_empty() {
                    anti_affinity.remove(list);
                }
            }
        }
        if anti_affinity.is_empty() {
            affinity.remove("podAntiAffinity");
        }
    }
    if affinity.is_empty() {
        spec.remove("affinity");
    }
}

fn selects_on_hash(term: &Value) -> bool {
    let expressions = term.get("labelSelector").and_then(|selector| selector.get("matchExpressions"));
    expressions.and_then(Value::as_array).is_some_and(|expressions| {
        expressions.iter().any(|expression| expression.get("key") == Some(&HASH_LABEL.into()))
    })
}
