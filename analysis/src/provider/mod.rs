//! Providers: what is asked for a metric, and what the answer means. Each provider is a pair of pure functions,
//! `request` and `parse`, in a file of its own.

pub mod http;
pub mod job;
pub mod json_path;
pub mod oauth2;
pub(crate) mod prometheus;
pub mod sigv4;
pub(crate) mod web;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_crds::analysis::Metric;

use self::http::{HttpAnswer, HttpRequest};
use crate::condition::Value;
use crate::secrets::Secrets;

/// Why nothing was measured, in words for the measurement's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// What a provider measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What conditions call `result`; nothing where the answer has no place for it.
    pub value: Option<Value>,
    /// The value as it is written into the measurement.
    pub shown: String,
    /// What else is worth keeping, by name.
    pub metadata: BTreeMap<String, String>,
}

/// What the controller's own settings say about providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Address of the Prometheus server for templates that name none.
    pub prometheus_address: String,
}

/// What is asked for a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Send this, and give the answer to [`read`].
    Http(Box<HttpRequest>),
    /// Run a Job.
    Job,
}

/// The question for a metric whose arguments are filled in.
///
/// # Errors
/// It can't be asked; the sentence says what to mend.
pub fn question(metric: &Metric, secrets: &Secrets, settings: &Settings, now: Timestamp) -> Result<Question, Failure> {
    let provider = metric.provider.as_ref().ok_or_else(|| Failure("the metric has no provider".to_owned()))?;
    if let Some(prometheus) = &provider.prometheus {
        let request = prometheus::request(prometheus, secrets, settings, now)?;
        return Ok(Question::Http(Box::new(request)));
    }
    if let Some(web) = &provider.web {
        return Ok(Question::Http(Box::new(web::request(web, secrets)?)));
    }
    if provider.job.is_some() {
        return Ok(Question::Job);
    }
    let name = provider.names().first().copied().unwrap_or("no provider");
    Err(Failure(format!("{name} is not built yet; use prometheus, web or job")))
}

/// What an answer says about a metric.
///
/// # Errors
/// The answer is no measurement; the sentence says why.
pub fn read(metric: &Metric, answer: &HttpAnswer) -> Result<Reading, Failure> {
    let provider = metric.provider.as_ref();
    if let Some(prometheus) = provider.and_then(|provider| provider.prometheus.as_ref()) {
        return prometheus::parse(prometheus, answer);
    }
    if let Some(web) = provider.and_then(|provider| provider.web.as_ref()) {
        return web::parse(web, answer);
    }
    Err(Failure("the metric's provider is not asked over HTTP".to_owned()))
}

/// Characters of a value that a measurement keeps: ten measurements of each metric are stored in one object.
const LONGEST_SHOWN: usize = 1_000;

/// A value as it is written into a measurement.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
