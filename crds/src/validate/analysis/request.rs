//! What is wrong with the places that ask for an analysis.

use crate::analysis::Metric;
use crate::mistake::{FieldPath, Mistake};
use crate::rollout::analysis::{DryRun, MeasurementRetention, OnFailure};
use crate::rollout::{AnalysisArg, PodTemplateHash, RolloutAnalysis};
use crate::validate::fields::{Found, extra_metadata, known_word, not_negative, repeated, required_text, taken};
use crate::validate::patterns;

const NAME_OR_PATTERN: &str = "write the metric's name, or .* for all";

/// An analysis that a Rollout asks for.
pub(in crate::validate) fn check_request(path: &FieldPath, analysis: &RolloutAnalysis, found: &mut Found) {
    let templates = path.field("templates");
    if analysis.templates().is_empty() {
        found.push(Mistake::missing(templates.clone(), "is required", "name at least one AnalysisTemplate"));
    }
    for (index, template) in analysis.templates().iter().enumerate() {
        let path = templates.index(index).field("templateName");
        required_text(path, template.template_name.as_deref(), "name an AnalysisTemplate", found);
    }
    check_given_arguments(path, analysis.args.as_deref(), found);
    check_dry_run(path, analysis.dry_run.as_deref(), None, found);
    check_retention(path, analysis.measurement_retention.as_deref(), found);
    extra_metadata(&path.field("analysisRunMetadata"), analysis.analysis_run_metadata.as_ref(), found);
    if let Some(OnFailure::Other(word)) = &analysis.on_failure {
        known_word(path.field("onFailure"), word, OnFailure::KNOWN, found);
    }
}

/// Arguments that a Rollout gives to a template.
pub(in crate::validate) fn check_given_arguments(
    path: &FieldPath,
    arguments: Option<&[AnalysisArg]>,
    found: &mut Found,
) {
    let path = path.field("args");
    let arguments = arguments.unwrap_or_default();
    for (index, argument) in arguments.iter().enumerate() {
        check_argument(&path.index(index), argument, found);
    }
    for (index, name) in repeated(arguments.iter().map(|argument| argument.name.as_str())) {
        found.push(taken(path.index(index).field("name"), name));
    }
}

fn check_argument(path: &FieldPath, argument: &AnalysisArg, found: &mut Found) {
    required_text(path.field("name"), Some(&argument.name), "name the argument", found);
    let Some(source) = &argument.value_from else {
        return;
    };
    if argument.value.as_deref().is_some_and(|value| !value.is_empty()) {
        found.push(Mistake::about(path.clone(), "has both value and valueFrom", "keep one of the two"));
    }
    let path = path.field("valueFrom");
    match (&source.pod_template_hash_value, &source.field_ref) {
        (None, None) => {
            let mend = "write podTemplateHashValue or fieldRef";
            found.push(Mistake::missing(path.clone(), "names no source", mend));
        }
        (Some(_), Some(_)) => {
            let problem = "has both podTemplateHashValue and fieldRef";
            found.push(Mistake::about(path.clone(), problem, "keep one of the two"));
        }
        _ => {}
    }
    if let Some(PodTemplateHash::Other(word)) = &source.pod_template_hash_value {
        known_word(path.field("podTemplateHashValue"), word, PodTemplateHash::KNOWN, found);
    }
    if let Some(field) = &source.field_ref {
        let path = path.field("fieldRef").field("fieldPath");
        required_text(path, Some(&field.field_path), "write a field such as metadata.labels['region']", found);
    }
}

/// Rules that name metrics which don't count. Where all metrics are known, one that names none of them is doubtful.
pub(in crate::validate) fn check_dry_run(
    path: &FieldPath,
    rules: Option<&[DryRun]>,
    metrics: Option<&[Metric]>,
    found: &mut Found,
) {
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        let path = path.field("dryRun").index(index).field("metricName");
        required_text(path.clone(), Some(&rule.metric_name), NAME_OR_PATTERN, found);
        patterns::check(path.clone(), &rule.metric_name, found);
        let is_word = !rule.metric_name.is_empty()
            && rule.metric_name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let names_none = metrics.is_some_and(|all| all.iter().all(|metric| !metric.name.contains(&rule.metric_name)));
        if is_word && names_none {
            found.push(Mistake::doubtful(path, "names no metric of this run", "write the name of one"));
        }
    }
}

/// Rules about how many measurements are kept.
pub(in crate::validate) fn check_retention(
    path: &FieldPath,
    rules: Option<&[MeasurementRetention]>,
    found: &mut Found,
) {
    for (index, rule) in rules.into_iter().flatten().enumerate() {
        let path = path.field("measurementRetention").index(index);
        required_text(path.field("metricName"), Some(&rule.metric_name), NAME_OR_PATTERN, found);
        patterns::check(path.field("metricName"), &rule.metric_name, found);
        not_negative(path.field("limit"), rule.limit, found);
    }
}
