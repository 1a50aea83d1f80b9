//! Samples in which every rule of PromQL has something to decide: counters that are reset, gaps, ends, values that
//! are not numbers, histograms that are torn.

use jiff::Timestamp;
use sluice_sandbox::metrics::{Labels, Store};

/// The first instant with samples: 2026-01-01T00:00:00Z.
pub const START_S: i64 = 1_767_225_600;
/// How long there are samples for.
pub const LASTS_S: i64 = 2_400;
const EVERY_S: i64 = 15;

/// One series; the samples are in the order of time.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its labels, the metric's name among them.
    pub labels: Labels,
    /// Milliseconds since 1970 and value; none is where the series ends.
    pub samples: Vec<(i64, Option<f64>)>,
}

/// Everything that both servers hold.
#[must_use]
pub fn all() -> Vec<Series> {
    let mut all = gauges();
    all.extend(counters());
    all.extend(histograms());
    all.extend(facts());
    all
}

/// The same samples in a store of the sandbox.
#[must_use]
pub fn store(all: &[Series]) -> Store {
    let mut store = Store::default();
    for series in all {
        for (at_ms, value) in &series.samples {
            let at = Timestamp::from_millisecond(*at_ms).unwrap_or_default();
            match value {
                Some(value) => store.push(series.labels.clone(), at, *value),
                None => store.end(series.labels.clone(), at),
            }
        }
    }
    store
}

/// A sample at every scrape for which there is a value; the number of the scrape is the only input.
fn series(metric: &str, labels: &[(&str, &str)], value: impl Fn(i64) -> Option<f64>) -> Series {
    let samples = (0..=LASTS_S / EVERY_S)
        .filter_map(|scrape| Some(((START_S + scrape * EVERY_S) * 1_000, Some(value(scrape)?))))
        .collect();
    Series { labels: Labels::of(metric, labels), samples }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(whole: i64) -> f64 {
    whole as f64
}

fn gauges() -> Vec<Series> {
    let wave = |middle: f64, step: i64| move |scrape: i64| Some(middle + number(scrape * step % 17) / 4.0 - 2.0);
    let mut gauges = vec![
        series("temperature", &[("room", "kitchen"), ("floor", "ground")], wave(21.0, 3)),
        series("temperature", &[("room", "hall"), ("floor", "ground")], wave(18.5, 5)),
        series("temperature", &[("room", "attic"), ("floor", "top")], wave(25.25, 7)),
        series("limit", &[("room", "kitchen")], |_| Some(21.0)),
        series("limit", &[("room", "attic")], |_| Some(24.0)),
        series("constant", &[("job", "one")], |_| Some(42.0)),
        series("constant", &[("job", "two")], |_| Some(0.5)),
        series("gappy_gauge", &[], |scrape| (scrape % 40 < 9).then(|| number(scrape))),
        series("late_gauge", &[], |scrape| (scrape > 70).then(|| number(scrape * scrape))),
        series("huge_values", &[("n", "1")], |scrape| Some(if scrape % 2 == 0 { 1.5e308 } else { 1.6e308 })),
        series("huge_values", &[("n", "2")], |scrape| Some(if scrape % 2 == 0 { 1.5e308 } else { -1.5e308 })),
        series("huge_values", &[("n", "3")], |_| Some(1.7e308)),
    ];
    let odd = [1.0, f64::NAN, f64::INFINITY, -3.5, f64::NEG_INFINITY, 0.0, -0.0, 1e-300, 2.5];
    for (name, shift) in [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 5)] {
        gauges.push(series("mixed_values", &[("name", name)], move |scrape| {
            let index = usize::try_from((scrape / 7 + shift) % 9).unwrap_or(0);
            odd.get(index).copied()
        }));
    }
    let mut ended = series("ended_gauge", &[("job", "short")], |scrape| (scrape <= 60).then(|| number(scrape)));
    ended.samples.push(((START_S + 61 * EVERY_S) * 1_000, None));
    gauges.push(ended);
    // Ends, and comes back.
    let mut paused =
        series("ended_gauge", &[("job", "paused")], |scrape| (!(50..110).contains(&scrape)).then(|| number(scrape)));
    paused.samples.push(((START_S + 50 * EVERY_S) * 1_000, None));
    paused.samples.sort_by_key(|(at_ms, _)| *at_ms);
    gauges.push(paused);
    gauges
}

fn counters() -> Vec<Series> {
    let mut counters = Vec::new();
    for (pod, hash, pace) in [("web-1", "abc", 7), ("web-2", "abc", 11), ("web-3", "def", 3)] {
        for (code, part) in [("200", 20), ("404", 2), ("500", 1)] {
            let labels =
                [("job", "web"), ("pod", pod), ("rollouts_pod_template_hash", hash), ("code", code), ("le", "")];
            counters.push(series("http_requests_total", &labels, move |scrape| {
                // The third pod begins later, with what it had already counted.
                (pod != "web-3" || scrape >= 50).then(|| number(scrape * pace * part + scrape % 5))
            }));
        }
    }
    counters.push(series("resetting_total", &[("kind", "often")], |scrape| Some(number(scrape % 23 * 4))));
    counters.push(series("resetting_total", &[("kind", "once")], |scrape| {
        Some(number(if scrape < 80 { scrape * 10 + 1_000 } else { (scrape - 80) * 10 + 3 }))
    }));
    counters.push(series("slow_total", &[], |scrape| (scrape % 4 == 0).then(|| number(scrape / 8))));
    let mut jittered = series("jittered_total", &[], |scrape| Some(number(scrape * 13) + 0.25));
    for (place, (at_ms, _)) in jittered.samples.iter_mut().enumerate() {
        *at_ms += i64::try_from(place * 7_919 % 3_001).unwrap_or(0);
    }
    counters.push(jittered);
    counters
}

fn histograms() -> Vec<Series> {
    let mut all = Vec::new();
    for (pod, hash, slow) in [("web-1", "abc", 1), ("web-2", "abc", 2), ("web-3", "def", 6)] {
        let labels = |le| [("job", "web"), ("pod", pod), ("rollouts_pod_template_hash", hash), ("le", le)];
        for (le, part) in [("0.005", 1), ("0.05", 30), ("0.1", 60), ("0.5", 90), ("1", 97), ("+Inf", 100)] {
            let fast = (part / slow).max(i64::from(le == "+Inf") * 100);
            all.push(series("http_request_duration_seconds_bucket", &labels(le), move |scrape| {
                Some(number(scrape * fast))
            }));
        }
        all.push(series("http_request_duration_seconds_count", &labels(""), |scrape| Some(number(scrape * 100))));
        all.push(series("http_request_duration_seconds_sum", &labels(""), move |scrape| {
            Some(number(scrape * slow) * 12.5)
        }));
    }
    let buckets = |metric: &'static str, buckets: &[(&'static str, f64)]| -> Vec<Series> {
        buckets.iter().map(|&(le, count)| series(metric, &[("le", le)], move |_| Some(count))).collect()
    };
    all.extend(buckets("odd_bucket", &[("1", 2.0), ("1.0", 3.0), ("text", 9.0), ("2", 8.0), ("+Inf", 10.0)]));
    all.extend(buckets("no_inf_bucket", &[("1", 2.0), ("2", 5.0)]));
    all.extend(buckets("negative_bucket", &[("-1", 4.0), ("0", 6.0), ("+Inf", 10.0)]));
    all.extend(buckets("torn_bucket", &[("1", 5.0), ("2", 4.0), ("4", 9.0), ("+Inf", 8.0)]));
    all.extend(buckets("empty_bucket", &[("1", 0.0), ("+Inf", 0.0)]));
    all
}

/// Metrics that say what is there.
fn facts() -> Vec<Series> {
    let mut facts = Vec::new();
    for (pod, version) in [("web-1", "v1"), ("web-2", "v1"), ("web-3", "v2")] {
        let alive = move |scrape: i64| Some(if pod == "web-2" && scrape % 30 > 25 { 0.0 } else { 1.0 });
        facts.push(series("up", &[("job", "web"), ("pod", pod)], alive));
        facts.push(series("also_up", &[("job", "web"), ("pod", pod)], alive));
        facts.push(series("pods_info", &[("pod", pod), ("version", version)], |_| Some(1.0)));
        for condition in ["true", "false"] {
            let labels = [("namespace", "shop"), ("pod", pod), ("condition", condition)];
            facts.push(series("kube_pod_status_ready", &labels, move |scrape| {
                Some(if (alive(scrape) == Some(1.0)) == (condition == "true") { 1.0 } else { 0.0 })
            }));
        }
    }
    facts.push(series("up", &[("job", "kube")], |_| Some(1.0)));
    facts
}
