//! The kinds of objects that verbs deal in.

use kube::api::{ApiResource, DynamicObject};
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) namespaced: bool,
}

impl Kind {
    pub(crate) const ROLLOUT: Self = Self::ours("Rollout", "rollouts");
    pub(crate) const EXPERIMENT: Self = Self::ours("Experiment", "experiments");
    pub(crate) const ANALYSIS_RUN: Self = Self::ours("AnalysisRun", "analysisruns");
    pub(crate) const ANALYSIS_TEMPLATE: Self = Self::ours("AnalysisTemplate", "analysistemplates");
    pub(crate) const CLUSTER_ANALYSIS_TEMPLATE: Self =
        Self { namespaced: false, ..Self::ours("ClusterAnalysisTemplate", "clusteranalysistemplates") };
    pub(crate) const REPLICA_SET: Self = Self::of("apps", "v1", "ReplicaSet", "replicasets");
    const DEPLOYMENT: Self = Self::of("apps", "v1", "Deployment", "deployments");
    const POD_TEMPLATE: Self = Self::of("", "v1", "PodTemplate", "podtemplates");
    pub(crate) const POD: Self = Self::of("", "v1", "Pod", "pods");
    pub(crate) const EVENT: Self = Self::of("", "v1", "Event", "events");
    pub(crate) const LEASE: Self = Self::of("coordination.k8s.io", "v1", "Lease", "leases");
    pub(crate) const CRD: Self = Self {
        namespaced: false,
        ..Self::of("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
    };
    pub(crate) const JOB: Self = Self::of("batch", "v1", "Job", "jobs");

    /// Those that Sluice serves.
    pub(crate) const OURS: [Self; 5] =
        [Self::ROLLOUT, Self::EXPERIMENT, Self::ANALYSIS_RUN, Self::ANALYSIS_TEMPLATE, Self::CLUSTER_ANALYSIS_TEMPLATE];

    const fn ours(kind: &'static str, plural: &'static str) -> Self {
        Self::of("argoproj.io", "v1alpha1", kind, plural)
    }

    const fn of(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self { group, version, kind, plural, namespaced: true }
    }

    /// What a Rollout can take its pod template from.
    pub(crate) fn of_workload(kind: &str) -> Option<Self> {
        [Self::DEPLOYMENT, Self::REPLICA_SET, Self::POD_TEMPLATE].into_iter().find(|known| known.kind == kind)
    }

    /// One of the five kinds, as a manifest names it.
    pub(crate) fn of_manifest(manifest: &Value) -> Option<Self> {
        let is_ours = manifest["apiVersion"] == "argoproj.io/v1alpha1";
        Self::OURS.into_iter().find(|kind| is_ours && manifest["kind"] == kind.kind)
    }

    pub(crate) fn api_version(self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    pub(crate) fn resource(self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// As result lines and `-o name` say it: `rollout.argoproj.io/shop`.
    pub(crate) fn named(self, name: &str) -> String {
        let kind = self.kind.to_lowercase();
        if self.group.is_empty() { format!("{kind}/{name}") } else { format!("{kind}.{}/{name}", self.group) }
    }

    /// The object as JSON; items of lists don't say what they are, so that is said here.
    pub(crate) fn value(self, object: DynamicObject) -> Value {
        let mut value = serde_json::to_value(object).unwrap_or_default();
        value["apiVersion"] = self.api_version().into();
        value["kind"] = self.kind.into();
        value
    }
}

/// Takes `rollout/shop` and `ro/shop` for `shop`, so that what `-o name` prints can be given back.
pub(crate) fn bare_name(text: &str) -> Result<String, String> {
    let name = text.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        Err("a name is missing; write it as shop or rollout/shop".to_owned())
    } else {
        Ok(name.to_owned())
    }
}
