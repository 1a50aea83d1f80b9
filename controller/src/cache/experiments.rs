//! Experiments, with all that their plans read.

use std::sync::Arc;

use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;
use sluice_planner::experiment::Snapshot;
use sluice_planner::{Metadata, ReplicaSet};

use super::{Cache, Cached, Concerned, Name, services_of};
use crate::work::Work;

/// Which Experiment an object was made for.
const EXPERIMENT_NAME: &str = "experiment.argoproj.io/name";

impl Cache {
    /// All Experiments, by name.
    pub(crate) fn experiments(&self) -> impl Iterator<Item = &Cached<Experiment>> {
        self.experiments.all()
    }

    /// What a plan for this Experiment is made from; `None` where there is no such Experiment.
    pub(crate) fn experiment(&self, name: &Name) -> Option<Snapshot> {
        let experiment = self.experiments.get(name)?;
        let (uid, namespace) = (&experiment.uid, &*name.namespace);
        let prefix = format!("{}-", name.name);
        let owned = self.replica_sets.owned_by(uid);
        let mut replica_sets: Vec<&Cached<ReplicaSet>> =
            owned.chain(self.replica_sets.named_like(namespace, &prefix)).collect();
        replica_sets.sort_by(|a, b| a.name.cmp(&b.name));
        replica_sets.dedup_by(|a, b| a.name == b.name);
        let pods = self.replica_sets.owned_by(uid).flat_map(|owner| self.pods.owned_by(&owner.uid));
        let rollout = experiment.owner.as_ref().and_then(|uid| self.rollouts.with_uid(uid));
        let mut named = service_names(experiment);
        named.extend(rollout.iter().flat_map(|rollout| services_of(&rollout.object)).map(str::to_owned));
        let services = named.iter().filter_map(|service| self.services.get(&Name::new(namespace, service)));
        let analyses = experiment.object.spec.analyses().iter();
        let named = analyses.map(|one| (one.cluster_scope(), one.template_name.as_deref().unwrap_or_default()));
        let (templates, cluster_templates) = self.templates_of(namespace, named.collect());
        Some(Snapshot {
            experiment: Arc::clone(&experiment.object),
            rollout: rollout.map(|rollout| Arc::clone(&rollout.object)),
            pods: pods.map(|pod| Arc::clone(&pod.object)).collect(),
            services: services.map(|service| Arc::clone(&service.object)).collect(),
            runs: self.runs_of(uid, namespace, &prefix),
            replica_sets: replica_sets.into_iter().map(|set| Arc::clone(&set.object)).collect(),
            templates,
            cluster_templates,
        })
    }

    /// Those of a Rollout, and those that have a name that one of them would get.
    pub(super) fn experiments_of(&self, owner: &str, namespace: &str, prefix: &str) -> Vec<Arc<Experiment>> {
        let named = self.experiments.named_like(namespace, prefix);
        let mut all: Vec<&Cached<Experiment>> = self.experiments.owned_by(owner).chain(named).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        all.into_iter().map(|one| Arc::clone(&one.object)).collect()
    }

    /// It itself, and the Rollout that runs it as a step.
    pub(super) fn experiment_and_owner(&self, experiment: &Cached<Experiment>) -> Concerned {
        let owner = experiment.owner.as_ref().and_then(|uid| self.owner_of_uid(uid));
        owner.into_iter().chain([(Work::Experiments, experiment.name.clone())]).collect()
    }

    /// What is left of an Experiment keeps its names from another one that is called the same.
    pub(super) fn experiment_that_waits_for(&self, meta: &Metadata) -> Option<(Work, Name)> {
        let name = Name::new(&meta.namespace, meta.annotations.get(EXPERIMENT_NAME)?);
        self.experiments.get(&name).map(|experiment| (Work::Experiments, experiment.name.clone()))
    }
}

/// Whether templates matter that are applied or mended now.
pub(super) fn waits_for_templates(experiment: &Cached<Experiment>) -> bool {
    let phase = experiment.object.status.as_ref().and_then(|status| status.phase.as_ref());
    !experiment.object.spec.analyses().is_empty() && !phase.is_some_and(AnalysisPhase::is_completed)
}

/// The Services that it asks for, and those that it has made.
fn service_names(experiment: &Cached<Experiment>) -> Vec<String> {
    let object = &experiment.object;
    let made = object.status.iter().flat_map(|status| status.template_statuses.iter().flatten());
    let made = made.filter_map(|version| version.service_name.clone());
    let asked = object.spec.templates().iter().filter_map(|version| {
        let name = version.service.as_ref()?.name.clone().filter(|name| !name.is_empty());
        Some(name.unwrap_or_else(|| format!("{}-{}", experiment.name.name, version.name)))
    });
    let mut names: Vec<String> = asked.chain(made).collect();
    names.sort();
    names.dedup();
    names
}
