//! Horizontal autoscalers.

use serde_json::{Value, json};

use super::{Object, absent, existing, nested};

pub(super) fn default_autoscaler(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    absent(spec, "minReplicas", 1);
    if spec.get("metrics").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec.insert(
            "metrics".into(),
            json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]),
        );
    }
    // Whoever says something about behaviour gets the rest of it spelled out.
    let Some(behavior) = existing(spec, "behavior") else { return };
    if let Some(up) = nested(behavior, "scaleUp") {
        absent(up, "stabilizationWindowSeconds", 0);
        absent(up, "selectPolicy", "Max");
        absent(
            up,
            "policies",
            json!([
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ]),
        );
    }
    if let Some(down) = nested(behavior, "scaleDown") {
        absent(down, "selectPolicy", "Max");
        absent(down, "policies", json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]));
    }
}
