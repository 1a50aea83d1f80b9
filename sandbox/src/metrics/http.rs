//! Prometheus' HTTP API: queries, and what is there to query.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::faults::Values;
use super::labels::Labels;
use super::promql::{MOST_STEPS, Query, QueryError, Sample, Series, Value, is_label_name};
use super::store::{Point, Store, has_points};
use crate::api::request::{Request, Response};

/// Answers one request as Prometheus does.
#[must_use]
pub fn handle(store: &Store, request: &Request, now: Timestamp) -> Response {
    answer(store, request, now, Values::AsTheyAre)
}

/// The same, with values that may be wrong.
pub(super) fn answer(store: &Store, request: &Request, now: Timestamp, values: Values) -> Response {
    let parameters = Parameters::of(request);
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/-/healthy") => return Response::text(200, "Prometheus Server is Healthy.\n"),
        ("GET" | "HEAD", "/-/ready") => return Response::text(200, "Prometheus Server is Ready.\n"),
        ("GET" | "POST", "/api/v1/query") => query(store, &parameters, now, values),
        ("GET" | "POST", "/api/v1/query_range") => query_range(store, &parameters, values),
        ("GET" | "POST", "/api/v1/series") => series(store, &parameters),
        ("GET" | "POST", "/api/v1/labels") => label_texts(store, &parameters, None),
        ("GET", path) => match path.strip_prefix("/api/v1/label/").and_then(|rest| rest.strip_suffix("/values")) {
            Some(label) => label_texts(store, &parameters, Some(label)),
            None => return Response::page_not_found(),
        },
        (_, "/api/v1/query" | "/api/v1/query_range" | "/api/v1/series" | "/api/v1/labels") => {
            return Response::text(405, "Method Not Allowed\n");
        }
        _ => return Response::page_not_found(),
    };
    match answer {
        Ok(data) => Response::json(200, json!({"status": "success", "data": data}).to_string()),
        Err(error) => refused(&error),
    }
}

fn refused(error: &QueryError) -> Response {
    let (status, kind) = match error {
        QueryError::BadData(_) => (400, "bad_data"),
        QueryError::Execution(_) => (422, "execution"),
    };
    let body = json!({"status": "error", "errorType": kind, "error": error.to_string()});
    Response::json(status, body.to_string())
}

/// The parameters of the address and of a form, which wins.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(request: &Request) -> Self {
        let is_form = request
            .header("content-type")
            .is_some_and(|kind| kind.trim_start().starts_with("application/x-www-form-urlencoded"));
        let form: &[u8] = if request.method == "POST" && is_form { &request.body } else { &[] };
        let all = form_urlencoded::parse(form).chain(form_urlencoded::parse(request.query.as_bytes()));
        Self(all.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn time(&self, name: &str) -> Result<i64, QueryError> {
        let text = self.get(name);
        time_ms(text).ok_or_else(|| invalid(name, &format!("cannot parse {text:?} to a valid timestamp")))
    }

    fn time_or(&self, name: &str, otherwise: i64) -> Result<i64, QueryError> {
        if self.get(name).is_empty() { Ok(otherwise) } else { self.time(name) }
    }

    fn query(&self) -> Result<Query, QueryError> {
        Query::parse(self.get("query")).map_err(|error| invalid("query", &error.to_string()))
    }
}

fn invalid(parameter: &str, reason: &str) -> QueryError {
    QueryError::BadData(format!("invalid parameter {parameter:?}: {reason}"))
}

fn query(store: &Store, parameters: &Parameters, now: Timestamp, values: Values) -> Result<Json, QueryError> {
    let at_ms = parameters.time_or("time", now.as_millisecond())?;
    let (kind, result) = match values.of(parameters.query()?.at(store, at_ms)?) {
        Value::Scalar(value) => ("scalar", pair(at_ms, value)),
        Value::Text(text) => ("string", json!([time_json(at_ms), text])),
        Value::Vector(samples) => {
            let entry =
                |Sample { labels, value }: &Sample| json!({"metric": metric(labels), "value": pair(at_ms, *value)});
            ("vector", samples.iter().map(entry).collect())
        }
        Value::Matrix(series) => ("matrix", matrix(&series)),
    };
    Ok(json!({"resultType": kind, "result": result}))
}

fn query_range(store: &Store, parameters: &Parameters, values: Values) -> Result<Json, QueryError> {
    let (from, until) = (parameters.time("start")?, parameters.time("end")?);
    if until < from {
        return Err(invalid("end", "end timestamp must not be before start time"));
    }
    let text = parameters.get("step");
    let step =
        duration_ms(text).ok_or_else(|| invalid("step", &format!("cannot parse {text:?} to a valid duration")))?;
    if step <= 0 {
        return Err(invalid(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        ));
    }
    if until.saturating_sub(from) / step > MOST_STEPS {
        return Err(QueryError::BadData(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
                .to_owned(),
        ));
    }
    let query = parameters.query()?;
    let series = query.over(store, from, until, step).map_err(|error| match error {
        QueryError::BadData(reason) => invalid("query", &reason),
        other @ QueryError::Execution(_) => other,
    })?;
    let Value::Matrix(series) = values.of(Value::Matrix(series)) else { return Ok(Json::Null) };
    Ok(json!({"resultType": "matrix", "result": matrix(&series)}))
}

fn series(store: &Store, parameters: &Parameters) -> Result<Json, QueryError> {
    let (from, until) = span(parameters)?;
    let mut found: BTreeMap<&Labels, Json> = BTreeMap::new();
    let mut asked = false;
    for text in parameters.all("match[]") {
        asked = true;
        let query = Query::parse(text).map_err(|error| invalid("match[]", &error.to_string()))?;
        let selector = query.selector().ok_or_else(|| invalid("match[]", "parse error: not a selector"))?;
        for (labels, points) in store.series(selector.metric()) {
            if selector.takes(labels) && has_points(points, from, until) {
                found.insert(labels, metric(labels));
            }
        }
    }
    if !asked {
        return Err(QueryError::BadData("no match[] parameter provided".to_owned()));
    }
    Ok(found.into_values().collect())
}

fn label_texts(store: &Store, parameters: &Parameters, label: Option<&str>) -> Result<Json, QueryError> {
    if let Some(wrong) = label.filter(|label| !is_label_name(label)) {
        return Err(QueryError::BadData(format!("invalid label name: {wrong:?}")));
    }
    let (from, until) = span(parameters)?;
    Ok(store.label_texts(label, from, until).into_iter().collect())
}

fn span(parameters: &Parameters) -> Result<(i64, i64), QueryError> {
    Ok((parameters.time_or("start", i64::MIN)?, parameters.time_or("end", i64::MAX)?))
}

fn matrix(series: &[Series]) -> Json {
    let values = |points: &[Point]| -> Json { points.iter().map(|point| pair(point.at_ms, point.value)).collect() };
    series.iter().map(|Series { labels, points }| json!({"metric": metric(labels), "values": values(points)})).collect()
}

fn metric(labels: &Labels) -> Json {
    labels.iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect::<serde_json::Map<_, _>>().into()
}

fn pair(at_ms: i64, value: f64) -> Json {
    json!([time_json(at_ms), short(value)])
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay far below 2^52")]
fn time_json(at_ms: i64) -> Json {
    if at_ms % 1_000 == 0 { Json::from(at_ms / 1_000) } else { Json::from(at_ms as f64 / 1_000.0) }
}

/// A number in an answer: very small and very large ones have an exponent of at least two digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if !size.is_finite() || size == 0.0 || (1e-6..1e21).contains(&size) {
        return spelled(value);
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |exponent| ("-", exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A number as it stands in a label: the shortest digits that mean it, never with an exponent.
pub(super) fn spelled(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned() } else { value.to_string() }
}

/// Seconds since 1970, or a time as RFC 3339 has it.
fn time_ms(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => Some(whole_ms(seconds)),
        Ok(_) => None,
        Err(_) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
    }
}

/// Seconds, or a duration such as `1m30s`.
fn duration_ms(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => Some(whole_ms(seconds)),
        Ok(_) => None,
        Err(_) => {
            let duration = promql_parser::util::parse_duration(text).ok()?;
            i64::try_from(duration.as_millis()).ok()
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
fn whole_ms(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}
