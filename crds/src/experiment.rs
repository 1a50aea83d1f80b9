//! Experiments: versions that run beside each other for a while and are judged.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::analysis::{AnalysisPhase, Argument};
use crate::rollout::analysis::{DryRun, MeasurementRetention};
use crate::schema::{leaf, mark};
use crate::shape::{api_types, custom_kind, known_values};
use crate::template::{PodTemplate, TemplateHash};
use crate::unit::{Condition, ExtraMetadata};
use crate::values::{DurationString, LabelSelector};

custom_kind! {
    /// Versions that run beside each other for a while and are judged, without being released.
    pub struct Experiment { spec: ExperimentSpec, status: ExperimentStatus }
    names: "experiments", "exp", NamespaceResourceScope;
}

api_types! {
    /// What an Experiment runs.
    pub struct ExperimentSpec {
        /// The versions to run.
        #[schemars(transform = mark::atomic)]
        pub templates: Option<Vec<ExperimentTemplate>>,
        /// How long to run once all pods are available, for example 10m. Without it: until the required
        /// analyses are done, or somebody ends it.
        pub duration: Option<DurationString>,
        /// Seconds in which pods must become available. Default: 600.
        pub progress_deadline_seconds: Option<i32>,
        /// Ends the Experiment early. Default: false.
        pub terminate: Option<bool>,
        /// Analyses to run meanwhile.
        #[schemars(transform = mark::atomic)]
        pub analyses: Option<Vec<ExperimentAnalysis>>,
        /// Seconds that the pods are kept after the end. Default: 30.
        pub scale_down_delay_seconds: Option<i32>,
        /// Metrics that are measured but don't count.
        #[schemars(transform = mark::atomic)]
        pub dry_run: Option<Vec<DryRun>>,
        /// How many measurements of a metric are kept.
        #[schemars(transform = mark::atomic)]
        pub measurement_retention: Option<Vec<MeasurementRetention>>,
        /// Labels and annotations of the AnalysisRuns.
        pub analysis_run_metadata: Option<ExtraMetadata>,
    }

    /// A version to run.
    pub struct ExperimentTemplate {
        /// Name of the version within the Experiment.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Number of pods. Default: 1.
        pub replicas: Option<i32>,
        /// Seconds for which a pod must be ready before it counts as available. Default: 0.
        pub min_ready_seconds: Option<i32>,
        /// Which pods belong to this version. Must match the labels of the pod template, and differ from
        /// those of the other versions.
        #[schemars(transform = mark::required)]
        pub selector: Option<LabelSelector>,
        /// The pod to run.
        #[schemars(transform = mark::required)]
        pub template: Option<PodTemplate>,
        /// Makes a Service for these pods.
        pub service: Option<TemplateService>,
    }

    /// Makes a Service for a version of an Experiment.
    pub struct TemplateService {
        /// Name of the Service. Default: the ReplicaSet's name.
        pub name: Option<String>,
    }

    /// An analysis to run meanwhile.
    pub struct ExperimentAnalysis {
        /// Name of this analysis within the Experiment.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Name of the AnalysisTemplate or ClusterAnalysisTemplate.
        pub template_name: Option<String>,
        /// Whether templateName is a ClusterAnalysisTemplate. Default: false.
        pub cluster_scope: Option<bool>,
        /// Values for the template's arguments.
        #[schemars(transform = mark::atomic)]
        pub args: Option<Vec<Argument>>,
        /// Whether the Experiment goes on until this analysis is done. Default: false.
        pub required_for_completion: Option<bool>,
    }

    /// What is observed of an Experiment.
    pub struct ExperimentStatus {
        /// The verdict, or how far the Experiment is.
        pub phase: Option<AnalysisPhase>,
        /// One sentence that says why.
        pub message: Option<String>,
        /// When all pods were available, from which on duration counts.
        #[schemars(schema_with = "leaf::time")]
        pub available_at: Option<Time>,
        /// Facts about the Experiment, one a type.
        #[schemars(transform = mark::map_by_type)]
        pub conditions: Option<Vec<Condition>>,
        /// What is observed of each version.
        #[schemars(transform = mark::atomic)]
        pub template_statuses: Option<Vec<TemplateStatus>>,
        /// The AnalysisRuns and their verdicts so far.
        #[schemars(transform = mark::atomic)]
        pub analysis_runs: Option<Vec<ExperimentAnalysisRun>>,
    }

    /// What is observed of a version.
    pub struct TemplateStatus {
        /// Name of the version.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Its pods.
        pub replicas: Option<i32>,
        /// Its pods of the template as it is now.
        pub updated_replicas: Option<i32>,
        /// Its ready pods.
        pub ready_replicas: Option<i32>,
        /// Its available pods.
        pub available_replicas: Option<i32>,
        /// How many hash collisions the naming of its ReplicaSet has met.
        pub collision_count: Option<i32>,
        /// `Progressing`, `Running`, `Successful`, `Failed` or `Error`.
        pub status: Option<TemplatePhase>,
        /// One sentence that says why.
        pub message: Option<String>,
        /// When its pods last changed, from which on progressDeadlineSeconds counts.
        #[schemars(schema_with = "leaf::time")]
        pub last_transition_time: Option<Time>,
        /// Its Service.
        pub service_name: Option<String>,
        /// Its pod template hash.
        pub pod_template_hash: Option<TemplateHash>,
    }

    /// An AnalysisRun of an Experiment and its verdict so far.
    pub struct ExperimentAnalysisRun {
        /// Name of the analysis within the Experiment.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Name of the AnalysisRun.
        pub analysis_run: Option<String>,
        /// Its phase.
        pub phase: Option<AnalysisPhase>,
        /// Its message.
        pub message: Option<String>,
    }
}

known_values! {
    /// How far a version of an Experiment is.
    pub enum TemplatePhase {
        /// Its pods are not all available yet.
        Progressing = "Progressing",
        /// All its pods are available.
        Running = "Running",
        /// It ran to the end.
        Successful = "Successful",
        /// Its pods did not become available.
        Failed = "Failed",
        /// Its pods could not be made.
        Error = "Error",
    }
}

impl ExperimentSpec {
    /// The versions to run.
    pub fn templates(&self) -> &[ExperimentTemplate] {
        self.templates.as_deref().unwrap_or_default()
    }

    /// The analyses to run meanwhile.
    pub fn analyses(&self) -> &[ExperimentAnalysis] {
        self.analyses.as_deref().unwrap_or_default()
    }

    /// Seconds in which pods must become available.
    pub fn progress_deadline_seconds(&self) -> i32 {
        self.progress_deadline_seconds.unwrap_or(600)
    }

    /// Seconds that the pods are kept after the end.
    pub fn scale_down_delay_seconds(&self) -> i32 {
        self.scale_down_delay_seconds.unwrap_or(30)
    }

    /// Whether the Experiment is to end early.
    pub fn terminate(&self) -> bool {
        self.terminate.unwrap_or(false)
    }
}

impl ExperimentTemplate {
    /// Number of pods.
    pub fn replicas(&self) -> i32 {
        self.replicas.unwrap_or(1)
    }

    /// Seconds for which a pod must be ready before it counts as available.
    pub fn min_ready_seconds(&self) -> i32 {
        self.min_ready_seconds.unwrap_or(0)
    }
}

impl ExperimentAnalysis {
    /// Whether the template is a ClusterAnalysisTemplate.
    pub fn cluster_scope(&self) -> bool {
        self.cluster_scope.unwrap_or(false)
    }

    /// Whether the Experiment goes on until this analysis is done.
    pub fn required_for_completion(&self) -> bool {
        self.required_for_completion.unwrap_or(false)
    }
}
