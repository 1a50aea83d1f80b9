//! The analyses of an Experiment: begun once all pods are available, ended with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_analysis::args::{ExperimentFacts, Templates, new_experiment_run};
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::{AnalysisPhase, AnalysisRunSpec};
use sluice_crds::experiment::ExperimentAnalysisRun;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::template::HASH_LABEL;
use sluice_crds::values::seconds_time;

use super::observe::{Analysis, Trial, phase_of};
use super::refuse::NOTHING;
use crate::names::{INSTANCE_ID, REVISION};
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Write};

/// A run that begins now.
pub(super) struct NewRun {
    pub(super) index: usize,
    pub(super) name: String,
    /// Its creation; none where it was created just before a crash.
    pub(super) write: Option<Write>,
    /// Why it can't begin.
    pub(super) mistakes: Vec<Mistake>,
}

pub(super) fn path_of(index: usize) -> FieldPath {
    FieldPath::of("spec.analyses").index(index)
}

/// What arguments may name, and what it stands for as far as that is known.
pub(super) fn words(trial: &Trial<'_>) -> BTreeMap<String, Option<String>> {
    let mut words = BTreeMap::new();
    for version in &trial.versions {
        let hash = version.set.map(|set| set.hash().to_owned());
        words.insert(format!("templates.{}.podTemplateHash", version.asked.name), hash);
        let name = version.set_name.clone();
        words.insert(format!("templates.{}.replicaset.name", version.asked.name), Some(name));
    }
    words.insert("experiment.availableAt".to_owned(), trial.available_at().map(seconds_time));
    if trial.experiment.spec.duration.is_some() {
        words.insert("experiment.finishAt".to_owned(), trial.ends_at().map(seconds_time));
    }
    words
}

/// The spec of a run, from the templates as they are now.
pub(super) fn spec_of(
    trial: &Trial<'_>,
    analysis: &Analysis<'_>,
    experiment: &Value,
    words: &BTreeMap<String, String>,
) -> Result<AnalysisRunSpec, Vec<Mistake>> {
    let rollout = trial.snapshot.rollout.as_ref().map(|rollout| rollout.to_json());
    let facts = ExperimentFacts { experiment, rollout: rollout.as_ref().unwrap_or(&NOTHING), words };
    let mut templates = Templates::default();
    for template in &trial.snapshot.templates {
        templates.insert(&template.meta.name, &template.spec);
    }
    for template in &trial.snapshot.cluster_templates {
        templates.insert_of_cluster(&template.meta.name, &template.spec);
    }
    new_experiment_run(&path_of(analysis.index), &trial.experiment.spec, analysis.asked, &templates, facts)
}

/// The runs that are missing. Analyses begin once it is written down since when all pods have been available.
pub(super) fn begin(trial: &Trial<'_>) -> Vec<NewRun> {
    if trial.available_at().is_none() {
        return Vec::new();
    }
    let missing: Vec<&Analysis<'_>> = trial.analyses.iter().filter(|analysis| analysis.run.is_none()).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let known = words(trial).into_iter().filter_map(|(word, value)| Some((word, value?))).collect();
    let json = serde_json::to_value(trial.experiment).unwrap_or_default();
    missing.into_iter().map(|analysis| new_run(trial, analysis, &json, &known)).collect()
}

fn new_run(trial: &Trial<'_>, analysis: &Analysis<'_>, json: &Value, words: &BTreeMap<String, String>) -> NewRun {
    let (name, is_there) = next_name(trial, analysis);
    let new = NewRun { index: analysis.index, name, write: None, mistakes: Vec::new() };
    if is_there {
        return new;
    }
    match spec_of(trial, analysis, json, words) {
        Ok(spec) => NewRun { write: Some(create(trial, analysis, &new.name, &spec)), ..new },
        Err(mistakes) => NewRun { mistakes, ..new },
    }
}

/// The first name that no run has, or that of a run of ours that goes on: it was begun just before a crash.
fn next_name(trial: &Trial<'_>, analysis: &Analysis<'_>) -> (String, bool) {
    let base = format!("{}-{}", trial.name(), analysis.asked.name);
    let mut name = base.clone();
    let mut again = 0_u32;
    let named = |name: &str| trial.snapshot.runs.iter().find(|run| run.metadata.name.as_deref() == Some(name));
    while let Some(there) = named(&name) {
        let goes_on = !phase_of(there).is_completed() && !there.spec.terminate();
        if goes_on && trial.runs().any(|run| run.metadata.uid == there.metadata.uid) {
            return (name, true);
        }
        again += 1;
        name = format!("{base}.{again}");
    }
    (name, false)
}

fn create(trial: &Trial<'_>, analysis: &Analysis<'_>, name: &str, spec: &AnalysisRunSpec) -> Write {
    let meta = &trial.experiment.metadata;
    let written = trial.experiment.spec.analysis_run_metadata.clone().unwrap_or_default();
    let mut labels = written.labels.unwrap_or_default();
    let mut annotations = written.annotations.unwrap_or_default();
    // Found by whoever looks for the runs of a revision, or of one controller.
    let inherited = |key: &str| Some((key.to_owned(), meta.labels.as_ref()?.get(key)?.clone()));
    labels.extend([HASH_LABEL, INSTANCE_ID].into_iter().filter_map(inherited));
    let revision = meta.annotations.as_ref().and_then(|annotations| annotations.get(REVISION));
    annotations.extend(revision.map(|revision| (REVISION.to_owned(), revision.clone())));
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": name,
            "namespace": trial.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [trial.owner_reference()],
        },
        "spec": spec,
    });
    let sentence = format!("Analysis {} begins: AnalysisRun {name}", analysis.asked.name);
    Write {
        target: trial.target(Kind::AnalysisRun, name),
        action: Action::Create(object),
        reason: sentence.clone(),
        events: vec![Event::normal("AnalysisRunPending", sentence)],
    }
}

/// What is to be said of each run.
pub(super) fn statuses(trial: &Trial<'_>, begun: &[NewRun]) -> Option<Vec<ExperimentAnalysisRun>> {
    let said = trial.analyses.iter().filter_map(|analysis| {
        let name = analysis.asked.name.clone();
        if let Some(run) = analysis.run {
            let message = run.status.as_ref().and_then(|status| status.message.clone());
            let analysis_run = run.metadata.name.clone();
            return Some(ExperimentAnalysisRun { name, analysis_run, phase: Some(phase_of(run)), message });
        }
        match begun.iter().find(|new| new.index == analysis.index) {
            Some(new) if new.mistakes.is_empty() => Some(ExperimentAnalysisRun {
                name,
                analysis_run: Some(new.name.clone()),
                phase: Some(AnalysisPhase::Pending),
                message: None,
            }),
            _ => analysis.before.clone(),
        }
    });
    let said: Vec<ExperimentAnalysisRun> = said.collect();
    (!said.is_empty()).then_some(said)
}

/// Ends the runs that still go on.
pub(super) fn end(trial: &Trial<'_>) -> Vec<Write> {
    let going = trial.runs().filter(|run| !phase_of(run).is_completed() && !run.spec.terminate());
    going.map(|run| end_one(trial, run)).collect()
}

fn end_one(trial: &Trial<'_>, run: &AnalysisRun) -> Write {
    let name = run.metadata.name.as_deref().unwrap_or_default();
    let patch = Patch::of(run.metadata.uid.as_deref().unwrap_or_default())
        .read("/spec/terminate", run.spec.terminate.map_or(Value::Null, Value::from))
        .set("/spec/terminate", true);
    let sentence = format!("AnalysisRun {name} is ended: the Experiment is over");
    Write {
        target: trial.target(Kind::AnalysisRun, name),
        action: Action::Patch(patch.operations()),
        reason: sentence.clone(),
        events: vec![Event::normal("AnalysisRunTerminating", sentence)],
    }
}
