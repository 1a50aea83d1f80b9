//! Providers: where the value of a metric comes from.

pub mod http;
pub mod job;
pub mod query;
pub mod vendor;

use std::collections::BTreeMap;

pub use http::{
    Authentication, BasicAuth, DataPlane, Header, HeaderSource, Measure, OAuth2, PrometheusMetric, RangeQuery, Signal,
    SignalOf, Sigv4, WebMetric,
};
pub use job::JobMetric;
pub use query::{GraphiteMetric, InfluxdbMetric, NewRelicMetric, SkyWalkingMetric, WavefrontMetric};
pub use vendor::{CloudWatchMetric, DatadogMetric, KayentaMetric};

use crate::shape::api_types;
use crate::unit::Raw;

api_types! {
    // In boxes: a metric has one of them, and would take the room of all.
    /// Where the value of a metric comes from: exactly one of its members.
    pub struct Provider {
        /// Asks a Prometheus server, or one that speaks its language.
        pub prometheus: Option<Box<PrometheusMetric>>,
        /// Asks any HTTP server that answers with JSON.
        pub web: Option<Box<WebMetric>>,
        /// Runs a Job; its success is the verdict.
        pub job: Option<Box<JobMetric>>,
        /// Asks Datadog.
        pub datadog: Option<Box<DatadogMetric>>,
        /// Asks New Relic.
        pub new_relic: Option<Box<NewRelicMetric>>,
        /// Asks Wavefront.
        pub wavefront: Option<Box<WavefrontMetric>>,
        /// Asks Amazon CloudWatch.
        pub cloud_watch: Option<Box<CloudWatchMetric>>,
        /// Asks Graphite.
        pub graphite: Option<Box<GraphiteMetric>>,
        /// Asks InfluxDB.
        pub influxdb: Option<Box<InfluxdbMetric>>,
        /// Asks Apache SkyWalking.
        pub skywalking: Option<Box<SkyWalkingMetric>>,
        /// Has Kayenta compare canary and baseline.
        pub kayenta: Option<Box<KayentaMetric>>,
        /// Asks a plugin: its name to its configuration.

        pub plugin: Option<BTreeMap<String, Raw>>,
    }
}

impl Provider {
    /// Names of all members that are set, as they are written. Validation refuses none and more than one.
    pub fn names(&self) -> Vec<&'static str> {
        [
            ("prometheus", self.prometheus.is_some()),
            ("web", self.web.is_some()),
            ("job", self.job.is_some()),
            ("datadog", self.datadog.is_some()),
            ("newRelic", self.new_relic.is_some()),
            ("wavefront", self.wavefront.is_some()),
            ("cloudWatch", self.cloud_watch.is_some()),
            ("graphite", self.graphite.is_some()),
            ("influxdb", self.influxdb.is_some()),
            ("skywalking", self.skywalking.is_some()),
            ("kayenta", self.kayenta.is_some()),
            ("plugin", self.plugin.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .collect()
    }
}
