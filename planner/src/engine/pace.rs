//! When a request may be sent, so that the API server sees no more than so many a second.

use std::time::Duration;

use super::Moment;

/// A limit on requests: `burst` at once, and after that one each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
    burst: u32,
    /// When the bucket is full again.
    full_at: Moment,
}

impl Pace {
    /// So many requests a second, and so many at once after a quiet time. Zero a second means no limit.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let interval = Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::ZERO);
        Self { interval, burst: burst.max(1), full_at: Moment::ZERO }
    }

    /// Takes the next place in line: the request may be sent then (now, if that is in the past).
    pub fn next(&mut self, now: Moment) -> Moment {
        let full_at = self.full_at.max(now);
        let at = full_at.saturating_sub(self.interval.saturating_mul(self.burst - 1)).max(now);
        self.full_at = full_at.saturating_add(self.interval);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Moment {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_pace() {
        let mut pace = Pace::new(10.0, 3);
        let sent: Vec<Moment> = (0..5).map(|_| pace.next(ms(1_000))).collect();
        assert_eq!(sent, [ms(1_000), ms(1_000), ms(1_000), ms(1_100), ms(1_200)]);
        // After a quiet time the whole burst is there again.
        let sent: Vec<Moment> = (0..4).map(|_| pace.next(ms(9_000))).collect();
        assert_eq!(sent, [ms(9_000), ms(9_000), ms(9_000), ms(9_100)]);
    }

    #[test]
    fn zero_a_second_is_no_limit() {
        let mut pace = Pace::new(0.0, 1);
        for _ in 0..1_000 {
            assert_eq!(pace.next(ms(5)), ms(5));
        }
    }
}
