//! The experiment step of a canary.

use super::analysis::{AnalysisArg, DryRun};
use crate::experiment::TemplateService;
use crate::schema::mark;
use crate::shape::{api_types, known_values};
use crate::unit::ExtraMetadata;
use crate::values::{DurationString, LabelSelector};

api_types! {
    /// Runs an Experiment made from the Rollout's own revisions.
    pub struct ExperimentStep {
        /// Which revisions to run.
        #[schemars(transform = mark::atomic)]
        pub templates: Option<Vec<ExperimentStepTemplate>>,
        /// How long to run once all pods are available, for example 10m. Without it: until the required
        /// analyses are done.
        pub duration: Option<DurationString>,
        /// Analyses to run meanwhile.
        #[schemars(transform = mark::atomic)]
        pub analyses: Option<Vec<ExperimentStepAnalysis>>,
        /// Metrics that are measured but don't count.
        #[schemars(transform = mark::atomic)]
        pub dry_run: Option<Vec<DryRun>>,
        /// Labels and annotations of the AnalysisRuns.
        pub analysis_run_metadata: Option<ExtraMetadata>,
        /// Seconds that the pods are kept after the end. Default: 30.
        pub scale_down_delay_seconds: Option<i32>,
    }

    /// One revision to run in an experiment step.
    pub struct ExperimentStepTemplate {
        /// Name of this part of the experiment.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// `canary` for the new revision, `stable` for the old one.
        pub spec_ref: Option<SpecRef>,
        /// Number of pods. Default: 1.
        pub replicas: Option<i32>,
        /// Labels and annotations to add to the pods.
        pub metadata: Option<ExtraMetadata>,
        /// Selector of the pods. Default: the Rollout's.
        pub selector: Option<LabelSelector>,
        /// Share of the traffic for these pods. Only with alb, istio, smi and plugins.
        pub weight: Option<i32>,
        /// Makes a Service for these pods.
        pub service: Option<TemplateService>,
    }

    /// One analysis to run in an experiment step.
    pub struct ExperimentStepAnalysis {
        /// Name of this analysis within the experiment.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// Name of the AnalysisTemplate or ClusterAnalysisTemplate.
        pub template_name: Option<String>,
        /// Whether templateName is a ClusterAnalysisTemplate. Default: false.
        pub cluster_scope: Option<bool>,
        /// Values for the template's arguments.
        #[schemars(transform = mark::atomic)]
        pub args: Option<Vec<AnalysisArg>>,
        /// Whether the experiment goes on until this analysis is done. Default: false.
        pub required_for_completion: Option<bool>,
    }
}

known_values! {
    /// Which of a Rollout's revisions is meant.
    pub enum SpecRef {
        /// The new one.
        Canary = "canary",
        /// The stable one.
        Stable = "stable",
    }
}

impl ExperimentStep {
    /// The revisions to run.
    pub fn templates(&self) -> &[ExperimentStepTemplate] {
        self.templates.as_deref().unwrap_or_default()
    }

    /// The analyses to run meanwhile.
    pub fn analyses(&self) -> &[ExperimentStepAnalysis] {
        self.analyses.as_deref().unwrap_or_default()
    }

    /// Seconds that the pods are kept after the end.
    pub fn scale_down_delay_seconds(&self) -> i32 {
        self.scale_down_delay_seconds.unwrap_or(30)
    }
}

impl ExperimentStepTemplate {
    /// Number of pods.
    pub fn replicas(&self) -> i32 {
        self.replicas.unwrap_or(1)
    }
}

impl ExperimentStepAnalysis {
    /// Whether the template is a ClusterAnalysisTemplate.
    pub fn cluster_scope(&self) -> bool {
        self.cluster_scope.unwrap_or(false)
    }

    /// Whether the experiment goes on until this analysis is done.
    pub fn required_for_completion(&self) -> bool {
        self.required_for_completion.unwrap_or(false)
    }
}
