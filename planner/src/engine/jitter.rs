//! Small differences in time, drawn from a seed, so that many waiting parties don't all come at once.

use std::time::Duration;

/// A seeded generator (splitmix64, public domain): the same seed gives the same spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jitter {
    state: u64,
}

impl Jitter {
    /// A generator for one seed.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A span from `least` up to (not including) `least + spread`.
    pub fn between(&mut self, least: Duration, spread: Duration) -> Duration {
        let nanos = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
        let wide = u128::from(self.next()) * u128::from(nanos);
        let drawn = u64::try_from(wide >> 64).unwrap_or(0);
        least.saturating_add(Duration::from_nanos(drawn))
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_in_their_bounds_and_differ() {
        let mut jitter = Jitter::seeded(3);
        let (least, spread) = (Duration::from_millis(100), Duration::from_millis(50));
        let drawn: Vec<Duration> = (0..100).map(|_| jitter.between(least, spread)).collect();
        assert!(drawn.iter().all(|span| *span >= least && *span < least + spread), "{drawn:?}");
        assert!(drawn.iter().any(|span| *span < least + spread / 4));
        assert!(drawn.iter().any(|span| *span > least + spread * 3 / 4));
    }

    #[test]
    fn the_same_seed_gives_the_same_spans() {
        let draw = |seed| Jitter::seeded(seed).between(Duration::ZERO, Duration::from_secs(1));
        assert_eq!(draw(9), draw(9));
        assert_ne!(draw(9), draw(10));
    }

    #[test]
    fn without_spread_there_is_no_chance() {
        assert_eq!(Jitter::seeded(1).between(Duration::from_secs(2), Duration::ZERO), Duration::from_secs(2));
    }
}
