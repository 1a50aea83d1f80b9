//! What is wrong with analysis templates, runs, and the places that ask for an analysis.

mod arguments;
mod condition;
mod job;
mod metric;
mod provider;
mod request;

use std::collections::BTreeSet;

use super::fields::{Found, repeated, required_text, taken};
use super::metadata;
use crate::analysis::{AnalysisRun, AnalysisTemplate, AnalysisTemplateSpec, Argument, ClusterAnalysisTemplate, Metric};
use crate::mistake::{FieldPath, Mistake, word};

pub(super) use arguments::check as check_arguments;
pub(super) use request::{check_dry_run, check_given_arguments, check_request, check_retention};

pub(super) fn check_template(template: &AnalysisTemplate) -> Vec<Mistake> {
    let mut found = Found::new();
    metadata::check(&template.metadata, &mut found);
    check_template_spec(&template.spec, &mut found);
    found
}

pub(super) fn check_cluster_template(template: &ClusterAnalysisTemplate) -> Vec<Mistake> {
    let mut found = Found::new();
    metadata::check(&template.metadata, &mut found);
    check_template_spec(&template.spec, &mut found);
    found
}

pub(super) fn check_run(run: &AnalysisRun) -> Vec<Mistake> {
    let mut found = Found::new();
    let path = FieldPath::of("spec");
    let spec = &run.spec;
    metadata::check(&run.metadata, &mut found);
    if spec.metrics().is_empty() {
        found.push(Mistake::missing(path.field("metrics"), "has no metric", "write at least one"));
    }
    check_metrics(&path, spec.metrics(), &mut found);
    arguments::check(&path, spec.args(), &mut found);
    for (index, argument) in spec.args().iter().enumerate() {
        if argument.value.is_none() && argument.value_from.is_none() && !argument.name.is_empty() {
            let path = path.field("args").index(index);
            found.push(Mistake::missing(path, "has no value", "write value or valueFrom"));
        }
    }
    for unknown in arguments::undeclared(&path, spec.metrics(), &declared(spec.args())) {
        let problem = format!("uses {}, which is not among the arguments", unknown.tag());
        let mend = format!("add {} to spec.args with its value", word(&unknown.name));
        found.push(Mistake::about(unknown.path, problem, mend));
    }
    check_dry_run(&path, spec.dry_run.as_deref(), Some(spec.metrics()), &mut found);
    check_retention(&path, spec.measurement_retention.as_deref(), &mut found);
    found
}

fn check_template_spec(spec: &AnalysisTemplateSpec, found: &mut Found) {
    let path = FieldPath::of("spec");
    if spec.metrics().is_empty() && spec.templates().is_empty() {
        let mend = "write at least one, or name other templates in spec.templates";
        found.push(Mistake::missing(path.field("metrics"), "has no metric", mend));
    }
    check_metrics(&path, spec.metrics(), found);
    arguments::check(&path, spec.args(), found);
    for (index, template) in spec.templates().iter().enumerate() {
        let path = path.field("templates").index(index).field("templateName");
        required_text(path, template.template_name.as_deref(), "name an AnalysisTemplate", found);
    }
    // A template that is run together with others may use their arguments, so this is for its author to judge.
    if spec.templates().is_empty() {
        for unknown in arguments::undeclared(&path, spec.metrics(), &declared(spec.args())) {
            let problem = format!("uses {}, which this template does not declare", unknown.tag());
            let mend = format!("add - name: {} to spec.args", word(&unknown.name));
            found.push(Mistake::doubtful(unknown.path, problem, mend));
        }
    }
    check_dry_run(&path, spec.dry_run.as_deref(), None, found);
    check_retention(&path, spec.measurement_retention.as_deref(), found);
}

fn check_metrics(path: &FieldPath, metrics: &[Metric], found: &mut Found) {
    let path = path.field("metrics");
    for (index, one) in metrics.iter().enumerate() {
        metric::check(&path.index(index), one, found);
    }
    for (index, name) in repeated(metrics.iter().map(|metric| metric.name.as_str())) {
        found.push(taken(path.index(index).field("name"), name));
    }
}

fn declared(arguments: &[Argument]) -> BTreeSet<&str> {
    arguments.iter().map(|argument| argument.name.as_str()).collect()
}
