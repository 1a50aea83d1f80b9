//! Jobs and CronJobs.

use serde_json::{Value, json};

use super::pods::default_template;
use super::{Object, absent, existing, nested, unset};

pub(super) fn default_job(object: &mut Object) {
    let labels = object.get("spec").and_then(|spec| spec.pointer("/template/metadata/labels")).cloned();
    if let Some(labels) = labels
        && let Some(meta) = nested(object, "metadata")
    {
        absent(meta, "labels", labels);
    }
    if let Some(spec) = nested(object, "spec") {
        default_template(spec);
        let one_of_many = spec.contains_key("completions") || spec.contains_key("parallelism");
        if !one_of_many {
            spec.insert("completions".into(), json!(1));
        }
        absent(spec, "parallelism", 1);
        let per_index = spec.contains_key("backoffLimitPerIndex");
        absent(spec, "backoffLimit", if per_index { i32::MAX } else { 6 });
        absent(spec, "completionMode", "NonIndexed");
        absent(spec, "suspend", false);
        let only_failed = spec.contains_key("podFailurePolicy");
        absent(spec, "podReplacementPolicy", if only_failed { "Failed" } else { "TerminatingOrFailed" });
        absent(spec, "manualSelector", false);
    }
}

pub(super) fn default_cron_job(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    unset(spec, "concurrencyPolicy", "Allow");
    absent(spec, "suspend", false);
    absent(spec, "successfulJobsHistoryLimit", 3);
    absent(spec, "failedJobsHistoryLimit", 1);
    if let Some(job) = existing(spec, "jobTemplate").and_then(|template| existing(template, "spec")) {
        default_template(job);
    }
}

/// Gives a new Job the selector and the pod labels that tell its pods from those of every other Job.
pub fn generate_selector(job: &mut Value) {
    let manual = job.pointer("/spec/manualSelector") == Some(&Value::Bool(true));
    let text = |pointer: &str| job.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, uid) = (text("/metadata/name"), text("/metadata/uid"));
    if manual || uid.is_empty() {
        return;
    }
    let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let before = spec.get("template").and_then(|t| t.pointer("/metadata/labels")).cloned();
    let labels = nested(spec, "template")
        .and_then(|template| nested(template, "metadata"))
        .and_then(|meta| nested(meta, "labels"));
    if let Some(labels) = labels {
        for (key, value) in [
            ("job-name", &name),
            ("controller-uid", &uid),
            ("batch.kubernetes.io/job-name", &name),
            ("batch.kubernetes.io/controller-uid", &uid),
        ] {
            absent(labels, key, value.as_str());
        }
    }
    let selected = nested(spec, "selector").and_then(|selector| nested(selector, "matchLabels"));
    if let Some(selected) = selected {
        absent(selected, "batch.kubernetes.io/controller-uid", uid);
    }
    // Labels that the Job has from its template follow the template.
    let after = spec.get("template").and_then(|t| t.pointer("/metadata/labels")).cloned();
    if let (Some(after), Some(meta)) = (after, job.get_mut("metadata").and_then(Value::as_object_mut))
        && meta.get("labels") == before.as_ref()
    {
        meta.insert("labels".into(), after);
    }
}
