//! Disruption budgets and leases.

use serde_json::Value;

use super::super::field_error::{FieldError, Reason};
use super::common::Checks;

pub(super) fn check_budget(checks: &mut Checks, new: &Value) {
    let spec = &new["spec"];
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        // In the order and with the names of the real server's own structure.
        let shown = |field: &str| serde_json::to_string(&spec[field]).unwrap_or_default();
        let spec = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            shown("minAvailable"),
            shown("selector"),
            shown("maxUnavailable"),
            shown("unhealthyPodEvictionPolicy"),
        );
        let why = format!("{spec}: minAvailable and maxUnavailable cannot be both set");
        checks.errors.push(FieldError::new(Reason::Invalid, "spec", None, why));
    }
    for field in ["minAvailable", "maxUnavailable"] {
        let path = format!("spec.{field}");
        checks.number_or_percent(&path, &spec[field]);
        checks.at_most_all(&path, &spec[field]);
    }
    if let Some(selector) = spec.get("selector") {
        checks.selector("spec.selector", selector);
    }
}

pub(super) fn check_lease(checks: &mut Checks, new: &Value) {
    let spec = &new["spec"];
    if spec["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds <= 0) {
        checks.invalid("spec.leaseDurationSeconds", &spec["leaseDurationSeconds"], "must be greater than 0");
    }
    checks.not_negative("spec.leaseTransitions", &spec["leaseTransitions"]);
}
