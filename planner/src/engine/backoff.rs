//! How long to wait after the n-th failure in a row.

use std::time::Duration;

use super::Jitter;

/// Doubling delays between two bounds. Half of each delay is fixed, so that it grows, and half is drawn, so that
/// objects that failed together don't come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub first: Duration,
    /// No delay is longer.
    pub longest: Duration,
}

impl Backoff {
    /// For one object's passes: a conflict is retried at once, as people see it, and an API server that is down
    /// is asked by each object about once a minute.
    pub const PASS: Self = Self { first: Duration::from_millis(5), longest: Duration::from_secs(60) };

    /// For a watch that broke: there are few of them, and until all are back nothing is released well.
    pub const WATCH: Self = Self { first: Duration::from_millis(200), longest: Duration::from_secs(10) };

    /// The delay after so many failures in a row (the first is 1).
    pub fn delay(&self, failures: u32, jitter: &mut Jitter) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        jitter.between(whole / 2, whole / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_secs(1) };
        let mut jitter = Jitter::seeded(1);
        // (failures, the shortest and the longest delay in milliseconds)
        for (failures, least, most) in
            [(0, 5, 10), (1, 5, 10), (2, 10, 20), (3, 20, 40), (7, 320, 640), (8, 500, 1_000), (1_000, 500, 1_000)]
        {
            for _ in 0..20 {
                let delay = backoff.delay(failures, &mut jitter);
                let bounds = Duration::from_millis(least)..=Duration::from_millis(most);
                assert!(bounds.contains(&delay), "{delay:?} after {failures} failures");
            }
        }
    }
}
