//! Horizontal autoscalers.

use serde_json::Value;

use super::super::field_error::child;
use super::common::{Checks, is_unset, items};

const SOURCES: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

pub(super) fn check_autoscaler(checks: &mut Checks, new: &Value) {
    let spec = &new["spec"];
    let (min, max) = (spec["minReplicas"].as_i64(), spec["maxReplicas"].as_i64().unwrap_or(0));
    if min.is_some_and(|min| min < 1) {
        checks.invalid("spec.minReplicas", &spec["minReplicas"], "must be greater than or equal to 1");
    }
    if max < 1 {
        checks.required("spec.maxReplicas", "must be set and greater than 0");
    }
    if min.is_some_and(|min| max < min) {
        let detail = "must be greater than or equal to `minReplicas`";
        checks.invalid("spec.maxReplicas", &spec["maxReplicas"], detail);
    }
    let target = &spec["scaleTargetRef"];
    for field in ["kind", "name"] {
        if is_unset(&target[field]) {
            checks.required(&format!("spec.scaleTargetRef.{field}"), "");
        }
    }
    if !target["apiVersion"].as_str().is_some_and(|version| version.contains('/')) {
        let shown = Value::String(target["apiVersion"].as_str().unwrap_or_default().to_owned());
        checks.invalid("spec.scaleTargetRef.apiVersion", &shown, "apiVersion must specify API group");
    }
    for (path, metric) in items("spec.metrics", &spec["metrics"]) {
        let kind = metric["type"].as_str().unwrap_or_default();
        match SOURCES.iter().find(|(name, _)| *name == kind) {
            None => checks.one_of(&child(&path, "type"), &metric["type"], &SOURCES.map(|(name, _)| name)),
            Some((_, source)) if metric[*source].is_null() => {
                checks.required(&child(&path, source), "must populate information for the given metric source");
            }
            Some(_) => {}
        }
    }
    let scales_to_zero =
        items("", &spec["metrics"]).iter().any(|(_, m)| m["type"] == "Object" || m["type"] == "External");
    if min == Some(0) && !scales_to_zero {
        checks.forbidden(
            "spec.metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
        );
    }
}
