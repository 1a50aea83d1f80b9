//! The share of the traffic that goes to the pods of a running Experiment.

use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::experiment::{ExperimentStep, ExperimentStepTemplate};

use super::{current, is_held, phase_of};
use crate::names::EXPERIMENT_TEMPLATE;
use crate::observe::Release;
use crate::snapshot::ReplicaSet;
use crate::traffic::Traffic;

/// The Services that get a share now, and how much. A share is given while the Experiment runs and keeps its pods for
/// it: begun when all of its pods are available, and left while any is ready.
pub(crate) fn destinations(release: &Release<'_>, traffic: &Traffic<'_>) -> Vec<(String, i32)> {
    let there = traffic.additional();
    let stable = release.other_stable().or(release.new);
    if stable.is_none_or(|stable| stable.ready.min(stable.wanted) == 0) {
        // Nothing else could take it.
        return there.into_iter().collect();
    }
    let Some((experiment, asked)) = current(release) else { return Vec::new() };
    let runs = phase_of(experiment) == AnalysisPhase::Running && !experiment.spec.terminate();
    if !runs || !is_held(experiment) {
        return Vec::new();
    }
    let shares = with_share(asked).filter_map(|(version, weight)| {
        let service = service_of(experiment, &version.name)?;
        let set = set_of(release, experiment, &version.name)?;
        let may_have = match there.get(&service) {
            Some(before) if *before > 0 => set.ready.min(set.wanted) > 0,
            _ if release.rollout.spec.paused() => false,
            _ => set.is_observed() && set.wanted > 0 && set.available_to_stay() >= version.replicas(),
        };
        may_have.then_some((service, weight))
    });
    shares.collect()
}

/// The versions that are to have a share.
pub(super) fn with_share(asked: &ExperimentStep) -> impl Iterator<Item = (&ExperimentStepTemplate, i32)> {
    asked.templates().iter().filter_map(|version| Some((version, version.weight.filter(|weight| *weight > 0)?)))
}

fn service_of(experiment: &Experiment, version: &str) -> Option<String> {
    let mut versions = experiment.status.as_ref()?.template_statuses.iter().flatten();
    versions.find(|status| status.name == version)?.service_name.clone()
}

fn set_of<'a>(release: &Release<'a>, experiment: &Experiment, version: &str) -> Option<&'a ReplicaSet> {
    let mut sets = release.snapshot.replica_sets.iter().map(|set| &**set);
    sets.find(|set| {
        let named = set.meta.annotations.get(EXPERIMENT_TEMPLATE) == Some(version);
        named && set.meta.controller.is_some() && set.meta.controller == experiment.metadata.uid
    })
}
