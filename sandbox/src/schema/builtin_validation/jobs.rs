//! Jobs.

use serde_json::Value;

use super::common::{Checks, selects};
use super::pods::check_template;

pub(super) fn check_job(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let spec = &new["spec"];
    if spec["selector"].is_null() {
        checks.required("spec.selector", "");
    } else {
        checks.selector("spec.selector", &spec["selector"]);
    }
    if spec["manualSelector"] != true {
        check_generated_selector(checks, new);
    }
    for field in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"] {
        checks.not_negative(&format!("spec.{field}"), &spec[field]);
    }
    checks.one_of("spec.completionMode", &spec["completionMode"], &["NonIndexed", "Indexed"]);
    if spec["completionMode"] == "Indexed" && spec["completions"].is_null() {
        checks.required("spec.completions", "when completion mode is Indexed");
    }
    let template = &spec["template"];
    check_template(checks, "spec.template", template);
    if !matches!(template["spec"]["restartPolicy"].as_str(), Some("OnFailure" | "Never")) {
        checks.required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    }
    let labels = &template["metadata"]["labels"];
    if !selects(&spec["selector"], labels) || spec["selector"].is_null() {
        let detail = "`selector` does not match template `labels`";
        checks.invalid("spec.template.metadata.labels", labels, detail);
    }
    if let Some(old) = old {
        check_change(checks, spec, &old["spec"]);
    }
}

/// A Job that does not bring its own selector has exactly the one that was made for it.
fn check_generated_selector(checks: &mut Checks, job: &Value) {
    let uid = &job["metadata"]["uid"];
    let selector = &job["spec"]["selector"];
    let label = "batch.kubernetes.io/controller-uid";
    let own = serde_json::json!({"matchLabels": {label: uid}});
    let older = serde_json::json!({"matchLabels": {"controller-uid": uid}});
    if *selector != own && *selector != older && !selector.is_null() {
        checks.invalid("spec.selector", selector, "`selector` not auto-generated");
    }
}

fn check_change(checks: &mut Checks, new: &Value, old: &Value) {
    if new["completions"] != old["completions"] {
        let together = new["completionMode"] == "Indexed"
            && new["completions"] == new["parallelism"]
            && !new["completions"].is_null();
        if old["completionMode"] == "Indexed" && !together {
            checks.invalid(
                "spec.completions",
                &new["completions"],
                "can only be modified in tandem with spec.parallelism",
            );
        } else if old["completionMode"] != "Indexed" {
            checks.invalid("spec.completions", &new["completions"], "field is immutable");
        }
    }
    checks.unchanged("spec.selector", &new["selector"], &old["selector"]);
    // The template of a suspended Job may still be moved to other nodes; its containers stay.
    let suspended = old["suspend"] == true;
    let mut comparable = old["template"].clone();
    if suspended {
        let fields = ["nodeSelector", "affinity", "tolerations", "schedulingGates"];
        adopt(&mut comparable, &new["template"], "spec", &fields);
        adopt(&mut comparable, &new["template"], "metadata", &["labels", "annotations"]);
    }
    checks.unchanged("spec.template", &new["template"], &comparable);
    checks.unchanged("spec.completionMode", &new["completionMode"], &old["completionMode"]);
}

/// Takes over some fields of one part of a template.
fn adopt(template: &mut Value, from: &Value, part: &str, fields: &[&str]) {
    let Some(target) = template.get_mut(part).and_then(Value::as_object_mut) else { return };
    for field in fields {
        match from[part].get(field) {
            Some(value) => target.insert((*field).to_owned(), value.clone()),
            None => target.remove(*field),
        };
    }
}
