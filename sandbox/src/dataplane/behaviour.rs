//! How a pod answers: which part of its answers are errors, and how long they take.

use serde_json::Value;

/// Upper bounds of the latency buckets, in milliseconds; slower answers fall into one more.
pub const BUCKETS_MS: [f64; 16] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 75.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];

/// The 99th percentile of a standard normal distribution.
const Z_99: f64 = 2.326_347_874;

/// How one pod answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behaviour {
    /// From 0 to 1.
    pub error_rate: f64,
    /// How long answers take.
    pub latency: Latency,
}

/// A log-normal distribution, given by two of its quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Half of the answers are at least this quick, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers are at least this quick, in milliseconds.
    pub p99_ms: f64,
}

impl Default for Behaviour {
    /// A healthy service.
    fn default() -> Self {
        Self { error_rate: 0.0, latency: Latency { p50_ms: 20.0, p99_ms: 80.0 } }
    }
}

impl Latency {
    /// The part of the answers that falls into each bucket, the last one for the slowest.
    #[must_use]
    pub fn bucket_shares(self) -> [f64; BUCKETS_MS.len() + 1] {
        let mut shares = [0.0; BUCKETS_MS.len() + 1];
        let mut below = 0.0;
        for (share, bound) in shares.iter_mut().zip(BUCKETS_MS) {
            let up_to = self.part_within(bound);
            *share = up_to - below;
            below = up_to;
        }
        shares[BUCKETS_MS.len()] = 1.0 - below;
        shares
    }

    fn part_within(self, bound_ms: f64) -> f64 {
        let spread = (self.p99_ms / self.p50_ms).ln() / Z_99;
        if spread <= 0.0 || !spread.is_finite() {
            return if bound_ms >= self.p50_ms { 1.0 } else { 0.0 };
        }
        normal_cdf((bound_ms / self.p50_ms).ln() / spread)
    }
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
    pub(super) fn of(_pod: &Value) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_are_where_they_were_said_to_be() {
        let latency = Latency { p50_ms: 100.0, p99_ms: 800.0 };
        assert!((latency.part_within(100.0) - 0.5).abs() < 1e-6);
        assert!((latency.part_within(800.0) - 0.99).abs() < 1e-6);
        assert!((latency.bucket_shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(latency.bucket_shares().iter().all(|share| *share >= 0.0));
    }

    #[test]
    fn equal_quantiles_mean_always_the_same_latency() {
        let shares = Latency { p50_ms: 20.0, p99_ms: 20.0 }.bucket_shares();
        assert_eq!(shares.iter().position(|share| *share == 1.0), Some(4));
    }
}
