//! Experiments as steps of a release: made from its own revisions, waited for, given a share of the traffic while they
//! run, and ended when the release goes on without them.

mod build;
mod check;
mod destinations;
mod gate;
mod keep;

use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::StepKind;
use sluice_crds::rollout::experiment::ExperimentStep;

use crate::names::ROUTED;
use crate::observe::Release;

pub(crate) use check::mistakes;
pub(crate) use destinations::destinations;
pub(crate) use gate::{judge, message_of, take_back_what_failed};
pub(crate) use keep::writes;

/// An Experiment that is to begin.
#[derive(Clone)]
pub(crate) struct NewTrial<'a> {
    pub(crate) name: String,
    pub(crate) asked: &'a ExperimentStep,
}

/// The Experiment of this name, if it is this Rollout's.
pub(crate) fn find<'a>(release: &Release<'a>, name: &str) -> Option<&'a Experiment> {
    ours(release).find(|one| name_of(one) == name)
}

/// All of this Rollout's Experiments.
fn ours<'a>(release: &Release<'a>) -> impl Iterator<Item = &'a Experiment> {
    let uid = release.rollout.metadata.uid.clone();
    let all = release.snapshot.experiments.iter().map(|one| &**one);
    all.filter(move |one| {
        let owners = one.metadata.owner_references.iter().flatten();
        owners.into_iter().any(|owner| owner.controller == Some(true) && Some(&owner.uid) == uid.as_ref())
    })
}

fn name_of(experiment: &Experiment) -> &str {
    experiment.metadata.name.as_deref().unwrap_or_default()
}

fn phase_of(experiment: &Experiment) -> AnalysisPhase {
    let phase = experiment.status.as_ref().and_then(|status| status.phase.clone());
    phase.unwrap_or(AnalysisPhase::Pending)
}

/// Whether it keeps its pods because a share of the traffic may lead to them.
fn is_held(experiment: &Experiment) -> bool {
    experiment.metadata.annotations.iter().flatten().any(|(key, _)| key == ROUTED)
}

/// The Experiment that the release waits for at its step, and what the step asks of it.
fn current<'a>(release: &Release<'a>) -> Option<(&'a Experiment, &'a ExperimentStep)> {
    let facts = &release.facts;
    if facts.aborted_at.is_some() || facts.promote_full {
        return None;
    }
    let Some(StepKind::Experiment(asked)) = release.steps().get(facts.step)?.kind() else { return None };
    let name = facts.experiment.as_deref().filter(|name| gate::belongs(release, facts.step, name))?;
    Some((find(release, name)?, asked))
}

/// The name of a step's Experiment; `-1`, `-2` and so on are added where one is run again.
fn base_name(release: &Release<'_>, step: usize) -> String {
    format!("{}-{}-{}-{step}", release.name(), release.new_hash, release.revision)
}
