//! The metrics backend: samples over time, and the Prometheus server that answers queries about them.
//!
//! [`Metrics`] scrapes a cluster on virtual time (`exports` says what); a [`Store`] can also be filled by hand. Both
//! answer through Prometheus' HTTP API, as one pure function: [`handle`].

mod backend;
mod exports;
mod faults;
mod http;
mod labels;
mod promql;
mod store;

pub use backend::{Answer, Metrics};
pub use faults::{MetricsFaults, Values};
pub use http::handle;
pub use labels::Labels;
pub use promql::QueryError;
pub use store::Store;
