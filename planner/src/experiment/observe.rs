//! An Experiment as it is: each version with its ReplicaSet and Service, each analysis with its run.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_crds::AnalysisRun;
use sluice_crds::Experiment;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::experiment::{
    ExperimentAnalysis, ExperimentAnalysisRun, ExperimentStatus, ExperimentTemplate, TemplateStatus,
};
use sluice_crds::template::{HASH_LABEL, TemplateHash};

use super::Snapshot;
use crate::names::{EXPERIMENT_TEMPLATE, ROUTED};
use crate::plan::{Kind, Target};
use crate::snapshot::{Metadata, ReplicaSet, Service};

/// An Experiment and what there is of it.
pub(super) struct Trial<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) experiment: &'a Experiment,
    pub(super) stored: ExperimentStatus,
    pub(super) versions: Vec<Version<'a>>,
    pub(super) analyses: Vec<Analysis<'a>>,
    /// Name of an object that can't be created, and a sentence that says so.
    pub(super) refused: Option<(String, String)>,
    pub(super) now: Timestamp,
}

/// A version that runs beside others.
pub(super) struct Version<'a> {
    pub(super) asked: &'a ExperimentTemplate,
    pub(super) set: Option<&'a ReplicaSet>,
    /// What its ReplicaSet is called, or will be.
    pub(super) set_name: String,
    /// Whether something that is not ours, or is on its way out, has that name.
    pub(super) set_name_is_taken: bool,
    /// What its Service is called, or will be; none where it has none.
    pub(super) service_name: Option<String>,
    pub(super) service: Option<&'a Service>,
    pub(super) service_name_is_taken: bool,
    /// What the status says of it.
    pub(super) before: Option<TemplateStatus>,
}

/// An analysis of an Experiment.
pub(super) struct Analysis<'a> {
    pub(super) index: usize,
    pub(super) asked: &'a ExperimentAnalysis,
    /// What the status says of its run.
    pub(super) before: Option<ExperimentAnalysisRun>,
    /// The run that the status names.
    pub(super) run: Option<&'a AnalysisRun>,
}

impl<'a> Trial<'a> {
    pub(super) fn observe(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let experiment = &*snapshot.experiment;
        let stored = experiment.status.clone().unwrap_or_default();
        let spec = &experiment.spec;
        let versions = spec.templates().iter().map(|asked| Version::observe(snapshot, &stored, asked)).collect();
        let analyses = spec.analyses().iter().enumerate();
        let analyses = analyses.map(|(index, asked)| {
            let before = stored.analysis_runs.iter().flatten().find(|run| run.name == asked.name).cloned();
            let name = before.as_ref().and_then(|before| before.analysis_run.as_deref());
            let run = snapshot
                .runs
                .iter()
                .map(|run| &**run)
                .find(|run| name.is_some() && run.metadata.name.as_deref() == name && is_ours(experiment, run));
            Analysis { index, asked, before, run }
        });
        let analyses = analyses.collect();
        Self { snapshot, experiment, stored, versions, analyses, refused: None, now }
    }

    /// Whether it has its verdict.
    pub(super) fn is_over(&self) -> bool {
        self.stored.phase.as_ref().is_some_and(AnalysisPhase::is_completed)
    }

    pub(super) fn name(&self) -> &'a str {
        self.experiment.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &'a str {
        self.experiment.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn uid(&self) -> &'a str {
        self.experiment.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Since when all pods have been available.
    pub(super) fn available_at(&self) -> Option<Timestamp> {
        self.stored.available_at.as_ref().map(|at| at.0)
    }

    /// Until when it is to run.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        let duration = self.experiment.spec.duration.as_ref()?.parse().ok()?;
        self.available_at()?.checked_add(SignedDuration::from_nanos(duration.nanos())).ok()
    }

    /// Whether a Rollout may be sending traffic to its pods.
    pub(super) fn is_routed(&self) -> bool {
        // One that no Rollout owns would wait for nobody.
        let owners = self.experiment.metadata.owner_references.iter().flatten();
        let is_owned = owners.into_iter().any(|owner| owner.kind == "Rollout" && owner.controller == Some(true));
        is_owned && self.experiment.metadata.annotations.iter().flatten().any(|(key, _)| key == ROUTED)
    }

    /// All its ReplicaSets, also those of versions that it asks for no more.
    pub(super) fn sets(&self) -> impl Iterator<Item = &'a ReplicaSet> + '_ {
        let sets = self.snapshot.replica_sets.iter().map(|set| &**set);
        sets.filter(|set| owns(self.experiment, &set.meta) && !set.meta.deleting)
    }

    /// All its Services.
    pub(super) fn services(&self) -> impl Iterator<Item = &'a Service> + '_ {
        let services = self.snapshot.services.iter().map(|service| &**service);
        services.filter(|service| owns(self.experiment, &service.meta) && !service.meta.deleting)
    }

    /// All its runs.
    pub(super) fn runs(&self) -> impl Iterator<Item = &'a AnalysisRun> + '_ {
        self.snapshot.runs.iter().map(|run| &**run).filter(|run| is_ours(self.experiment, run))
    }

    pub(super) fn target(&self, kind: Kind, name: &str) -> Target {
        Target { kind, namespace: self.namespace().to_owned(), name: name.to_owned() }
    }

    /// The Experiment as the controller of what it makes.
    pub(super) fn owner_reference(&self) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Experiment",
            "name": self.name(),
            "uid": self.uid(),
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }
}

impl<'a> Version<'a> {
    fn observe(snapshot: &'a Snapshot, stored: &ExperimentStatus, asked: &'a ExperimentTemplate) -> Self {
        let experiment = &*snapshot.experiment;
        let set_name = format!("{}-{}", experiment.metadata.name.as_deref().unwrap_or_default(), asked.name);
        let sets = || snapshot.replica_sets.iter().map(|set| &**set);
        let is_its = |set: &&ReplicaSet| {
            let named = set.meta.annotations.get(EXPERIMENT_TEMPLATE) == Some(asked.name.as_str());
            owns(experiment, &set.meta) && !set.meta.deleting && (named || set.meta.name == set_name)
        };
        let set = sets().find(is_its);
        let set_name_is_taken = set.is_none() && sets().any(|set| set.meta.name == set_name);
        let asked_service = asked.service.as_ref();
        let service_name = asked_service.map(|service| match service.name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => set_name.clone(),
        });
        let found = snapshot.services.iter().find(|service| Some(&service.meta.name) == service_name.as_ref());
        let service = found.map(|found| &**found);
        let service = service.filter(|service| owns(experiment, &service.meta) && !service.meta.deleting);
        let before = stored.template_statuses.iter().flatten().find(|status| status.name == asked.name);
        Self {
            asked,
            set,
            set_name: set.map_or(set_name, |set| set.meta.name.clone()),
            set_name_is_taken,
            service_name,
            service_name_is_taken: service.is_none() && found.is_some(),
            service,
            before: before.cloned(),
        }
    }

    /// The hash that its pods carry, or will. It is one of this Experiment and version alone: pods of the same template
    /// elsewhere (a Rollout's, or another version's) are others, and no Service of those must find these.
    pub(super) fn hash(&self) -> String {
        match self.set {
            Some(set) if !set.hash().is_empty() => set.hash().to_owned(),
            _ => {
                let template = self.asked.template.clone().unwrap_or_default();
                TemplateHash::of(&template.with_label(HASH_LABEL, &self.set_name), None).as_str().to_owned()
            }
        }
    }

    /// Its available pods that will stay.
    pub(super) fn available(&self) -> i32 {
        self.set.map_or(0, ReplicaSet::available_to_stay)
    }

    /// Whether all its pods are available, behind its Service if it has one.
    pub(super) fn is_up(&self) -> bool {
        let wanted = self.asked.replicas();
        let pods = self.set.is_some_and(|set| set.wanted == wanted && set.is_observed() && set.available >= wanted);
        pods && (self.service_name.is_none() || self.service.is_some())
    }
}

/// Whether the Experiment controls this object.
fn owns(experiment: &Experiment, meta: &Metadata) -> bool {
    meta.controller.is_some() && meta.controller == experiment.metadata.uid
}

fn is_ours(experiment: &Experiment, run: &AnalysisRun) -> bool {
    let owners = run.metadata.owner_references.iter().flatten();
    owners
        .into_iter()
        .any(|owner| owner.controller == Some(true) && Some(&owner.uid) == experiment.metadata.uid.as_ref())
}

/// How far a run is.
pub(super) fn phase_of(run: &AnalysisRun) -> AnalysisPhase {
    let phase = run.status.as_ref().and_then(|status| status.phase.clone());
    phase.unwrap_or(AnalysisPhase::Pending)
}
