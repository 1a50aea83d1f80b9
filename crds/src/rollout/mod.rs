//! The Rollout: what a user asks of a release, and what the controller observes of it.

pub mod analysis;
pub mod blue_green;
pub mod canary;
pub mod experiment;
pub mod router;
pub mod status;
pub mod step;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub use analysis::{AnalysisArg, AnalysisArgSource, BackgroundAnalysis, PodTemplateHash, RolloutAnalysis};
pub use blue_green::BlueGreenStrategy;
pub use canary::{CanaryStrategy, PingPong, ProgressThreshold, ProgressThresholdKind};
pub use router::TrafficRouting;
pub use status::{RolloutPhase, RolloutStatus};
pub use step::{CanaryStep, StepKind};

use crate::schema::{leaf, mark};
use crate::shape::{api_types, custom_kind, known_values};
use crate::template::PodTemplate;
use crate::values::LabelSelector;

custom_kind! {
    /// A workload whose new versions are released step by step, judged on the way, and taken back when they are bad.
    pub struct Rollout { spec: RolloutSpec, status: RolloutStatus }
    names: "rollouts", "ro", NamespaceResourceScope;
}

api_types! {
    /// What is wanted of a Rollout.
    pub struct RolloutSpec {
        /// Number of pods wanted. Default: 1 for a new Rollout.
        #[schemars(transform = mark::not_negative)]
        pub replicas: Option<i32>,
        /// Which pods belong to this Rollout. Must match the labels of the pod template and can't be
        /// changed once set. Required unless workloadRef is set.
        #[schemars(transform = mark::immutable_once_set)]
        pub selector: Option<LabelSelector>,
        /// The pod to run. A change of it is a new revision. Leave it out when workloadRef is set.
        pub template: Option<PodTemplate>,
        /// Takes the pod template from another object instead of from template.
        pub workload_ref: Option<WorkloadRef>,
        /// Seconds for which a pod must be ready before it counts as available. Default: 0.
        #[schemars(transform = mark::not_negative)]
        pub min_ready_seconds: Option<i32>,
        /// Which way back to an earlier revision skips steps and analysis.
        pub rollback_window: Option<RollbackWindow>,
        /// How a new revision replaces the old one: exactly one of canary and blueGreen.
        #[schemars(transform = mark::exactly_one_strategy)]
        pub strategy: Option<Strategy>,
        /// How many old ReplicaSets are kept for going back. Default: 10.
        #[schemars(transform = mark::not_negative)]
        pub revision_history_limit: Option<i32>,
        /// Holds the release where it is until it is set to false. Default: false.
        pub paused: Option<bool>,
        /// Seconds without progress after which the release counts as stuck. Must be more than
        /// minReadySeconds. Default: 600.
        pub progress_deadline_seconds: Option<i32>,
        /// Whether a release that is stuck is aborted. Default: false.
        pub progress_deadline_abort: Option<bool>,
        /// Pods created before this time are restarted.
        #[schemars(schema_with = "leaf::time")]
        pub restart_at: Option<Time>,
        /// How many finished AnalysisRuns and Experiments are kept.
        pub analysis: Option<RunHistory>,
    }

    /// Another object from which the pod template is taken.
    pub struct WorkloadRef {
        /// API version of the object, for example `apps/v1`.
        pub api_version: Option<String>,
        /// `Deployment`, `ReplicaSet` or `PodTemplate`.
        pub kind: Option<String>,
        /// Name of the object, in the Rollout's namespace.
        pub name: Option<String>,
        /// What happens to a Deployment's own pods: `never` leaves them, `onsuccess` removes them when the
        /// Rollout is healthy, `progressively` one by one as the Rollout's pods get ready. Default: never.
        pub scale_down: Option<ScaleDown>,
    }

    /// Which way back to an earlier revision skips steps and analysis.
    pub struct RollbackWindow {
        /// Going back is done at once when fewer than this many revisions lie in between.
        pub revisions: Option<i32>,
    }

    /// How many finished AnalysisRuns and Experiments are kept.
    pub struct RunHistory {
        /// Successful ones to keep. Default: 5.
        pub successful_run_history_limit: Option<i32>,
        /// Failed, errored and inconclusive ones to keep. Default: 5.
        pub unsuccessful_run_history_limit: Option<i32>,
    }

    /// How a new revision replaces the old one.
    pub struct Strategy {
        /// Runs the new version beside the old one and switches a Service over at once.
        #[schemars(transform = mark::two_blue_green_services)]
        pub blue_green: Option<BlueGreenStrategy>,
        /// Moves pods or traffic to the new version in steps.
        #[schemars(transform = mark::two_canary_services)]
        pub canary: Option<CanaryStrategy>,
    }

    /// Keeps new and stable pods off each other's nodes: exactly one of the two rules.
    pub struct AntiAffinity {
        /// The scheduler tries to keep them apart.
        pub preferred_during_scheduling_ignored_during_execution: Option<PreferredAntiAffinity>,
        /// The scheduler must keep them apart.
        pub required_during_scheduling_ignored_during_execution: Option<RequiredAntiAffinity>,
    }

    /// The scheduler tries to keep new and stable pods apart.
    pub struct PreferredAntiAffinity {
        /// How much the scheduler cares, 1 to 100.
        #[schemars(transform = mark::scheduler_weight)]
        pub weight: Option<i32>,
    }

    /// The scheduler must keep new and stable pods apart.
    pub struct RequiredAntiAffinity {
    }
}

known_values! {
    /// What happens to the pods of the Deployment that workloadRef names.
    pub enum ScaleDown {
        /// They stay.
        Never = "never",
        /// They go when the Rollout is healthy.
        OnSuccess = "onsuccess",
        /// They go one by one, as the Rollout's pods get ready.
        Progressively = "progressively",
    }
}

impl RolloutSpec {
    /// Number of pods wanted of a new Rollout. (One that adopts running pods and doesn't say keeps their number.)
    pub fn replicas(&self) -> i32 {
        self.replicas.unwrap_or(1)
    }

    /// Seconds for which a pod must be ready before it counts as available.
    pub fn min_ready_seconds(&self) -> i32 {
        self.min_ready_seconds.unwrap_or(0)
    }

    /// How many old ReplicaSets are kept.
    pub fn revision_history_limit(&self) -> i32 {
        self.revision_history_limit.unwrap_or(10)
    }

    /// Whether a person holds the release.
    pub fn paused(&self) -> bool {
        self.paused.unwrap_or(false)
    }

    /// Seconds without progress after which the release counts as stuck.
    pub fn progress_deadline_seconds(&self) -> i32 {
        self.progress_deadline_seconds.unwrap_or(600)
    }

    /// Whether a release that is stuck is aborted.
    pub fn progress_deadline_abort(&self) -> bool {
        self.progress_deadline_abort.unwrap_or(false)
    }

    /// How many successful AnalysisRuns, and as many Experiments, are kept.
    pub fn successful_run_history_limit(&self) -> i32 {
        self.analysis.as_ref().and_then(|history| history.successful_run_history_limit).unwrap_or(5)
    }

    /// How many failed, errored or inconclusive AnalysisRuns, and as many Experiments, are kept.
    pub fn unsuccessful_run_history_limit(&self) -> i32 {
        self.analysis.as_ref().and_then(|history| history.unsuccessful_run_history_limit).unwrap_or(5)
    }

    /// The canary strategy, if that is the one.
    pub fn canary(&self) -> Option<&CanaryStrategy> {
        self.strategy.as_ref()?.canary.as_ref()
    }

    /// The blue-green strategy, if that is the one.
    pub fn blue_green(&self) -> Option<&BlueGreenStrategy> {
        self.strategy.as_ref()?.blue_green.as_ref()
    }
}

impl WorkloadRef {
    /// What happens to the pods of the Deployment.
    pub fn scale_down(&self) -> ScaleDown {
        self.scale_down.clone().unwrap_or(ScaleDown::Never)
    }
}
