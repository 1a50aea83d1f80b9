//! Providers that take an address or profile and a query.

use crate::shape::api_types;
use crate::values::DurationString;

api_types! {
    /// Asks New Relic.
    pub struct NewRelicMetric {
        /// Name of the Secret with the account. Default: newrelic.
        pub profile: Option<String>,
        /// The query, in NRQL.
        pub query: Option<String>,
        /// Seconds to wait for the answer. Default: 5.
        pub timeout: Option<i64>,
    }

    /// Asks Wavefront.
    pub struct WavefrontMetric {
        /// Address of the server; its token is found by it.
        pub address: Option<String>,
        /// The query.
        pub query: Option<String>,
    }

    /// Asks Graphite.
    pub struct GraphiteMetric {
        /// Address of the server.
        pub address: Option<String>,
        /// The query.
        pub query: Option<String>,
    }

    /// Asks InfluxDB.
    pub struct InfluxdbMetric {
        /// Name of the Secret with address, token and organisation. Default: influxdb.
        pub profile: Option<String>,
        /// The query, in Flux.
        pub query: Option<String>,
    }

    /// Asks Apache SkyWalking.
    pub struct SkyWalkingMetric {
        /// Address of the server.
        pub address: Option<String>,
        /// The query, in GraphQL.
        pub query: Option<String>,
        /// Time back from now to ask for, for example 5m.
        pub interval: Option<DurationString>,
    }
}
