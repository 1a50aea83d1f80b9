//! Analysis: templates that say how to judge a release, and the runs that do it.

pub mod metric;
pub mod provider;
pub mod status;

pub use metric::{Metric, OnNoData};
pub use provider::Provider;
pub use status::{AnalysisPhase, AnalysisRunStatus, Measurement, MetricResult, RunSummary};

use crate::rollout::analysis::{DryRun, MeasurementRetention, TemplateRef};
use crate::schema::mark;
use crate::shape::{api_types, custom_kind};
use crate::unit::{FieldRef, SecretKeyRef};

custom_kind! {
    /// Says which metrics to measure and what they must be for a release to go on.
    pub struct AnalysisTemplate { spec: AnalysisTemplateSpec }
    names: "analysistemplates", "at", NamespaceResourceScope;
}

custom_kind! {
    /// Says which metrics to measure and what they must be for a release to go on; for all namespaces.
    pub struct ClusterAnalysisTemplate { spec: AnalysisTemplateSpec }
    names: "clusteranalysistemplates", "cat", ClusterResourceScope;
}

custom_kind! {
    /// One run of analysis templates: what is measured, what was measured, and the verdict.
    pub struct AnalysisRun { spec: AnalysisRunSpec, status: AnalysisRunStatus }
    names: "analysisruns", "ar", NamespaceResourceScope;
}

api_types! {
    /// What an analysis template says.
    pub struct AnalysisTemplateSpec {
        /// What to measure, and what it must be.
        #[schemars(transform = mark::map_by_name)]
        pub metrics: Option<Vec<Metric>>,
        /// Arguments that the metrics use as {{args.name}}. One without a value must be given by whoever
        /// runs the template.
        #[schemars(transform = mark::atomic)]
        pub args: Option<Vec<Argument>>,
        /// Metrics that are measured but don't count.
        #[schemars(transform = mark::atomic)]
        pub dry_run: Option<Vec<DryRun>>,
        /// How many measurements of a metric are kept.
        #[schemars(transform = mark::atomic)]
        pub measurement_retention: Option<Vec<MeasurementRetention>>,
        /// Other templates whose metrics and arguments belong to this one.
        #[schemars(transform = mark::atomic)]
        pub templates: Option<Vec<TemplateRef>>,
    }

    /// What an analysis run does.
    pub struct AnalysisRunSpec {
        /// What to measure, and what it must be.
        #[schemars(transform = mark::atomic)]
        pub metrics: Option<Vec<Metric>>,
        /// Arguments that the metrics use as {{args.name}}; each needs a value.
        #[schemars(transform = mark::atomic)]
        pub args: Option<Vec<Argument>>,
        /// Metrics that are measured but don't count.
        #[schemars(transform = mark::atomic)]
        pub dry_run: Option<Vec<DryRun>>,
        /// How many measurements of a metric are kept.
        #[schemars(transform = mark::atomic)]
        pub measurement_retention: Option<Vec<MeasurementRetention>>,
        /// Ends the run early. Default: false.
        pub terminate: Option<bool>,
        /// When the run is deleted after its end. Default: never.
        pub ttl_strategy: Option<TtlStrategy>,
    }

    /// An argument of a template or a run.
    pub struct Argument {
        /// Name of the argument.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// The value as it is.
        pub value: Option<String>,
        /// Where the value is read.
        pub value_from: Option<ArgumentSource>,
    }

    /// Where the value of an argument is read: exactly one of its members.
    pub struct ArgumentSource {
        /// A key of a Secret in the run's namespace.
        pub secret_key_ref: Option<SecretKeyRef>,
        /// A field of the Rollout.
        pub field_ref: Option<FieldRef>,
    }

    /// When a run is deleted after its end.
    pub struct TtlStrategy {
        /// Seconds after any end.
        pub seconds_after_completion: Option<i32>,
        /// Seconds after it failed.
        pub seconds_after_failure: Option<i32>,
        /// Seconds after it succeeded.
        pub seconds_after_success: Option<i32>,
    }
}

impl AnalysisTemplateSpec {
    /// What to measure.
    pub fn metrics(&self) -> &[Metric] {
        self.metrics.as_deref().unwrap_or_default()
    }

    /// The arguments.
    pub fn args(&self) -> &[Argument] {
        self.args.as_deref().unwrap_or_default()
    }

    /// Other templates that belong to this one.
    pub fn templates(&self) -> &[TemplateRef] {
        self.templates.as_deref().unwrap_or_default()
    }
}

impl AnalysisRunSpec {
    /// What to measure.
    pub fn metrics(&self) -> &[Metric] {
        self.metrics.as_deref().unwrap_or_default()
    }

    /// The arguments.
    pub fn args(&self) -> &[Argument] {
        self.args.as_deref().unwrap_or_default()
    }

    /// Whether the run is to end early.
    pub fn terminate(&self) -> bool {
        self.terminate.unwrap_or(false)
    }
}
