//! The trip through typed structures: what a real server's decoder and encoder do to an object on their own.

use serde_json::{Map, Value};

use super::super::quantity::Quantity;
use super::super::{Additional, Schema, Type};

/// Truth values that are left out when they are false; for all others false and absent differ.
const FALSE_IS_ABSENT: [&str; 18] = [
    "chapAuthDiscovery",
    "chapAuthSession",
    "deprecated",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "nullable",
    "paused",
    "preserveUnknownFields",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "uniqueItems",
    "unschedulable",
];
/// Numbers that are left out when they are zero.
const ZERO_IS_ABSENT: [&str; 31] = [
    "active",
    "availableReplicas",
    "count",
    "currentReplicas",
    "deprecatedCount",
    "failed",
    "failureThreshold",
    "fullyLabeledReplicas",
    "generation",
    "healthCheckNodePort",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "number",
    "numberAvailable",
    "numberUnavailable",
    "observedGeneration",
    "periodSeconds",
    "priority",
    "readyReplicas",
    "replicas",
    "signal",
    "sizeBytes",
    "succeeded",
    "successThreshold",
    "timeoutSeconds",
    "unavailableReplicas",
    "updatedNumberScheduled",
    "updatedReplicas",
    "weight",
];
/// Texts for which empty and absent differ.
const EMPTY_TEXT_COUNTS: [&str; 33] = [
    "appProtocol",
    "completionMode",
    "failedIndexes",
    "fsGroupChangePolicy",
    "holderIdentity",
    "hostnameOverride",
    "ingressClassName",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "ipMode",
    "loadBalancerClass",
    "localhostProfile",
    "managedBy",
    "mountPropagation",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "pathType",
    "podReplacementPolicy",
    "preemptionPolicy",
    "preferredHolder",
    "procMount",
    "propagationPolicy",
    "recursiveReadOnly",
    "runtimeClassName",
    "scope",
    "selectPolicy",
    "storageClassName",
    "strategy",
    "succeededIndexes",
    "timeZone",
    "trafficDistribution",
    "unhealthyPodEvictionPolicy",
    "volumeMode",
];

/// Drops nulls and whatever the encoder leaves out, and writes quantities in their canonical form.
pub(super) fn settle(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(map) if !schema.preserve_unknown_fields => settle_map(schema, map),
        Value::Array(items) => {
            if let Some(item_schema) = schema.items.as_deref() {
                items.iter_mut().for_each(|item| settle(item_schema, item));
            }
        }
        Value::String(text) if is_quantity(schema) => {
            if let Some(quantity) = Quantity::parse(text) {
                *text = quantity.canonical();
            }
        }
        Value::Number(number) if is_quantity(schema) => {
            if let Some(quantity) = Quantity::parse(&number.to_string()) {
                *value = Value::String(quantity.canonical());
            }
        }
        _ => {}
    }
}

fn is_quantity(schema: &Schema) -> bool {
    schema.type_name.ends_with(".Quantity")
}

fn settle_map(schema: &Schema, map: &mut Map<String, Value>) {
    map.retain(|name, entry| match schema.properties.get(name) {
        Some(property) => !says_nothing(schema, name, property, entry),
        // A null in a map of texts is an empty text; in other maps it is nothing.
        None => {
            !entry.is_null()
                || matches!(&schema.additional_properties, Additional::Of(child) if child.types == Some(Type::String))
        }
    });
    for (name, entry) in map {
        match (schema.properties.get(name), &schema.additional_properties) {
            (Some(child), _) => settle(child, entry),
            (None, Additional::Of(child)) => {
                if entry.is_null() && child.types == Some(Type::String) {
                    *entry = Value::String(String::new());
                }
                settle(child, entry);
            }
            _ => {}
        }
    }
}

fn says_nothing(schema: &Schema, name: &str, property: &Schema, entry: &Value) -> bool {
    if entry.is_null() {
        return true;
    }
    if schema.required.iter().any(|required| required == name) || property.default.is_some() {
        return false;
    }
    let pointer = match (schema.type_name.as_str(), name) {
        ("v1.ScaleSpec", "replicas") => false,
        ("v1.HostPathVolumeSource", "type") | ("v1.PodSpec", "priority") => true,
        (holder, "replicas") => holder.ends_with("Spec"),
        _ => false,
    };
    match entry {
        Value::Bool(flag) => !flag && FALSE_IS_ABSENT.contains(&name),
        Value::Number(number) => !pointer && number.as_i64() == Some(0) && ZERO_IS_ABSENT.contains(&name),
        Value::String(text) => !pointer && text.is_empty() && !EMPTY_TEXT_COUNTS.contains(&name),
        Value::Array(items) => items.is_empty(),
        // An empty structure is something, an empty map is not.
        Value::Object(inner) => inner.is_empty() && matches!(property.additional_properties, Additional::Of(_)),
        Value::Null => true,
    }
}

/// Lists that are shown even when they are absent, although nobody has to give them.
const SHOWN_LISTS: [(&str, &str); 6] = [
    ("v2.HorizontalPodAutoscalerStatus", "currentMetrics"),
    ("v1.Role", "rules"),
    ("v1.ClusterRole", "rules"),
    ("v1.EndpointSlice", "endpoints"),
    ("v1.EndpointSlice", "ports"),
    ("v1.CustomResourceDefinitionStatus", "conditions"),
];

/// Puts nulls where the encoder shows them: such lists, and times in structures that always have them.
pub(super) fn show_nulls(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(map) if !schema.preserve_unknown_fields => {
            for (name, property) in &schema.properties {
                let shown_list = SHOWN_LISTS.contains(&(&schema.type_name, name))
                    || property.types == Some(Type::Array) && schema.required.contains(name);
                if (shown_list || always_shown(schema, property)) && !map.contains_key(name) {
                    map.insert(name.clone(), Value::Null);
                }
            }
            for (name, entry) in map {
                if let Some(child) = schema.entry(name) {
                    show_nulls(child, entry);
                }
            }
        }
        Value::Array(items) => {
            if let Some(item_schema) = schema.items.as_deref() {
                items.iter_mut().for_each(|item| show_nulls(item_schema, item));
            }
        }
        _ => {}
    }
}

fn always_shown(holder: &Schema, property: &Schema) -> bool {
    let holder = holder.type_name.as_str();
    let is_time = matches!(property.type_name.as_str(), "v1.Time" | "v1.MicroTime");
    let has_times = holder.ends_with("Condition")
        || matches!(holder, "v1.Event" | "v1.ContainerStateRunning" | "v1.ContainerStateTerminated");
    is_time && has_times
}
