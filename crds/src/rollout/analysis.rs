//! How a Rollout asks for an analysis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::mark;
use crate::shape::{api_types, known_values};
use crate::unit::{ExtraMetadata, FieldRef};

api_types! {
    /// Analysis templates to run together, with their arguments.
    pub struct RolloutAnalysis {
        /// Templates whose metrics are run together.
        #[schemars(transform = mark::atomic)]
        pub templates: Option<Vec<TemplateRef>>,
        /// Values for the templates' arguments.
        #[schemars(transform = mark::atomic)]
        pub args: Option<Vec<AnalysisArg>>,
        /// Metrics that are measured but don't count.
        #[schemars(transform = mark::atomic)]
        pub dry_run: Option<Vec<DryRun>>,
        /// How many measurements of a metric are kept.
        #[schemars(transform = mark::atomic)]
        pub measurement_retention: Option<Vec<MeasurementRetention>>,
        /// Labels and annotations of the AnalysisRun.
        pub analysis_run_metadata: Option<ExtraMetadata>,
        /// What a failed run does to the release: `abort`, or `pause`, which leaves it to a person. Default: abort.
        pub on_failure: Option<OnFailure>,
    }

    /// Names a template.
    pub struct TemplateRef {
        /// Name of the AnalysisTemplate or ClusterAnalysisTemplate.
        pub template_name: Option<String>,
        /// Whether it is a ClusterAnalysisTemplate. Default: false.
        pub cluster_scope: Option<bool>,
    }

    /// The value of an argument: either value or valueFrom.
    pub struct AnalysisArg {
        /// Name of the argument.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// The value as it is.
        pub value: Option<String>,
        /// Where the value is read when the run begins.
        pub value_from: Option<AnalysisArgSource>,
    }

    /// Where the value of an argument is read: exactly one of its members.
    pub struct AnalysisArgSource {
        /// Pod template hash of the `Stable` or the `Latest` revision.
        pub pod_template_hash_value: Option<PodTemplateHash>,
        /// A field of the Rollout.
        pub field_ref: Option<FieldRef>,
    }

    /// Metrics that are measured but don't count.
    pub struct DryRun {
        /// Regular expression for the metric's name.
        #[schemars(transform = mark::required)]
        pub metric_name: String,
    }

    /// How many measurements of a metric are kept.
    pub struct MeasurementRetention {
        /// Regular expression for the metric's name.
        #[schemars(transform = mark::required)]
        pub metric_name: String,
        /// Measurements to keep. Default for metrics without a rule: 10.
        pub limit: Option<i32>,
    }
}

/// An analysis that runs in the background while the steps go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackgroundAnalysis {
    /// What to run.
    #[serde(flatten)]
    pub analysis: RolloutAnalysis,
    /// Index of the step at which it starts, counted from 0. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_step: Option<i32>,
}

known_values! {
    /// What a failed run does to the release.
    pub enum OnFailure {
        /// All traffic goes back to the stable revision.
        Abort = "abort",
        /// The release stays as it is until a person decides.
        Pause = "pause",
    }

    /// Which revision's pod template hash is meant.
    pub enum PodTemplateHash {
        /// The stable revision's.
        Stable = "Stable",
        /// The new revision's.
        Latest = "Latest",
    }
}

impl RolloutAnalysis {
    /// Templates whose metrics are run together.
    pub fn templates(&self) -> &[TemplateRef] {
        self.templates.as_deref().unwrap_or_default()
    }

    /// Values for the templates' arguments.
    pub fn args(&self) -> &[AnalysisArg] {
        self.args.as_deref().unwrap_or_default()
    }

    /// What a failed run does to the release.
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure.clone().unwrap_or(OnFailure::Abort)
    }
}

impl BackgroundAnalysis {
    /// Index of the step at which it starts.
    pub fn starting_step(&self) -> i32 {
        self.starting_step.unwrap_or(0)
    }
}

impl TemplateRef {
    /// Whether it is a ClusterAnalysisTemplate.
    pub fn cluster_scope(&self) -> bool {
        self.cluster_scope.unwrap_or(false)
    }
}
