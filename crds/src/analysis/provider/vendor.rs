//! Providers whose questions have a structure of their own.

use std::collections::BTreeMap;

use crate::schema::mark;
use crate::shape::api_types;
use crate::unit::IntOrString;
use crate::values::DurationString;

api_types! {
    /// Asks Datadog.
    pub struct DatadogMetric {
        /// Version of Datadog's API, `v1` or `v2`. Default: v1.
        pub api_version: Option<String>,
        /// Time back from now to ask for, for example 5m. Default: 5m.
        pub interval: Option<DurationString>,
        /// The query; with v2 either this or queries.
        pub query: Option<String>,
        /// Several queries by name, for formula. Only with v2.
        pub queries: Option<BTreeMap<String, String>>,
        /// How the queries are put together. Only with v2.
        pub formula: Option<String>,
        /// How values over time become one, for example avg. Only with v2. Default: last.
        pub aggregator: Option<String>,
        /// Secret with address and keys. Default: the controller's own.
        pub secret_ref: Option<DatadogSecretRef>,
    }

    /// Secret with Datadog's address and keys.
    pub struct DatadogSecretRef {
        /// Name of the Secret.
        pub name: Option<String>,
        /// Whether it is in the run's namespace instead of the controller's. Default: false.
        pub namespaced: Option<bool>,
    }

    /// Asks Amazon CloudWatch.
    pub struct CloudWatchMetric {
        /// Time back from now to ask for, for example 5m. Default: 5m.
        pub interval: Option<DurationString>,
        /// The queries, as CloudWatch's GetMetricData takes them.
        #[schemars(transform = mark::atomic)]
        pub metric_data_queries: Option<Vec<CloudWatchQuery>>,
    }

    /// A query of GetMetricData: either expression or metricStat.
    pub struct CloudWatchQuery {
        /// Name of the query, for use in expressions.
        pub id: Option<String>,
        /// Calculation over other queries.
        pub expression: Option<String>,
        /// Text that describes the values.
        pub label: Option<String>,
        /// A metric to read.
        pub metric_stat: Option<CloudWatchStat>,
        /// Seconds between two values.
        pub period: Option<IntOrString>,
        /// Whether the values are part of the result. Default: true.
        pub return_data: Option<bool>,
    }

    /// A metric to read and how to sum it up.
    pub struct CloudWatchStat {
        /// The metric.
        pub metric: Option<CloudWatchMetricName>,
        /// Seconds between two values.
        pub period: Option<IntOrString>,
        /// How values are summed up, for example Average or p95.
        pub stat: Option<String>,
        /// Unit of the values.
        pub unit: Option<String>,
    }

    /// A metric of CloudWatch.
    pub struct CloudWatchMetricName {
        /// Name of the metric.
        pub metric_name: Option<String>,
        /// Namespace of the metric.
        pub namespace: Option<String>,
        /// What the metric is of.
        #[schemars(transform = mark::atomic)]
        pub dimensions: Option<Vec<CloudWatchDimension>>,
    }

    /// What a metric is of.
    pub struct CloudWatchDimension {
        /// Name of the dimension.
        pub name: Option<String>,
        /// Its value.
        pub value: Option<String>,
    }

    /// Has Kayenta compare canary and baseline.
    pub struct KayentaMetric {
        /// Address of Kayenta.
        pub address: Option<String>,
        /// Name of the application.
        pub application: Option<String>,
        /// Name of the canary configuration.
        pub canary_config_name: Option<String>,
        /// Account for metrics.
        pub metrics_account_name: Option<String>,
        /// Account for configurations.
        pub configuration_account_name: Option<String>,
        /// Account for results.
        pub storage_account_name: Option<String>,
        /// What score is good enough.
        pub threshold: Option<KayentaThreshold>,
        /// What is compared.
        #[schemars(transform = mark::atomic)]
        pub scopes: Option<Vec<KayentaScope>>,
    }

    /// What score is good enough.
    pub struct KayentaThreshold {
        /// From this score on it is a success.
        pub pass: Option<i64>,
        /// From this score on it is inconclusive; below, a failure.
        pub marginal: Option<i64>,
    }

    /// What is compared.
    pub struct KayentaScope {
        /// Name of the scope.
        pub name: Option<String>,
        /// The baseline.
        pub control_scope: Option<KayentaScopeDetail>,
        /// The canary.
        pub experiment_scope: Option<KayentaScopeDetail>,
    }

    /// One side of the comparison.
    pub struct KayentaScopeDetail {
        /// Name of the scope.
        pub scope: Option<String>,
        /// Region.
        pub region: Option<String>,
        /// Seconds between two values.
        pub step: Option<i64>,
        /// Beginning of the time compared.
        pub start: Option<String>,
        /// End of the time compared.
        pub end: Option<String>,
    }
}

impl DatadogMetric {
    /// Version of Datadog's API.
    pub fn api_version(&self) -> &str {
        self.api_version.as_deref().unwrap_or("v1")
    }

    /// Time back from now to ask for.
    pub fn interval(&self) -> DurationString {
        self.interval.clone().unwrap_or_else(|| "5m".into())
    }

    /// How values over time become one.
    pub fn aggregator(&self) -> &str {
        self.aggregator.as_deref().unwrap_or("last")
    }
}

impl CloudWatchMetric {
    /// Time back from now to ask for.
    pub fn interval(&self) -> DurationString {
        self.interval.clone().unwrap_or_else(|| "5m".into())
    }
}
