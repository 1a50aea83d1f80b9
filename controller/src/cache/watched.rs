//! The kinds that are watched, and where they are in the API.

use sluice_planner::WorkloadKind;
use sluice_traffic::Kind as RoutingKind;

/// The kinds that are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    Rollout,
    ReplicaSet,
    Pod,
    Service,
    AnalysisRun,
    Experiment,
    AnalysisTemplate,
    ClusterAnalysisTemplate,
    Job,
    /// Watched only while a Rollout needs an object of this kind.
    Route(RoutingKind),
    /// Likewise; it says which routes of other namespaces may lead into its own.
    ReferenceGrant,
    /// Likewise; some Rollout takes its template from an object of this kind. Of ReplicaSets it is a second watch: the
    /// other one shows those of Rollouts only.
    Workload(WorkloadKind),
}

impl Watched {
    /// Those that are watched whatever the Rollouts say.
    pub(crate) const ALL: [Self; 9] = [
        Self::Rollout,
        Self::ReplicaSet,
        Self::Pod,
        Self::Service,
        Self::AnalysisRun,
        Self::Experiment,
        Self::AnalysisTemplate,
        Self::ClusterAnalysisTemplate,
        Self::Job,
    ];

    /// Whether releases go on without it: who may not watch Jobs can't measure by them, and all else is as usual.
    pub(crate) const fn can_be_done_without(self) -> bool {
        matches!(self, Self::Job)
    }

    /// Whether every cluster serves it, in the one version that is read.
    pub(crate) const fn is_built_in(self) -> bool {
        matches!(self, Self::Workload(_))
    }

    /// The beginning of its paths.
    pub(crate) fn api_prefix(self, version: &str) -> String {
        match self.group() {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rollout => "Rollout",
            Self::ReplicaSet => "ReplicaSet",
            Self::Pod => "Pod",
            Self::Service => "Service",
            Self::AnalysisRun => "AnalysisRun",
            Self::Experiment => "Experiment",
            Self::AnalysisTemplate => "AnalysisTemplate",
            Self::ClusterAnalysisTemplate => "ClusterAnalysisTemplate",
            Self::Job => "Job",
            Self::Route(kind) => kind.as_str(),
            Self::ReferenceGrant => "ReferenceGrant",
            Self::Workload(kind) => kind.as_str(),
        }
    }

    /// Its API group; empty for the core one.
    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Rollout
            | Self::AnalysisRun
            | Self::Experiment
            | Self::AnalysisTemplate
            | Self::ClusterAnalysisTemplate => "argoproj.io",
            Self::ReplicaSet => "apps",
            Self::Job => "batch",
            Self::Pod | Self::Service => "",
            Self::Route(kind) => kind.group(),
            Self::ReferenceGrant => RoutingKind::HttpRoute.group(),
            Self::Workload(kind) => kind.group(),
        }
    }

    /// The versions of its API that can be read, the best first.
    pub(crate) const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Rollout
            | Self::AnalysisRun
            | Self::Experiment
            | Self::AnalysisTemplate
            | Self::ClusterAnalysisTemplate => &["v1alpha1"],
            Self::ReplicaSet | Self::Job | Self::Pod | Self::Service | Self::Workload(_) => &["v1"],
            Self::Route(kind) => kind.versions(),
            Self::ReferenceGrant => &["v1", "v1beta1"],
        }
    }

    /// The kind's name in the path of a request.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Rollout => "rollouts",
            Self::ReplicaSet => "replicasets",
            Self::Pod => "pods",
            Self::Service => "services",
            Self::AnalysisRun => "analysisruns",
            Self::Experiment => "experiments",
            Self::AnalysisTemplate => "analysistemplates",
            Self::ClusterAnalysisTemplate => "clusteranalysistemplates",
            Self::Job => "jobs",
            Self::Route(kind) => kind.plural(),
            Self::ReferenceGrant => "referencegrants",
            Self::Workload(kind) => kind.plural(),
        }
    }
}
