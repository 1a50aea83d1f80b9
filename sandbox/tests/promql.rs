//! What PromQL queries come to, worked out by hand. That a real Prometheus comes to the same is shown in `e2e/`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::metrics::{Labels, Store, handle};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

/// Samples every 10 s from second 0 to second 60.
fn push(store: &mut Store, metric: &str, labels: &[(&str, &str)], values: [f64; 7]) {
    for (index, value) in (0..).zip(values) {
        let at = start() + SignedDuration::from_secs(10 * index);
        store.push(Labels::of(metric, labels), at, value);
    }
}

fn store() -> Store {
    let mut store = Store::default();
    push(&mut store, "steady_total", &[], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    push(&mut store, "reset_total", &[], [10.0, 20.0, 30.0, 5.0, 15.0, 25.0, 35.0]);
    push(&mut store, "young_total", &[], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    push(&mut store, "gauge", &[], [5.0, 3.0, 4.0, 8.0, 1.0, 9.0, 5.0]);
    for (code, pod, last) in [("200", "a", 90.0), ("500", "a", 10.0), ("200", "b", 60.0), ("500", "b", 0.0)] {
        push(&mut store, "requests", &[("code", code), ("pod", pod)], [last; 7]);
    }
    push(&mut store, "version", &[("pod", "a"), ("version", "v1")], [1.0; 7]);
    push(&mut store, "version", &[("pod", "b"), ("version", "v2")], [1.0; 7]);
    for (le, count) in [("0.1", 50.0), ("0.2", 90.0), ("+Inf", 100.0)] {
        push(&mut store, "latency_bucket", &[("le", le)], [count; 7]);
    }
    let ended = || Labels::of("ended", &[]);
    store.push(ended(), start(), 1.0);
    store.end(ended(), start() + SignedDuration::from_secs(10));
    store
}

/// Each series of the result at second 60 as `labels value`, in the order of the answer; or the kind of the error.
fn ask(store: &Store, query: &str) -> String {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let at = start() + SignedDuration::from_secs(60);
    let request = Request::get(&format!("/api/v1/query?query={escaped}"));
    let Body::Whole(body) = handle(store, &request, at).body else { return "a watch".to_owned() };
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    if body["status"] != "success" {
        return body["errorType"].as_str().unwrap_or("no type").to_owned();
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some([_, value]) = body["data"]["result"].as_array().map(Vec::as_slice)
        && value.is_string()
    {
        return text(value);
    }
    let entry = |entry: &Value| {
        let labels = entry["metric"].as_object().into_iter().flatten();
        let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={}", text(value))).collect();
        format!("{} {}", labels.join(","), text(&entry["value"][1])).trim().to_owned()
    };
    let entries = body["data"]["result"].as_array().into_iter().flatten();
    entries.map(entry).collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn table(rows: &[(&str, &str)]) {
    let store = store();
    for (query, wanted) in rows {
        assert_eq!(ask(&store, query), *wanted, "{query}");
    }
}

#[test]
fn rates_are_extrapolated_to_the_whole_window_and_know_resets() {
    table(&[
        ("rate(steady_total[1m])", "1"),
        ("increase(steady_total[1m])", "60"),
        // From 10 to 35, and 30 lost at the reset.
        ("increase(reset_total[1m])", "55"),
        ("resets(reset_total[1m])", "1"),
        // A sample every 10 s: a series that begins further from the window's edge gets half of that on top.
        ("delta(steady_total[5m])", "65"),
        ("increase(steady_total[25s])", "25"),
        // A counter was never below zero: it began 10 s before its first sample at the earliest.
        ("increase(young_total[5m])", "7"),
        ("irate(reset_total[1m])", "1"),
        ("delta(gauge[1m])", "0"),
        ("idelta(gauge[1m])", "-4"),
        ("deriv(steady_total[1m])", "1"),
        ("rate(steady_total[5s])", ""),
    ]);
}

#[test]
fn windows_are_summed_up() {
    table(&[
        ("avg_over_time(gauge[1m])", "5"),
        ("sum_over_time(gauge[1m])", "35"),
        ("min_over_time(gauge[1m])", "1"),
        ("max_over_time(gauge[1m])", "9"),
        ("count_over_time(gauge[1m])", "7"),
        ("last_over_time(gauge[1m])", "__name__=gauge 5"),
        ("quantile_over_time(0.5, gauge[1m])", "5"),
        ("stdvar_over_time(young_total[1m])", "4"),
        ("stddev_over_time(young_total[1m])", "2"),
        ("changes(gauge[1m])", "6"),
        ("count_over_time(gauge[20s])", "3"),
        ("max_over_time(gauge[1m:20s])", "5"),
    ]);
}

#[test]
fn series_are_put_together() {
    table(&[
        ("sum(requests)", "160"),
        ("sum by (pod) (requests)", "pod=a 100; pod=b 60"),
        ("sum without (pod) (requests)", "code=200 150; code=500 10"),
        ("avg(requests)", "40"),
        ("count(requests > 0)", "3"),
        ("topk(1, requests)", "__name__=requests,code=200,pod=a 90"),
        ("bottomk(1, requests)", "__name__=requests,code=500,pod=b 0"),
        ("quantile(0.5, requests)", "35"),
        ("stdvar(version)", "0"),
        ("group by (code) (requests)", "code=200 1; code=500 1"),
        (r#"count_values("size", version)"#, "size=1 2"),
        ("sum(nothing)", ""),
    ]);
}

#[test]
fn two_vectors_are_matched_by_their_labels() {
    table(&[
        (r#"requests{code="500"} / ignoring (code) sum without (code) (requests)"#, "pod=a 0.1; pod=b 0"),
        (
            r#"requests{code="500"} * on (pod) group_left (version) version"#,
            "code=500,pod=a,version=v1 10; code=500,pod=b,version=v2 0",
        ),
        (r#"requests{code="200"} > 70"#, "__name__=requests,code=200,pod=a 90"),
        (r#"requests{code="200"} > bool 70"#, "code=200,pod=a 1; code=200,pod=b 0"),
        (r#"version and on (pod) requests{pod="b"}"#, "__name__=version,pod=b,version=v2 1"),
        (r#"version unless on (pod) requests{pod="b"}"#, "__name__=version,pod=a,version=v1 1"),
        ("sum(nothing) or vector(0)", "0"),
        ("requests + on (pod) version", "execution"),
        ("version + on (pod) requests", "execution"),
        ("1 + 2 * 3 ^ 2", "19"),
        ("7 % 4 == bool 3", "1"),
    ]);
}

#[test]
fn quantiles_are_interpolated_within_a_bucket() {
    table(&[
        ("histogram_quantile(0.5, latency_bucket)", "0.1"),
        ("histogram_quantile(0.7, latency_bucket)", "0.15000000000000002"),
        ("histogram_quantile(0.25, latency_bucket)", "0.05"),
        // Beyond the last bound nothing is known but that bound.
        ("histogram_quantile(0.99, latency_bucket)", "0.2"),
        ("histogram_quantile(1.1, latency_bucket)", "+Inf"),
        ("histogram_quantile(0.5, gauge)", ""),
    ]);
}

#[test]
fn what_is_absent_is_told_apart_from_what_is_zero() {
    table(&[
        (r#"absent(nothing{job="web"})"#, "job=web 1"),
        ("absent(gauge)", ""),
        ("absent_over_time(nothing[5m])", "1"),
        ("ended", ""),
        ("ended offset 55s", "__name__=ended 1"),
        ("last_over_time(ended[1m])", "__name__=ended 1"),
        ("scalar(nothing)", "NaN"),
        ("0 / 0", "NaN"),
        ("-1 / 0", "-Inf"),
        ("gauge offset 10m", ""),
    ]);
}

#[test]
fn numbers_labels_and_dates_are_changed() {
    table(&[
        ("abs(-gauge)", "5"),
        ("round(vector(2.45), 0.1)", "2.5"),
        ("clamp(gauge, 6, 7)", "6"),
        ("clamp_max(gauge, 3)", "3"),
        ("sgn(gauge - 9)", "-1"),
        ("sqrt(gauge + 11)", "4"),
        (
            r#"label_replace(version{pod="a"}, "major", "$1", "version", "v(.*)")"#,
            "__name__=version,major=1,pod=a,version=v1 1",
        ),
        (
            r#"label_join(version{pod="a"}, "both", "-", "pod", "version")"#,
            "__name__=version,both=a-v1,pod=a,version=v1 1",
        ),
        ("sort(sum by (pod) (requests))", "pod=b 60; pod=a 100"),
        ("sort_desc(sum by (pod) (requests))", "pod=a 100; pod=b 60"),
        ("time()", "1767225660"),
        ("timestamp(gauge offset 15s)", "1767225640"),
        ("day_of_week()", "4"),
        ("year()", "2026"),
        ("1e-7", "1e-07"),
        ("1e21 * 1.5", "1.5e+21"),
    ]);
}

#[test]
fn what_is_wrong_is_refused_before_it_is_evaluated() {
    table(&[
        ("rate(gauge)", "bad_data"),
        ("gauge[5m] + 1", "bad_data"),
        ("sum(", "bad_data"),
        ("{}", "bad_data"),
        ("holt_winters(gauge[5m], 0.5, 0.5)", "bad_data"),
        ("limitk(1, requests)", "bad_data"),
        ("topk(NaN, requests)", "execution"),
        (r#"label_replace(gauge, "a-b", "", "", "")"#, "execution"),
    ]);
}
