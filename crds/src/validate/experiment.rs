//! What is wrong with an Experiment.

use super::analysis::{check_arguments, check_dry_run, check_retention};
use super::fields::{
    Found, duration, extra_metadata, not_negative, optional_name, repeated, required_name, required_text, taken,
};
use super::names::{DNS_LABEL, OBJECT_NAME};
use super::pod_template::{self, Owner};
use super::{metadata, selector};
use crate::experiment::{Experiment, ExperimentTemplate};
use crate::mistake::{FieldPath, Mistake};

pub(super) fn check(experiment: &Experiment) -> Vec<Mistake> {
    let mut found = Found::new();
    let spec = &experiment.spec;
    let path = FieldPath::of("spec");
    metadata::check(&experiment.metadata, &mut found);
    let templates = path.field("templates");
    if spec.templates().is_empty() && spec.analyses().is_empty() {
        found.push(Mistake::missing(templates.clone(), "is required", "write the versions to run"));
    }
    for (index, template) in spec.templates().iter().enumerate() {
        check_version(&templates.index(index), template, spec.progress_deadline_seconds(), &mut found);
    }
    for (index, name) in repeated(spec.templates().iter().map(|template| template.name.as_str())) {
        found.push(taken(templates.index(index).field("name"), name));
    }
    duration(path.field("duration"), spec.duration.as_ref(), &mut found);
    let analyses = path.field("analyses");
    for (index, analysis) in spec.analyses().iter().enumerate() {
        let path = analyses.index(index);
        required_name(path.field("name"), Some(&analysis.name), &OBJECT_NAME, "name it", &mut found);
        let template_name = analysis.template_name.as_deref();
        required_text(path.field("templateName"), template_name, "name an AnalysisTemplate", &mut found);
        check_arguments(&path, analysis.args.as_deref().unwrap_or_default(), &mut found);
    }
    for (index, name) in repeated(spec.analyses().iter().map(|analysis| analysis.name.as_str())) {
        found.push(taken(analyses.index(index).field("name"), name));
    }
    check_dry_run(&path, spec.dry_run.as_deref(), None, &mut found);
    check_retention(&path, spec.measurement_retention.as_deref(), &mut found);
    extra_metadata(&path.field("analysisRunMetadata"), spec.analysis_run_metadata.as_ref(), &mut found);
    found
}

fn check_version(path: &FieldPath, version: &ExperimentTemplate, deadline: i32, found: &mut Found) {
    required_name(path.field("name"), Some(&version.name), &OBJECT_NAME, "name the version", found);
    not_negative(path.field("replicas"), version.replicas, found);
    not_negative(path.field("minReadySeconds"), version.min_ready_seconds, found);
    if let Some(ready) = version.min_ready_seconds.filter(|ready| *ready > deadline) {
        let problem = format!("is more than spec.progressDeadlineSeconds, which is {deadline}");
        let mend = format!("write {deadline} or less, or set a longer progressDeadlineSeconds");
        found.push(Mistake::wrong(path.field("minReadySeconds"), ready, problem, mend));
    }
    selector::check(&path.field("selector"), version.selector.as_ref(), version.template.as_ref(), found);
    let template = path.field("template");
    match &version.template {
        None => found.push(Mistake::missing(template, "is required", "write the pod to run")),
        Some(pods) => found.append(&mut pod_template::check(&template, pods.as_json(), Owner::ReplicaSet)),
    }
    let service = version.service.as_ref().and_then(|service| service.name.as_deref());
    optional_name(&path.field("service").field("name"), service, &DNS_LABEL, found);
}
