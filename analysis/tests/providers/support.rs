//! Metrics out of JSON, and what is sent and read for them.

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_analysis::provider::{self, Question, Settings};
use sluice_analysis::secrets::Secrets;
use sluice_crds::analysis::Metric;

pub(crate) fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

pub(crate) fn metric(provider: &Value) -> Metric {
    serde_json::from_value(json!({"name": "m", "provider": provider})).expect("a metric")
}

/// The request for a metric, or why there is none.
pub(crate) fn asked(provider: &Value) -> Result<HttpRequest, String> {
    let settings = Settings { prometheus_address: "http://default:9090".to_owned() };
    let mut secrets = Secrets::default();
    secrets.insert("keys", "api", "s3cret\n");
    match provider::question(&metric(provider), &secrets, &settings, now()) {
        Ok(Question::Http(request)) => Ok(*request),
        Ok(Question::Job) => Err("a Job".to_owned()),
        Err(failure) => Err(failure.0),
    }
}

pub(crate) fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// What an answer means: the value as conditions and as measurements show it, or why there is none.
pub(crate) fn read(provider: &Value, answer: &HttpAnswer) -> Result<(String, String), String> {
    match provider::read(&metric(provider), answer) {
        Ok(reading) => Ok((reading.value.map_or("no data".to_owned(), |value| value.to_string()), reading.shown)),
        Err(failure) => Err(failure.0),
    }
}
