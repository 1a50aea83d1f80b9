//! What keeps an Experiment from running: all of it at once, each with its field.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_crds::experiment::ExperimentTemplate;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::validate;

use super::analyses;
use super::observe::Trial;
use super::services::ports;
use crate::analyses::check::is_endless;

/// Mistakes, by what becomes of them.
#[derive(Default)]
pub(super) struct Mistakes {
    /// In the Experiment itself: it ends.
    pub(super) own: Vec<Mistake>,
    /// In what it refers to, which may be applied a moment later: it waits.
    pub(super) references: Vec<Mistake>,
}

pub(super) fn mistakes(trial: &Trial<'_>) -> Mistakes {
    let mut own = validate::experiment(trial.experiment);
    own.retain(Mistake::stops_a_release);
    let templates = FieldPath::of("spec.templates");
    let versions = trial.experiment.spec.templates().iter().enumerate();
    own.extend(versions.filter_map(|(index, version)| without_port(trial, &templates.index(index), version)));
    own.sort();
    if !own.is_empty() || trial.available_at().is_some() {
        return Mistakes { own, references: Vec::new() };
    }
    let mut references = broken_templates(trial);
    let words = words_to_come(trial);
    let json = serde_json::to_value(trial.experiment).unwrap_or_default();
    for analysis in &trial.analyses {
        let path = analyses::path_of(analysis.index);
        match analyses::spec_of(trial, analysis, &json, &words) {
            Err(mistakes) => references.extend(mistakes),
            Ok(spec) if analysis.asked.required_for_completion() => {
                references.extend(spec.metrics().iter().filter(|metric| is_endless(metric)).map(|metric| {
                    let problem = format!("measures {:?} without end, and the Experiment waits for it", metric.name);
                    Mistake::about(path.field("templateName"), problem, "give the metric a count")
                }));
            }
            Ok(_) => {}
        }
    }
    references.sort();
    references.dedup();
    Mistakes { own, references }
}

/// Templates that can't be judged, although they are there.
fn broken_templates(trial: &Trial<'_>) -> Vec<Mistake> {
    let all = trial.snapshot.templates.iter().map(|template| ("AnalysisTemplate", template));
    let all = all.chain(trial.snapshot.cluster_templates.iter().map(|one| ("ClusterAnalysisTemplate", one)));
    let wrong = all.filter(|(_, template)| !template.mistakes.is_empty());
    let told = wrong.map(|(kind, template)| {
        let mistakes: Vec<String> = template.mistakes.iter().map(ToString::to_string).collect();
        let problem = format!("use {kind} {:?}, which has mistakes: {}", template.meta.name, mistakes.join("; "));
        Mistake::about(FieldPath::of("spec.analyses"), problem, "mend the template")
    });
    told.collect()
}

/// A Service leads to a port.
fn without_port(trial: &Trial<'_>, path: &FieldPath, version: &ExperimentTemplate) -> Option<Mistake> {
    let template = version.template.as_ref().filter(|_| version.service.is_some())?;
    ports(trial.snapshot, template).is_empty().then(|| {
        let problem = "needs a port of the pod template to lead to, and that has none";
        Mistake::about(path.field("service"), problem, "add ports with a containerPort to a container")
    })
}

/// What arguments may name, before any of it is known.
fn words_to_come(trial: &Trial<'_>) -> BTreeMap<String, String> {
    analyses::words(trial)
        .into_iter()
        .map(|(word, value)| (word, value.unwrap_or_else(|| "unknown".to_owned())))
        .collect()
}

/// The whole of `null`, for those without a Rollout.
pub(super) static NOTHING: Value = Value::Null;
