//! Disruption budgets and leases.

use serde_json::Value;

use super::common::Checks;

pub(super) fn check_budget(checks: &mut Checks, new: &Value) {
    let spec = &new["spec"];
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        checks.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
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
