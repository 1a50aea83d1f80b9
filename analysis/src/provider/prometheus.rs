//! Prometheus, and servers that speak its language: Thanos, Mimir, VictoriaMetrics.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use sluice_crds::analysis::provider::{PrometheusMetric, RangeQuery};

use super::http::{
    AwsSigning, HttpAnswer, HttpRequest, Method, SignIn, Trust, basic, check_address, excerpt, headers, timeout,
};
use super::{Failure, Reading, Settings, oauth2, shown};
use crate::condition::Value;
use crate::secrets::Secrets;
use crate::verdict;

/// The name under which the query as it was sent is kept with the measurement.
pub(crate) const QUERY_AS_SENT: &str = "ResolvedPrometheusQuery";
const WARNINGS: &str = "warnings";
/// An answer of more values than this is a query that forgot to aggregate.
const MOST_VALUES: usize = 100_000;

pub(super) fn request(
    metric: &PrometheusMetric,
    secrets: &Secrets,
    settings: &Settings,
    now: Timestamp,
) -> Result<HttpRequest, Failure> {
    let address = metric.address.as_deref().map(str::trim).filter(|address| !address.is_empty());
    let address = address.unwrap_or(settings.prometheus_address.trim());
    if address.is_empty() {
        let mend = "write provider.prometheus.address, or start the controller with a default one";
        return Err(Failure(format!("no address of a Prometheus server is known; {mend}")));
    }
    check_address(address)?;
    if metric.signal.is_some() {
        let mend = "use the template in a Rollout's analysis, or write a query";
        return Err(Failure(format!("a signal is about the traffic of the Rollout that asks, and none does; {mend}")));
    }
    let timeout = timeout(metric.timeout_seconds(), 30);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("query", metric.query.as_deref().unwrap_or_default());
    form.append_pair("timeout", &format!("{}s", timeout.as_secs()));
    let path = match &metric.range_query {
        None => {
            form.append_pair("time", &now.as_second().to_string());
            "/api/v1/query"
        }
        Some(range) => {
            let range = Range::of(range, now)?;
            form.append_pair("start", &range.start.as_second().to_string());
            form.append_pair("end", &range.end.as_second().to_string());
            form.append_pair("step", &format!("{}s", range.step_seconds));
            "/api/v1/query_range"
        }
    };
    let mut all_headers = vec![
        ("Accept".to_owned(), "application/json".to_owned()),
        ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    all_headers.extend(headers(metric.headers.as_deref(), secrets)?);
    let ways = metric.authentication.as_ref();
    all_headers.extend(basic(ways.and_then(|ways| ways.basic_auth.as_ref())));
    let trust = Trust::of(metric.insecure(), metric.ca_bundle());
    let mut sign_in = oauth2::request(ways.and_then(|ways| ways.oauth2.as_ref()), trust.clone())?;
    if let Some(sigv4) = ways.and_then(|ways| ways.sigv4.as_ref()).filter(|_| is_amazon(address)) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (region, profile, role_arn) = (text(&sigv4.region), text(&sigv4.profile), text(&sigv4.role_arn));
        sign_in = SignIn::Aws(AwsSigning { region, profile, role_arn });
    }
    Ok(HttpRequest {
        method: Method::Post,
        url: format!("{}{path}", address.trim_end_matches('/')),
        headers: all_headers,
        body: form.finish(),
        timeout,
        trust,
        sign_in,
    })
}

/// Only Amazon's own servers want signatures; to others the same template is sent without.
/// Whether it is a server whose requests are signed.
pub(crate) fn is_amazon(address: &str) -> bool {
    address.parse::<::http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| host.contains("aps-workspaces")))
}

struct Range {
    start: Timestamp,
    end: Timestamp,
    step_seconds: i64,
}

impl Range {
    fn of(range: &RangeQuery, now: Timestamp) -> Result<Self, Failure> {
        let time = |field: &str, expression: Option<&str>| {
            let expression = expression.map(str::trim).filter(|text| !text.is_empty());
            let expression =
                expression.ok_or_else(|| Failure(format!("rangeQuery.{field} is missing; write now()")))?;
            verdict::time(expression, now).map_err(|problem| Failure(format!("rangeQuery.{field}: {problem}")))
        };
        let (start, end) = (time("start", range.start.as_deref())?, time("end", range.end.as_deref())?);
        let step = range.step.as_deref().unwrap_or_default();
        let step_seconds = match step.parse::<sluice_crds::values::GoDuration>() {
            Ok(step) if step.seconds() >= 1 => step.seconds(),
            Ok(_) => return Err(Failure(format!("rangeQuery.step: {step:?} is less than a second; write 1m"))),
            Err(error) => return Err(Failure(format!("rangeQuery.step: {error}"))),
        };
        if end < start {
            return Err(Failure("rangeQuery.end is before rangeQuery.start; swap them".to_owned()));
        }
        Ok(Self { start, end, step_seconds })
    }
}

#[derive(Deserialize)]
struct Answer {
    status: Option<String>,
    data: Option<Data>,
    error: Option<String>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    warnings: Option<Vec<String>>,
    infos: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Json,
}

/// The values in an answer. A scalar is a number, a vector or matrix a list of numbers in the server's order, NaN
/// included; no series at all is an empty list, which is left for conditions to judge.
pub(super) fn parse(metric: &PrometheusMetric, answer: &HttpAnswer) -> Result<Reading, Failure> {
    let parsed: Result<Answer, _> = answer.text().map(serde_json::from_str)?;
    let parsed = match parsed {
        Ok(parsed) if parsed.status.is_some() => parsed,
        _ if !answer.is_success() => return Err(answer.refusal()),
        _ => return Err(Failure(not_prometheus(answer))),
    };
    if let Some(error) = &parsed.error {
        let kind = parsed.error_type.as_deref().unwrap_or("error");
        return Err(Failure(format!("Prometheus answers {}: {}", excerpt(kind), excerpt(error))));
    }
    if !answer.is_success() || parsed.status.as_deref() != Some("success") {
        return Err(answer.refusal());
    }
    let data = parsed.data.ok_or_else(|| Failure(not_prometheus(answer)))?;
    let mut metadata =
        BTreeMap::from([(QUERY_AS_SENT.to_owned(), metric.query.as_deref().unwrap_or_default().to_owned())]);
    let warnings: Vec<String> =
        parsed.warnings.iter().chain(&parsed.infos).flatten().take(5).map(|warning| excerpt(warning)).collect();
    if !warnings.is_empty() {
        metadata.insert(WARNINGS.to_owned(), warnings.join("; "));
    }
    if data.kind == "scalar" {
        let number = sample(&data.result)?;
        return Ok(Reading { value: Some(Value::from(number)), shown: text_of(number), metadata });
    }
    let numbers = numbers(&data)?;
    let list = numbers.iter().map(|number| text_of(*number)).collect::<Vec<_>>().join(",");
    Ok(Reading { value: Some(Value::from(numbers)), shown: shown(&format!("[{list}]")), metadata })
}

fn not_prometheus(answer: &HttpAnswer) -> String {
    let kind = answer.header("content-type").map_or_else(String::new, |kind| format!(" ({})", excerpt(kind)));
    let start = excerpt(&String::from_utf8_lossy(answer.body.get(..500).unwrap_or(&answer.body)));
    format!("the answer is not one of Prometheus{kind}: {start:?}")
}

fn numbers(data: &Data) -> Result<Vec<f64>, Failure> {
    let series = match (data.kind.as_str(), &data.result) {
        ("vector" | "matrix", Json::Array(series)) => series,
        ("vector" | "matrix", Json::Null) => return Ok(Vec::new()),
        (kind, _) => {
            let problem = format!("the query gives a {}, not a number, a vector or a matrix", excerpt(kind));
            return Err(Failure(problem));
        }
    };
    let mut numbers = Vec::new();
    for one in series {
        let one_value = one.get("value").map(std::slice::from_ref);
        let many_values = one.get("values").and_then(Json::as_array).map(Vec::as_slice);
        let Some(samples) = one_value.or(many_values) else {
            let mend = "use histogram_quantile, histogram_avg or histogram_fraction";
            return Err(Failure(format!("a series has no plain numbers; {mend} for histograms")));
        };
        for value in samples {
            numbers.push(sample(value)?);
        }
        if numbers.len() > MOST_VALUES {
            return Err(Failure(format!("the answer has more than {MOST_VALUES} values; aggregate in the query")));
        }
    }
    Ok(numbers)
}

/// `[1700000000.1, "0.95"]`
fn sample(pair: &Json) -> Result<f64, Failure> {
    let text = pair.get(1).and_then(Json::as_str);
    let number = text.and_then(|text| text.parse::<f64>().ok());
    number.ok_or_else(|| Failure(format!("{:?} is not a sample of Prometheus", excerpt(&pair.to_string()))))
}

/// A number as it is written into the measurement.
pub(super) fn text_of(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{number}")
    }
}
