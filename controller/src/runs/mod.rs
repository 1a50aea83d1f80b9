//! AnalysisRuns: what they measure is asked for, the answers are judged, and the verdicts are written down.
//!
//! What to ask when, and what the answers come to, is decided in `sluice-analysis`. A question is a task of its own
//! and never holds up a pass: a slow provider delays only its own metric.

mod desk;
mod jobs;
mod news;
mod pass;
mod providers;
mod secrets;
mod server;
mod sign_in;
mod transport;

use std::sync::Arc;

use futures::future::BoxFuture;
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_analysis::provider::sigv4::Credentials;

pub(crate) use desk::Desk;
pub(crate) use pass::RunPasses;
pub(crate) use providers::Providers;
pub use transport::{for_probes, over_network};

/// Sends one request and brings the answer.
pub type Transport = Arc<dyn Fn(HttpRequest) -> BoxFuture<'static, Result<HttpAnswer, Failure>> + Send + Sync>;

/// What measuring needs to know beyond what templates say.
#[derive(Clone, Debug, Default)]
pub struct Measuring {
    /// Address of the Prometheus server for templates that name none.
    pub prometheus_address: String,
    /// Which servers may be asked.
    pub addresses: AddressPolicy,
    /// What requests to AWS are signed with.
    pub aws: Option<Credentials>,
}
