//! Whether the Experiments that a Rollout's steps ask for can run, known before the release begins.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_analysis::args::{ExperimentFacts, RolloutFacts, Templates, new_experiment_run};
use sluice_crds::experiment::ExperimentSpec;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::experiment::ExperimentStep;
use sluice_crds::rollout::{CanaryStrategy, StepKind};

use super::build::analysis;
use crate::analyses::check::{endless, is_endless, of_templates, templates_of};
use crate::experiment::ports_of;
use crate::ping_pong;
use crate::snapshot::Snapshot;

/// Everything that keeps an Experiment of this Rollout from running.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<Mistake> {
    let canary = snapshot.rollout.spec.canary();
    let steps = canary.map(CanaryStrategy::steps).unwrap_or_default().iter().enumerate();
    let asked = steps.filter_map(|(index, step)| match step.kind() {
        Some(StepKind::Experiment(asked)) => Some((index, asked)),
        _ => None,
    });
    let asked: Vec<(usize, &ExperimentStep)> = asked.collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let rollout = snapshot.rollout.to_json();
    let has_stable_service = ping_pong::service_names(&snapshot.rollout).0.is_some();
    let has_ports =
        has_stable_service || snapshot.rollout.template().is_none_or(|template| !ports_of(&template).is_empty());
    let mut found = Vec::new();
    if crate::analyses::check::asked(&snapshot.rollout).is_empty() {
        // Else it is told with the analyses.
        found.extend(of_templates(snapshot, &FieldPath::of("spec.strategy.canary.steps")));
    }
    for (index, asked) in asked {
        let path = FieldPath::of("spec.strategy.canary.steps").index(index).field("experiment");
        for (index, version) in asked.templates().iter().enumerate() {
            if !has_ports && (version.service.is_some() || version.weight.is_some()) {
                let problem = "needs a Service, and the pod template has no port for it to lead to";
                let mend = "add ports with a containerPort to a container of spec.template";
                found.push(Mistake::about(path.field("templates").index(index), problem, mend));
            }
        }
        found.extend(of_analyses(snapshot, &path, asked, &rollout));
    }
    found
}

fn of_analyses(snapshot: &Snapshot, path: &FieldPath, asked: &ExperimentStep, rollout: &Value) -> Vec<Mistake> {
    let facts = RolloutFacts { rollout, stable_hash: "stable", latest_hash: "latest" };
    let templates = templates_of(snapshot);
    let words = words(asked);
    let spec = ExperimentSpec { dry_run: asked.dry_run.clone(), ..ExperimentSpec::default() };
    let experiment = json!({"metadata": {"name": "", "namespace": "", "labels": {}, "annotations": {}}, "spec": spec});
    let each = asked.analyses().iter().enumerate().flat_map(|(index, one)| {
        let path = path.field("analyses").index(index);
        let found = one_analysis(&path, one, &spec, &templates, facts, (&experiment, &words));
        found.err().unwrap_or_default()
    });
    each.collect()
}

fn one_analysis(
    path: &FieldPath,
    asked: &sluice_crds::rollout::experiment::ExperimentStepAnalysis,
    spec: &ExperimentSpec,
    templates: &Templates<'_>,
    facts: RolloutFacts<'_>,
    (experiment, words): (&Value, &BTreeMap<String, String>),
) -> Result<(), Vec<Mistake>> {
    let with_values = analysis(path, asked, facts)?;
    let of_experiment = ExperimentFacts { experiment, rollout: facts.rollout, words };
    let run = new_experiment_run(path, spec, &with_values, templates, of_experiment)?;
    let waits = asked.required_for_completion();
    let without_end = run.metrics().iter().filter(|metric| waits && is_endless(metric));
    let mistakes: Vec<Mistake> = without_end.map(|metric| endless(&path.field("templateName"), metric)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// What arguments may name, before any of it is known.
fn words(asked: &ExperimentStep) -> BTreeMap<String, String> {
    let of_versions = asked.templates().iter().flat_map(|version| {
        ["podTemplateHash", "replicaset.name"].map(|word| format!("templates.{}.{word}", version.name))
    });
    let of_time = ["experiment.availableAt".to_owned()].into_iter();
    let end = asked.duration.is_some().then(|| "experiment.finishAt".to_owned());
    of_versions.chain(of_time).chain(end).map(|word| (word, "unknown".to_owned())).collect()
}
