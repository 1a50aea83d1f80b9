//! What is wrong with a Job that is a metric.

use crate::analysis::provider::JobMetric;
use crate::mistake::{FieldPath, Mistake};
use crate::validate::fields::{Found, extra_metadata};
use crate::validate::form::{self, quieted};
use crate::validate::pod_template::{self, Owner};

pub(super) fn check(path: &FieldPath, job: &JobMetric, found: &mut Found) {
    extra_metadata(&path.field("metadata"), job.metadata.as_ref(), found);
    let path = path.field("spec");
    let Some(spec) = &job.spec else {
        found.push(Mistake::missing(path, "is required", "write the Job's spec with its template"));
        return;
    };
    let mut json = spec.as_json().clone();
    let checked = form::check_kubernetes(form::job_spec(), &mut json);
    let mut inside = Found::new();
    let template = FieldPath::of("template");
    match json.get("template").filter(|template| !template.is_null()) {
        None => inside.push(Mistake::missing(template, "is required", "write the pod to run")),
        Some(pod) => inside.append(&mut pod_template::check(&template, pod, Owner::Job)),
    }
    for field in ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"] {
        if let Some(number) = json.get(field).and_then(serde_json::Value::as_i64).filter(|number| *number < 0) {
            inside.push(Mistake::wrong(FieldPath::of(field), number, "is less than 0", "write 0 or more"));
        }
    }
    let mistakes = quieted(checked, inside).into_iter();
    found.extend(mistakes.map(|mistake| Mistake { path: path.then(&mistake.path), ..mistake }));
}
