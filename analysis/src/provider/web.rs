//! Any server that answers over HTTP.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_crds::analysis::provider::WebMetric;

use super::http::{HttpAnswer, HttpRequest, Method, Trust, basic, check_address, headers, timeout};
use super::json_path::JsonPath;
use super::{Failure, Reading, oauth2, shown};
use crate::condition::Value;
use crate::secrets::Secrets;

pub(super) fn request(metric: &WebMetric, secrets: &Secrets) -> Result<HttpRequest, Failure> {
    let url = metric.url.trim();
    check_address(url)?;
    let method = match metric.method() {
        "" | "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        other => return Err(Failure(format!("method {other:?} is not known; write GET, POST or PUT"))),
    };
    let text = metric.body.clone().filter(|body| !body.is_empty());
    let (body, is_json) = match (&metric.json_body, text) {
        (Some(_), Some(_)) => return Err(Failure("both body and jsonBody are set; keep one of the two".to_owned())),
        (Some(json), None) => (json.to_string(), true),
        (None, text) => (text.unwrap_or_default(), false),
    };
    if method == Method::Get && !body.is_empty() {
        return Err(Failure("a GET request has no body; write method: POST".to_owned()));
    }
    let mut all_headers = headers(metric.headers.as_deref(), secrets)?;
    if is_json && !all_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        all_headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let ways = metric.authentication.as_ref();
    if ways.is_some_and(|ways| ways.sigv4.is_some()) {
        return Err(Failure("web requests are not signed with sigv4; remove authentication.sigv4".to_owned()));
    }
    all_headers.extend(basic(ways.and_then(|ways| ways.basic_auth.as_ref())));
    let trust = Trust::of(metric.insecure(), metric.ca_bundle());
    Ok(HttpRequest {
        method,
        url: url.to_owned(),
        headers: all_headers,
        body,
        timeout: timeout(metric.timeout_seconds(), 10),
        trust: trust.clone(),
        sign_in: oauth2::request(ways.and_then(|ways| ways.oauth2.as_ref()), trust)?,
    })
}

/// The first value at the path; an answer that is not JSON is a text. An answer without a value at the path is one
/// without data.
pub(super) fn parse(metric: &WebMetric, answer: &HttpAnswer) -> Result<Reading, Failure> {
    if !answer.is_success() {
        return Err(answer.refusal());
    }
    let text = answer.text()?;
    let Ok(json) = serde_json::from_str::<Json>(text) else {
        return Ok(reading(Some(Value::from(text)), text));
    };
    let path = metric.json_path();
    let path = if path.trim().is_empty() { "{$}" } else { path };
    let found = JsonPath::read(path).and_then(|path| path.first(&json).map(Option::<&Json>::cloned));
    let found = found.map_err(|problem| Failure(format!("jsonPath {path:?} {problem}")))?;
    let Some(found) = found else {
        return Ok(reading(None, ""));
    };
    let value = Value::try_from(&found).map_err(|problem| Failure(format!("the answer can't be judged: {problem}")))?;
    let written = match &found {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(reading(Some(value), &written))
}

fn reading(value: Option<Value>, written: &str) -> Reading {
    Reading { value, shown: shown(written), metadata: BTreeMap::new() }
}
