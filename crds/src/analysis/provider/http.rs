//! Prometheus and plain HTTP, and the ways of signing in that they share.

use crate::schema::{leaf, mark};
use crate::shape::{api_types, known_values};
use crate::unit::{Raw, SecretKeyRef};
use crate::values::DurationString;

api_types! {
    /// Asks a Prometheus server, or one that speaks its language.
    pub struct PrometheusMetric {
        /// Address of the server, for example http://prometheus:9090. Default: the controller's own setting.
        pub address: Option<String>,
        /// The query, in PromQL.
        pub query: Option<String>,
        /// A golden signal of the traffic, instead of a query: the Rollout that asks fills in whose traffic it is.
        pub signal: Option<Signal>,
        /// Asks for a range of time instead of for now.
        pub range_query: Option<RangeQuery>,
        /// Seconds to wait for the answer. Default: 30.
        pub timeout: Option<i64>,
        /// Whether the server's certificate is left unchecked. Default: false.
        pub insecure: Option<bool>,
        /// Certificates (PEM) of those who vouch for the server, instead of the ones that the controller's machine
        /// trusts.
        pub ca_bundle: Option<String>,
        /// Headers to send.
        #[schemars(transform = mark::atomic)]
        pub headers: Option<Vec<Header>>,
        /// How to sign in.
        pub authentication: Option<Box<Authentication>>,
    }

    /// A golden signal of the traffic of a Rollout.
    pub struct Signal {
        /// Who carries the traffic and counts it: `nginx` (ingress-nginx), `istio` or `gatewayAPI` (Envoy).
        #[schemars(transform = mark::required)]
        pub data_plane: Option<DataPlane>,
        /// `requests` (how many in the window), `successRate` (0 to 1; what is answered with 5xx is no success), or
        /// the latency that a share of the requests stay below, in milliseconds: `p50`, `p95` or `p99`.
        #[schemars(transform = mark::required)]
        pub measure: Option<Measure>,
        /// Whose: the `canary`'s, the `stable` revision's or `both` together. Default: canary.
        pub of: Option<SignalOf>,
        /// Over what time, up to now, for example 1m. Default: 1m.
        pub window: Option<DurationString>,
    }

    /// A range of time to ask for.
    pub struct RangeQuery {
        /// Expression for the beginning, for example now() - duration("5m").
        pub start: Option<String>,
        /// Expression for the end, for example now().
        pub end: Option<String>,
        /// Time between two values, for example 1m.
        pub step: Option<String>,
    }

    /// Asks any HTTP server that answers with JSON.
    pub struct WebMetric {
        /// `GET`, `POST` or `PUT`. Default: GET.
        pub method: Option<String>,
        /// Address to ask.
        #[schemars(transform = mark::required)]
        pub url: String,
        /// Headers to send.
        #[schemars(transform = mark::atomic)]
        pub headers: Option<Vec<Header>>,
        /// Text to send, with POST and PUT; not together with jsonBody.
        pub body: Option<String>,
        /// JSON to send, with POST and PUT; not together with body.
        #[schemars(schema_with = "leaf::raw")]
        pub json_body: Option<Raw>,
        /// Seconds to wait for the answer. Default: 10.
        pub timeout_seconds: Option<i64>,
        /// Which part of the answer is the result. Default: {$}, all of it.
        pub json_path: Option<String>,
        /// Whether the server's certificate is left unchecked. Default: false.
        pub insecure: Option<bool>,
        /// Certificates (PEM) of those who vouch for the server, instead of the ones that the controller's machine
        /// trusts.
        pub ca_bundle: Option<String>,
        /// How to sign in.
        pub authentication: Option<Box<Authentication>>,
    }

    /// A header to send: either value or valueFrom.
    pub struct Header {
        /// Name of the header.
        #[schemars(transform = mark::required)]
        pub key: String,
        /// Its value as it is.
        pub value: Option<String>,
        /// Where its value is read.
        pub value_from: Option<HeaderSource>,
    }

    /// Where the value of a header is read.
    pub struct HeaderSource {
        /// A key of a Secret in the run's namespace.
        pub secret_key_ref: Option<SecretKeyRef>,
    }

    /// How to sign in: at most one of its members.
    pub struct Authentication {
        /// Signs requests as AWS services want it.
        pub sigv4: Option<Sigv4>,
        /// Gets a token by OAuth 2 client credentials.
        pub oauth2: Option<OAuth2>,
        /// Sends a user name and a password.
        pub basic_auth: Option<BasicAuth>,
    }

    /// Signs requests as AWS services want it.
    pub struct Sigv4 {
        /// AWS region.
        pub region: Option<String>,
        /// Profile of the credentials.
        pub profile: Option<String>,
        /// Role to take on.
        pub role_arn: Option<String>,
    }

    /// Gets a token by OAuth 2 client credentials.
    pub struct OAuth2 {
        /// Where tokens are given out.
        pub token_url: Option<String>,
        /// Name of the client.
        pub client_id: Option<String>,
        /// Secret of the client; take it from an argument.
        pub client_secret: Option<String>,
        /// What the token is for.
        #[schemars(transform = mark::atomic)]
        pub scopes: Option<Vec<String>>,
    }

    /// Sends a user name and a password.
    pub struct BasicAuth {
        /// The user name.
        pub username: Option<String>,
        /// The password; take it from an argument.
        pub password: Option<String>,
    }
}

impl PrometheusMetric {
    /// Seconds to wait for the answer.
    pub fn timeout_seconds(&self) -> i64 {
        self.timeout.unwrap_or(30)
    }

    /// Whether the server's certificate is left unchecked.
    pub fn insecure(&self) -> bool {
        self.insecure.unwrap_or(false)
    }

    /// Certificates that vouch for the server, if it has some of its own.
    pub fn ca_bundle(&self) -> Option<&str> {
        self.ca_bundle.as_deref().filter(|text| !text.trim().is_empty())
    }
}

impl WebMetric {
    /// The HTTP method.
    pub fn method(&self) -> &str {
        self.method.as_deref().unwrap_or("GET")
    }

    /// Seconds to wait for the answer.
    pub fn timeout_seconds(&self) -> i64 {
        self.timeout_seconds.unwrap_or(10)
    }

    /// Which part of the answer is the result.
    pub fn json_path(&self) -> &str {
        self.json_path.as_deref().unwrap_or("{$}")
    }

    /// Whether the server's certificate is left unchecked.
    pub fn insecure(&self) -> bool {
        self.insecure.unwrap_or(false)
    }

    /// Certificates that vouch for the server, if it has some of its own.
    pub fn ca_bundle(&self) -> Option<&str> {
        self.ca_bundle.as_deref().filter(|text| !text.trim().is_empty())
    }
}

known_values! {
    /// Who carries the traffic and counts it.
    pub enum DataPlane {
        /// ingress-nginx.
        Nginx = "nginx",
        /// Istio.
        Istio = "istio",
        /// An Envoy behind Gateway API.
        GatewayApi = "gatewayAPI",
    }

    /// What is measured of the traffic.
    pub enum Measure {
        /// How many requests.
        Requests = "requests",
        /// The share of requests that were answered without an error of the server.
        SuccessRate = "successRate",
        /// The median latency.
        P50 = "p50",
        /// The latency that 95 of 100 requests stay below.
        P95 = "p95",
        /// The latency that 99 of 100 requests stay below.
        P99 = "p99",
    }

    /// Whose traffic.
    pub enum SignalOf {
        /// That of the new revision.
        Canary = "canary",
        /// That of the stable revision.
        Stable = "stable",
        /// All of it.
        Both = "both",
    }
}
