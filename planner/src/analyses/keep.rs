//! Runs are begun, ended when the release goes on without them, and forgotten beyond the limits.

use serde_json::{Value, json};
use sluice_analysis::names::run_metadata;
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::template::HASH_LABEL;

use super::called;
use super::check::spec_of;
use super::runs::{NewRun, is_ours, phase_of};
use crate::advance::Advanced;
use crate::names::INSTANCE_ID;
use crate::observe::Release;
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Target, Write};
use crate::revisions::owner_reference;

/// Only runs that a Rollout began have this label; those that people began are theirs.
const KIND_LABEL: &str = "rollout-type";

/// What is to be done with runs now.
pub(crate) fn writes(release: &Release<'_>, advanced: &Advanced<'_>) -> Vec<Write> {
    let mut writes: Vec<Write> = advanced.new_runs.iter().filter_map(|run| begin(release, run)).collect();
    let aborted = advanced.facts.aborted_at.is_some();
    let ours = || release.runs.iter().filter(|run| is_ours(release, run) && label(run, KIND_LABEL).is_some());
    let counts = |run: &AnalysisRun| !aborted && advanced.facts.runs.has(name_of(run));
    let going = ours().filter(|run| !phase_of(run).is_completed() && !run.spec.terminate() && !counts(run));
    writes.extend(going.map(|run| end(release, run)));
    let remembered = |run: &AnalysisRun| advanced.facts.runs.has(name_of(run));
    let mut over: Vec<&AnalysisRun> =
        ours().map(|run| &**run).filter(|run| phase_of(run).is_completed() && !remembered(run)).collect();
    over.sort_by_key(|run| std::cmp::Reverse(run.metadata.creation_timestamp.as_ref().map(|at| at.0)));
    writes.extend(surplus(release, &over).into_iter().map(|run| forget(release, run)));
    writes
}

fn name_of(run: &AnalysisRun) -> &str {
    run.metadata.name.as_deref().unwrap_or_default()
}

fn label<'r>(run: &'r AnalysisRun, key: &str) -> Option<&'r str> {
    run.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn begin(release: &Release<'_>, run: &NewRun<'_>) -> Option<Write> {
    let spec = spec_of(release, run.kind, run.asked).ok()?;
    let instance = release.rollout.metadata.labels.as_ref().and_then(|labels| labels.get(INSTANCE_ID));
    let hash = release.new_hash.as_str();
    let written = run.asked.analysis_run_metadata.as_ref();
    let (labels, annotations) = run_metadata(hash, release.revision, run.kind, instance.map(String::as_str), written);
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": run.name,
            "namespace": release.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner_reference(release.rollout)],
        },
        "spec": spec,
    });
    let what = called(run.kind);
    let sentence = format!("{what} {} begins for revision {}", run.name, release.revision);
    Some(Write {
        target: target(release, &run.name),
        action: Action::Create(object),
        reason: sentence.clone(),
        events: vec![Event::normal("AnalysisRunPending", sentence)],
    })
}

fn end(release: &Release<'_>, run: &AnalysisRun) -> Write {
    let name = name_of(run);
    let patch = Patch::of(run.metadata.uid.as_deref().unwrap_or_default())
        .read("/spec/terminate", run.spec.terminate.map_or(Value::Null, Value::from))
        .set("/spec/terminate", true);
    let sentence = format!("AnalysisRun {name} is ended: the release goes on without it");
    Write {
        target: target(release, name),
        action: Action::Patch(patch.operations()),
        reason: sentence.clone(),
        events: vec![Event::normal("AnalysisRunTerminating", sentence)],
    }
}

/// The oldest beyond the limits, and those of revisions that are forgotten. Newest first come in.
fn surplus<'r>(release: &Release<'_>, over: &[&'r AnalysisRun]) -> Vec<&'r AnalysisRun> {
    let limits = release.rollout.spec.analysis.clone().unwrap_or_default();
    let limit = |limit: Option<i32>| usize::try_from(limit.unwrap_or(5)).unwrap_or(0);
    let good = limit(limits.successful_run_history_limit);
    let bad = limit(limits.unsuccessful_run_history_limit);
    let is_good = |run: &&&AnalysisRun| phase_of(run) == AnalysisPhase::Successful;
    let known = |run: &AnalysisRun| {
        let hash = label(run, HASH_LABEL).unwrap_or_default();
        hash == release.new_hash.as_str() || release.all().any(|set| set.hash() == hash)
    };
    let beyond = over.iter().filter(is_good).skip(good).chain(over.iter().filter(|run| !is_good(run)).skip(bad));
    let mut surplus: Vec<&AnalysisRun> = beyond.copied().collect();
    let orphans = over.iter().copied().filter(|run| !known(run));
    for run in orphans {
        if surplus.iter().all(|there| name_of(there) != name_of(run)) {
            surplus.push(run);
        }
    }
    surplus
}

fn forget(release: &Release<'_>, run: &AnalysisRun) -> Write {
    let name = name_of(run);
    Write {
        target: target(release, name),
        action: Action::Delete {
            uid: run.metadata.uid.clone().unwrap_or_default(),
            resource_version: run.metadata.resource_version.clone().unwrap_or_default(),
        },
        reason: format!("AnalysisRun {name} is older than those that are kept"),
        events: Vec::new(),
    }
}

fn target(release: &Release<'_>, name: &str) -> Target {
    Target { kind: Kind::AnalysisRun, namespace: release.namespace().to_owned(), name: name.to_owned() }
}
