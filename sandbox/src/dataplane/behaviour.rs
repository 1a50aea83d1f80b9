//! How a pod answers: which part of its answers are errors, and how long they take.

use serde_json::Value;

use crate::kubelet;

/// Upper bounds of the latency buckets, in milliseconds; slower answers fall into one more.
pub const BUCKETS_MS: [f64; 16] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 75.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];

/// How one pod answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// From 0 to 1.
    pub error_rate: f64,
    /// How long answers take.
    pub latency: Latency,
}

/// A distribution given by quantiles, log-normal between and beyond them.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// How many standard deviations off the middle, and the logarithm of the time there in milliseconds.
    quantiles: Vec<(f64, f64)>,
}

impl Default for Behaviour {
    /// A healthy service.
    fn default() -> Self {
        Self { error_rate: 0.0, latency: Latency::of([(50, 20.0), (99, 80.0)]) }
    }
}

impl Latency {
    /// From percentiles (1 to 99) and times in milliseconds, both ascending.
    #[must_use]
    pub fn of(percentiles: impl IntoIterator<Item = (u8, f64)>) -> Self {
        let quantiles = percentiles
            .into_iter()
            .map(|(percentile, ms)| (deviations(f64::from(percentile) / 100.0), ms.max(0.001).ln()))
            .collect();
        Self { quantiles }
    }

    /// The part of the answers that falls into each bucket, the last one for the slowest.
    #[must_use]
    pub fn bucket_shares(&self) -> [f64; BUCKETS_MS.len() + 1] {
        let mut shares = [0.0; BUCKETS_MS.len() + 1];
        let mut below = 0.0;
        for (share, bound) in shares.iter_mut().zip(BUCKETS_MS) {
            let up_to = self.part_within(bound).max(below);
            *share = up_to - below;
            below = up_to;
        }
        shares[BUCKETS_MS.len()] = 1.0 - below;
        shares
    }

    fn part_within(&self, bound_ms: f64) -> f64 {
        let bound = bound_ms.ln();
        let (before, after) = match self.quantiles.as_slice() {
            [] => return 1.0,
            [(_, only)] => return if bound >= *only { 1.0 } else { 0.0 },
            several => {
                let behind = several.iter().position(|(_, ms)| *ms > bound).unwrap_or(several.len());
                let second = behind.clamp(1, several.len() - 1);
                (several[second - 1], several[second])
            }
        };
        let slope = (after.1 - before.1) / (after.0 - before.0);
        if slope <= 0.0 {
            return if bound >= after.1 { 1.0 } else { 0.0 };
        }
        normal_cdf(before.0 + (bound - before.1) / slope)
    }
}

/// The inverse of [`normal_cdf`], by halving: 60 halvings reach every bit that matters.
fn deviations(part: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if normal_cdf(middle) < part {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Abramowitz and Stegun 26.2.17: within 7.5e-8, the same on every machine.
fn normal_cdf(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let polynomial =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if z < 0.0 { tail } else { 1.0 - tail }
}

impl Behaviour {
    /// As the pod's annotations script it; what they leave out is healthy.
    pub(super) fn of(pod: &Value) -> Self {
        let annotations = pod["metadata"]["annotations"].as_object();
        let texts = annotations.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        // Mistakes in annotations are the kubelet's to tell, as events on the pod.
        let (scripted, _mistakes) = kubelet::Behaviour::from_annotations(texts);
        let healthy = Self::default();
        Self {
            error_rate: scripted.error_rate.map_or(healthy.error_rate, kubelet::ErrorRate::share),
            latency: scripted.latency.map_or(healthy.latency, |latency| {
                Latency::of(latency.percentiles().map(|(percentile, time)| (percentile, time.as_secs_f64() * 1_000.0)))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_are_where_they_were_said_to_be() {
        let latency = Latency::of([(50, 100.0), (99, 800.0)]);
        assert!((latency.part_within(100.0) - 0.5).abs() < 1e-6);
        assert!((latency.part_within(800.0) - 0.99).abs() < 1e-6);
        assert!((latency.bucket_shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(latency.bucket_shares().iter().all(|share| *share >= 0.0));
    }

    #[test]
    fn three_quantiles_bend_the_distribution() {
        let latency = Latency::of([(50, 10.0), (90, 20.0), (99, 1_000.0)]);
        for (bound, part) in [(10.0, 0.5), (20.0, 0.9), (1_000.0, 0.99)] {
            assert!((latency.part_within(bound) - part).abs() < 1e-6, "{bound} ms");
        }
    }

    #[test]
    fn equal_quantiles_mean_always_the_same_latency() {
        let shares = Latency::of([(50, 20.0), (99, 20.0)]).bucket_shares();
        assert_eq!(shares.iter().position(|share| *share == 1.0), Some(4));
    }
}
