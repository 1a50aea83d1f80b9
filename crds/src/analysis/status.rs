//! What was measured, and the verdict.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::schema::{leaf, mark};
use crate::shape::{api_types, known_values};
use crate::values::Shared;

api_types! {
    /// What was measured, and the verdict.
    pub struct AnalysisRunStatus {
        /// The verdict, or how far the run is.
        pub phase: Option<AnalysisPhase>,
        /// One sentence that says why.
        pub message: Option<String>,
        /// When the run began.
        #[schemars(schema_with = "leaf::time")]
        pub started_at: Option<Time>,
        /// When the run ended.
        #[schemars(schema_with = "leaf::time")]
        pub completed_at: Option<Time>,
        /// Results by metric.
        #[schemars(transform = mark::atomic)]
        pub metric_results: Option<Vec<MetricResult>>,
        /// How the metrics that count ended.
        pub run_summary: Option<RunSummary>,
        /// How the metrics that don't count ended.
        pub dry_run_summary: Option<RunSummary>,
    }

    /// How metrics ended.
    pub struct RunSummary {
        /// All of them.
        pub count: Option<i32>,
        /// Those that succeeded.
        pub successful: Option<i32>,
        /// Those that failed.
        pub failed: Option<i32>,
        /// Those without a clear verdict.
        pub inconclusive: Option<i32>,
        /// Those that could not be measured.
        pub error: Option<i32>,
    }

    /// Result of a metric.
    pub struct MetricResult {
        /// Name of the metric.
        #[schemars(transform = mark::required)]
        pub name: String,
        /// The verdict, or how far the metric is.
        pub phase: Option<AnalysisPhase>,
        /// The latest measurements, oldest first.
        #[schemars(transform = mark::atomic)]
        pub measurements: Option<Vec<Measurement>>,
        /// One sentence that says why.
        pub message: Option<String>,
        /// Measurements without an error.
        pub count: Option<i32>,
        /// Good measurements.
        pub successful: Option<i32>,
        /// Bad measurements.
        pub failed: Option<i32>,
        /// Measurements that were neither.
        pub inconclusive: Option<i32>,
        /// Measurements that could not be made.
        pub error: Option<i32>,
        /// Errors in a row, up to now.
        pub consecutive_error: Option<i32>,
        /// Good measurements in a row, up to now.
        pub consecutive_success: Option<i32>,
        /// Bad measurements in a row, up to now.
        pub consecutive_failure: Option<i32>,
        /// Measurements in a row, up to now, that found no value.
        pub consecutive_no_data: Option<i32>,
        /// Whether this metric doesn't count.
        pub dry_run: Option<bool>,
        /// What the provider noted, for example the query as it was sent.
        pub metadata: Option<BTreeMap<String, String>>,
    }

    /// One measurement.
    pub struct Measurement {
        /// The verdict on this measurement.
        pub phase: Option<AnalysisPhase>,
        /// One sentence that says why.
        pub message: Option<String>,
        /// When it began.
        #[schemars(schema_with = "leaf::time")]
        pub started_at: Option<Time>,
        /// When it ended.
        #[schemars(schema_with = "leaf::time")]
        pub finished_at: Option<Time>,
        /// The value, as a text.
        pub value: Option<String>,
        /// What the provider noted, for example the name of its Job.
        pub metadata: Option<Shared<BTreeMap<String, String>>>,
        /// When the provider is asked again for a measurement that takes long.
        #[schemars(schema_with = "leaf::time")]
        pub resume_at: Option<Time>,
    }
}

known_values! {
    /// How far an analysis is, or its verdict.
    pub enum AnalysisPhase {
        /// Not begun.
        Pending = "Pending",
        /// Being measured.
        Running = "Running",
        /// Good.
        Successful = "Successful",
        /// Bad.
        Failed = "Failed",
        /// It could not be measured.
        Error = "Error",
        /// Neither good nor bad.
        Inconclusive = "Inconclusive",
    }
}

impl AnalysisPhase {
    /// Whether this is a verdict, which doesn't change any more.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Successful | Self::Failed | Self::Error | Self::Inconclusive)
    }
}
