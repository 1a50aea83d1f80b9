//! Quantiles of histograms whose buckets are counters with the label `le`.

use std::collections::BTreeMap;

use super::value::Sample;
use crate::metrics::labels::Labels;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// The quantile of each histogram; series without a readable `le` are none.
pub(super) fn quantiles(part: f64, samples: Vec<Sample>) -> Vec<Sample> {
    let mut histograms: BTreeMap<Labels, Vec<Bucket>> = BTreeMap::new();
    for Sample { mut labels, value } in samples {
        let Some(upper) = bound(labels.get("le")) else { continue };
        labels.set("le", "");
        histograms.entry(labels.without_name()).or_default().push(Bucket { upper, count: value });
    }
    histograms.into_iter().map(|(labels, buckets)| Sample { labels, value: quantile(part, buckets) }).collect()
}

/// Rust reads what Go reads here, but for the digits' underscores.
fn bound(le: &str) -> Option<f64> {
    le.parse().ok()
}

fn quantile(part: f64, mut buckets: Vec<Bucket>) -> f64 {
    if part.is_nan() {
        return f64::NAN;
    }
    if part < 0.0 {
        return f64::NEG_INFINITY;
    }
    if part > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return f64::NAN;
    }
    let buckets = never_falling(merged(buckets));
    let [below @ .., last] = buckets.as_slice() else { return f64::NAN };
    let Some(highest) = below.last() else { return f64::NAN };
    if last.count == 0.0 {
        return f64::NAN;
    }
    let mut rank = part * last.count;
    let index = below.partition_point(|bucket| !at_least(bucket.count, rank));
    let Some(bucket) = below.get(index) else { return highest.upper };
    if index == 0 && bucket.upper <= 0.0 {
        return bucket.upper;
    }
    let (mut start, mut count) = (0.0, bucket.count);
    if let Some(before) = index.checked_sub(1).and_then(|before| below.get(before)) {
        start = before.upper;
        count -= before.count;
        rank -= before.count;
    }
    start + (bucket.upper - start) * (rank / count)
}

fn at_least(count: f64, rank: f64) -> bool {
    count >= rank
}

/// Buckets that differ in how their bound is written are one.
fn merged(buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut merged: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match merged.last_mut() {
            Some(last) if last.upper == bucket.upper => last.count += bucket.count,
            _ => merged.push(bucket),
        }
    }
    merged
}

/// Scrapes are not atomic: a bucket can't hold less than a smaller one, whatever was read.
fn never_falling(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut most = f64::NEG_INFINITY;
    for bucket in &mut buckets {
        if bucket.count > most {
            most = bucket.count;
        } else if bucket.count < most {
            bucket.count = most;
        }
    }
    buckets
}
