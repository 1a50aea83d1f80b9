//! Deployments, ReplicaSets, StatefulSets and DaemonSets.

use serde_json::Value;

use super::super::FieldError;
use super::common::{Checks, is_empty_selector, is_unset, is_zero, selects};
use super::pods::check_template;

pub(super) fn check_deployment(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let spec = &new["spec"];
    checks.not_negative("spec.replicas", &spec["replicas"]);
    check_selector_and_template(checks, spec, "deployment");
    check_strategy(checks, &spec["strategy"]);
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    checks.not_negative("spec.revisionHistoryLimit", &spec["revisionHistoryLimit"]);
    let deadline = &spec["progressDeadlineSeconds"];
    if let Some(seconds) = deadline.as_i64() {
        checks.not_negative("spec.progressDeadlineSeconds", deadline);
        if seconds <= spec["minReadySeconds"].as_i64().unwrap_or(0) && seconds != 0 {
            checks.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
        }
    }
    if let Some(old) = old {
        checks.unchanged("spec.selector", &spec["selector"], &old["spec"]["selector"]);
    }
}

fn check_strategy(checks: &mut Checks, strategy: &Value) {
    let rolling = &strategy["rollingUpdate"];
    match strategy["type"].as_str().unwrap_or_default() {
        "Recreate" => {
            if !rolling.is_null() {
                checks.forbidden(
                    "spec.strategy.rollingUpdate",
                    "may not be specified when strategy `type` is 'Recreate'",
                );
            }
        }
        "RollingUpdate" => {
            let (surge, unavailable) = (&rolling["maxSurge"], &rolling["maxUnavailable"]);
            checks.number_or_percent("spec.strategy.rollingUpdate.maxUnavailable", unavailable);
            checks.number_or_percent("spec.strategy.rollingUpdate.maxSurge", surge);
            if is_zero(surge) && is_zero(unavailable) {
                checks.invalid(
                    "spec.strategy.rollingUpdate.maxUnavailable",
                    unavailable,
                    "may not be 0 when `maxSurge` is 0",
                );
            }
            checks.at_most_all("spec.strategy.rollingUpdate.maxUnavailable", unavailable);
        }
        _ => {
            let supported = ["Recreate", "RollingUpdate"];
            checks.errors.push(FieldError::not_supported("spec.strategy", strategy.clone(), &supported));
        }
    }
}

pub(super) fn check_replica_set(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let spec = &new["spec"];
    checks.not_negative("spec.replicas", &spec["replicas"]);
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    check_selector_and_template(checks, spec, "replicaset");
    if let Some(old) = old {
        checks.unchanged("spec.selector", &spec["selector"], &old["spec"]["selector"]);
    }
}

/// StatefulSets and DaemonSets, as far as they are alike.
pub(super) fn check_other(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let spec = &new["spec"];
    checks.not_negative("spec.replicas", &spec["replicas"]);
    checks.not_negative("spec.minReadySeconds", &spec["minReadySeconds"]);
    check_selector_and_template(checks, spec, "set");
    if let Some(old) = old {
        checks.unchanged("spec.selector", &spec["selector"], &old["spec"]["selector"]);
    }
}

/// The selector has to be there, to make sense, and to select what the template makes; and that lives for ever.
fn check_selector_and_template(checks: &mut Checks, spec: &Value, kind: &str) {
    let (selector, template) = (&spec["selector"], &spec["template"]);
    let before = checks.errors.len();
    if selector.is_null() {
        checks.required("spec.selector", "");
    } else {
        checks.selector("spec.selector", selector);
        if is_empty_selector(selector) {
            checks.invalid("spec.selector", selector, &format!("empty selector is invalid for {kind}"));
        }
    }
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let usable = expressions.into_iter().all(|expression| {
        let values = expression["values"].as_array().map_or(0, Vec::len);
        match expression["operator"].as_str() {
            Some("In" | "NotIn") => values > 0,
            Some("Exists" | "DoesNotExist") => values == 0,
            _ => false,
        }
    });
    let labels = &template["metadata"]["labels"];
    if !usable {
        checks.invalid("spec.selector", selector, "invalid label selector");
    } else if selector.is_null() || !is_empty_selector(selector) && !selects(selector, labels) {
        let detail = "`selector` does not match template `labels`";
        checks.invalid("spec.template.metadata.labels", labels, detail);
    }
    if usable || checks.errors.len() == before {
        check_template(checks, "spec.template", template);
        let policy = &template["spec"]["restartPolicy"];
        if !is_unset(policy) && *policy != "Always" {
            let supported = ["Always"];
            checks.errors.push(FieldError::not_supported(
                "spec.template.spec.restartPolicy",
                policy.clone(),
                &supported,
            ));
        }
    }
}
