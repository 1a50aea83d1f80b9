//! What is wrong with where a metric's values come from.

use super::job;
use crate::analysis::Provider;
use crate::analysis::provider::{
    Authentication, CloudWatchMetric, DataPlane, DatadogMetric, Header, KayentaMetric, Measure, PrometheusMetric,
    Signal, SignalOf, WebMetric,
};
use crate::mistake::{FieldPath, Mistake};
use crate::validate::fields::{Found, duration, known_word, required_text};
use crate::validate::form::either;

const BUILT_IN: &str = "prometheus, web or job";

pub(super) fn check(metric: &FieldPath, provider: Option<&Provider>, found: &mut Found) {
    let path = metric.field("provider");
    let Some(provider) = provider else {
        found.push(Mistake::missing(path, "is required", format!("write {BUILT_IN} below it")));
        return;
    };
    let names = provider.names();
    match names.as_slice() {
        [] => found.push(Mistake::missing(path.clone(), "names no provider", format!("write {BUILT_IN} below it"))),
        [_] => {}
        _ => {
            let problem = format!("has {}", either(&names).replace(" or ", " and "));
            found.push(Mistake::about(path.clone(), problem, "keep one, and make a metric of each of the others"));
        }
    }
    check_each(&path, provider, found);
    check_plugins(&path.field("plugin"), provider, found);
}

fn check_each(path: &FieldPath, provider: &Provider, found: &mut Found) {
    if let Some(prometheus) = &provider.prometheus {
        check_prometheus(&path.field("prometheus"), prometheus, found);
    }
    if let Some(web) = &provider.web {
        check_web(&path.field("web"), web, found);
    }
    if let Some(job) = &provider.job {
        job::check(&path.field("job"), job, found);
    }
    if let Some(datadog) = &provider.datadog {
        check_datadog(&path.field("datadog"), datadog, found);
    }
    if let Some(cloud_watch) = &provider.cloud_watch {
        check_cloud_watch(&path.field("cloudWatch"), cloud_watch, found);
    }
    if let Some(kayenta) = &provider.kayenta {
        check_kayenta(&path.field("kayenta"), kayenta, found);
    }
    let mut query = |field: &'static str, query: Option<&str>| {
        required_text(path.field(field).field("query"), query, "write the query", found);
    };
    if let Some(new_relic) = &provider.new_relic {
        query("newRelic", new_relic.query.as_deref());
    }
    if let Some(wavefront) = &provider.wavefront {
        query("wavefront", wavefront.query.as_deref());
    }
    if let Some(graphite) = &provider.graphite {
        query("graphite", graphite.query.as_deref());
    }
    if let Some(influxdb) = &provider.influxdb {
        query("influxdb", influxdb.query.as_deref());
    }
    if let Some(skywalking) = &provider.skywalking {
        query("skywalking", skywalking.query.as_deref());
        duration(path.field("skywalking").field("interval"), skywalking.interval.as_ref(), found);
    }
}

fn check_plugins(path: &FieldPath, provider: &Provider, found: &mut Found) {
    for name in provider.plugin.iter().flatten().map(|(name, _)| name) {
        let mend = format!("use {BUILT_IN}");
        found.push(Mistake::about(path.key(name), "is a plugin in Go, which Sluice does not run", mend));
    }
}

fn check_signal(path: &FieldPath, signal: &Signal, found: &mut Found) {
    match &signal.data_plane {
        None => {
            found.push(Mistake::missing(path.field("dataPlane"), "is required", "write nginx, istio or gatewayAPI"));
        }
        Some(DataPlane::Other(word)) => known_word(path.field("dataPlane"), word, DataPlane::KNOWN, found),
        Some(_) => {}
    }
    match &signal.measure {
        None => {
            let mend = "write requests, successRate, p50, p95 or p99";
            found.push(Mistake::missing(path.field("measure"), "is required", mend));
        }
        Some(Measure::Other(word)) => known_word(path.field("measure"), word, Measure::KNOWN, found),
        Some(_) => {}
    }
    if let Some(SignalOf::Other(word)) = &signal.of {
        known_word(path.field("of"), word, SignalOf::KNOWN, found);
    }
    duration(path.field("window"), signal.window.as_ref(), found);
    if let Some(window) = &signal.window
        && window.parse().is_ok_and(|length| length.nanos() < 1_000_000_000)
    {
        found.push(Mistake::wrong(
            path.field("window"),
            window.to_string().as_str(),
            "is less than a second",
            "write 1m or 30s",
        ));
    }
}

fn check_prometheus(path: &FieldPath, prometheus: &PrometheusMetric, found: &mut Found) {
    let query = prometheus.query.as_deref().filter(|query| !query.trim().is_empty());
    match (&prometheus.signal, query) {
        (Some(signal), None) => check_signal(&path.field("signal"), signal, found),
        (Some(_), Some(_)) => {
            found.push(Mistake::about(path.clone(), "has a query and a signal", "keep one of the two"));
        }
        (None, _) => required_text(path.field("query"), query, "write the query, or a signal", found),
    }
    if prometheus.signal.is_some() && prometheus.range_query.is_some() {
        let mend = "leave it out; the signal has a window";
        found.push(Mistake::about(path.field("rangeQuery"), "can't be combined with a signal", mend));
    }
    if let Some(seconds) = prometheus.timeout.filter(|seconds| *seconds < 0) {
        found.push(Mistake::wrong(path.field("timeout"), seconds, "is less than 0", "write seconds, 30 is usual"));
    }
    check_ca_bundle(path, prometheus.ca_bundle(), prometheus.insecure(), found);
    check_headers(path, prometheus.headers.as_deref(), found);
    check_authentication(path, prometheus.authentication.as_deref(), found);
}

fn check_ca_bundle(path: &FieldPath, bundle: Option<&str>, insecure: bool, found: &mut Found) {
    let Some(bundle) = bundle else { return };
    let path = path.field("caBundle");
    if insecure {
        let problem = "has no say where insecure leaves certificates unchecked";
        found.push(Mistake::about(path, problem, "keep one of the two"));
    } else if !bundle.contains("-----BEGIN CERTIFICATE-----") && !bundle.contains("{{") {
        let mend = "write PEM text, which begins with -----BEGIN CERTIFICATE-----";
        found.push(Mistake::about(path, "has no certificate", mend));
    }
}

fn check_web(path: &FieldPath, web: &WebMetric, found: &mut Found) {
    required_text(path.field("url"), Some(&web.url), "write the address to ask", found);
    if let Some(method) = web.method.as_deref().filter(|method| !method.is_empty() && !method.contains("{{")) {
        known_word(path.field("method"), method, &["GET", "POST", "PUT"], found);
    }
    let has_body = web.body.as_deref().is_some_and(|body| !body.is_empty());
    if has_body && web.json_body.is_some() {
        found.push(Mistake::about(path.clone(), "has both body and jsonBody", "keep one of the two"));
    }
    if let Some(seconds) = web.timeout_seconds.filter(|seconds| *seconds < 0) {
        found.push(Mistake::wrong(
            path.field("timeoutSeconds"),
            seconds,
            "is less than 0",
            "write seconds, 10 is usual",
        ));
    }
    check_ca_bundle(path, web.ca_bundle(), web.insecure(), found);
    check_headers(path, web.headers.as_deref(), found);
    check_authentication(path, web.authentication.as_deref(), found);
}

fn check_headers(path: &FieldPath, headers: Option<&[Header]>, found: &mut Found) {
    for (index, header) in headers.into_iter().flatten().enumerate() {
        let path = path.field("headers").index(index).field("key");
        required_text(path, Some(&header.key), "name the header", found);
    }
}

fn check_authentication(path: &FieldPath, ways: Option<&Authentication>, found: &mut Found) {
    let Some(oauth2) = ways.and_then(|ways| ways.oauth2.as_ref()) else {
        return;
    };
    // Without an address for tokens it is off, whatever else is written.
    if oauth2.token_url.as_deref().unwrap_or_default().is_empty() {
        return;
    }
    let path = path.field("authentication").field("oauth2");
    for (field, text) in [("clientId", &oauth2.client_id), ("clientSecret", &oauth2.client_secret)] {
        required_text(path.field(field), text.as_deref(), "write it, or take it from an argument", found);
    }
}

fn check_datadog(path: &FieldPath, datadog: &DatadogMetric, found: &mut Found) {
    duration(path.field("interval"), datadog.interval.as_ref(), found);
    let has_query = datadog.query.as_deref().is_some_and(|query| !query.is_empty());
    let many = datadog.queries.as_ref().map_or(0, std::collections::BTreeMap::len);
    let has_formula = datadog.formula.as_deref().is_some_and(|formula| !formula.is_empty());
    let version = datadog.api_version.as_deref().filter(|version| !version.is_empty());
    if let Some(version) = version.filter(|version| !version.contains("{{")) {
        known_word(path.field("apiVersion"), version, &["v1", "v2"], found);
    }
    match (has_query, many) {
        (false, 0) => {
            found.push(Mistake::missing(path.field("query"), "is required", "write the query, or queries with v2"));
        }
        (true, 1..) => found.push(Mistake::about(path.clone(), "has both query and queries", "keep one of the two")),
        _ => {}
    }
    if datadog.api_version() == "v1" {
        for (field, is_set) in [("queries", many > 0), ("formula", has_formula)] {
            if is_set {
                found.push(Mistake::about(path.field(field), "is for apiVersion v2 only", "write apiVersion: v2"));
            }
        }
    } else {
        if many > 1 && !has_formula {
            let mend = "say how the queries become one value";
            found.push(Mistake::missing(path.field("formula"), "is required with several queries", mend));
        }
        if has_formula && many == 0 {
            let mend = "write the queries that the formula puts together";
            found.push(Mistake::missing(path.field("queries"), "is required with formula", mend));
        }
    }
}

fn check_cloud_watch(path: &FieldPath, cloud_watch: &CloudWatchMetric, found: &mut Found) {
    duration(path.field("interval"), cloud_watch.interval.as_ref(), found);
    let path = path.field("metricDataQueries");
    let queries = cloud_watch.metric_data_queries.as_deref().unwrap_or_default();
    if queries.is_empty() {
        found.push(Mistake::missing(path.clone(), "is required", "write at least one query"));
    }
    for (index, query) in queries.iter().enumerate() {
        required_text(path.index(index).field("id"), query.id.as_deref(), "name the query", found);
    }
}

fn check_kayenta(path: &FieldPath, kayenta: &KayentaMetric, found: &mut Found) {
    let texts = [
        ("address", &kayenta.address, "write the address of Kayenta"),
        ("application", &kayenta.application, "name the application"),
        ("canaryConfigName", &kayenta.canary_config_name, "name the canary configuration"),
    ];
    for (field, text, mend) in texts {
        required_text(path.field(field), text.as_deref(), mend, found);
    }
    if kayenta.threshold.is_none() {
        found.push(Mistake::missing(path.field("threshold"), "is required", "write pass and marginal below it"));
    }
    if kayenta.scopes.as_deref().unwrap_or_default().is_empty() {
        found.push(Mistake::missing(path.field("scopes"), "is required", "say what is compared"));
    }
}
