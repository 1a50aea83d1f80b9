//! Where the shell learns what time it is; everything below it is handed the time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sluice_planner::engine::Moment;
use tokio::time::Instant;

/// The two times that a program needs: one that only goes forward, and the one that is written into objects.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// The time of day at the start, where a test decides it; `None` for the machine's own.
    at_start: Option<Timestamp>,
    /// So many seconds go by in one of the runtime's.
    times: u32,
}

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self { started: Instant::now(), at_start: None, times: 1 }
    }

    /// Begins at a given instant and follows the runtime, which may be a paused one.
    pub fn following_runtime(at_start: Timestamp) -> Self {
        Self { started: Instant::now(), at_start: Some(at_start), times: 1 }
    }

    /// Begins at a given instant and goes so many times as fast as the runtime, for a cluster whose time does so too.
    #[must_use]
    pub fn faster(at_start: Timestamp, times: u32) -> Self {
        Self { times: times.max(1), ..Self::following_runtime(at_start) }
    }

    /// Time since the start.
    pub fn moment(&self) -> Moment {
        self.started.elapsed().saturating_mul(self.times)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        let Some(at_start) = self.at_start else { return Timestamp::now() };
        let passed = SignedDuration::try_from(self.moment()).unwrap_or(SignedDuration::MAX);
        at_start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The runtime's instant of a moment. One that is too far away to be told is a year ahead.
    pub fn instant(&self, at: Moment) -> Instant {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);
        // Rounded up: who wakes a moment too early finds nothing due, and asks again at once.
        let at = at / self.times + Duration::from_nanos(u64::from(self.times > 1));
        self.started.checked_add(at).unwrap_or_else(|| Instant::now() + YEAR)
    }

    /// Waits until then; not at all where it has come, while a timer would still end with the next millisecond.
    pub async fn reach(&self, at: Moment) {
        if at > self.moment() {
            tokio::time::sleep_until(self.instant(at)).await;
        }
    }

    /// When the time of day will be `at`; now, for one that has passed.
    pub fn moment_of(&self, at: Timestamp) -> Moment {
        let ahead = Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO);
        self.moment().saturating_add(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_faster_clock_is_at_its_moments_when_they_come() {
        let clock = Clock::faster("2026-01-01T00:00:00Z".parse().expect("a time"), 10);
        tokio::time::sleep_until(clock.instant(Duration::from_secs(60))).await;
        assert!(clock.moment() >= Duration::from_secs(60) && clock.moment() < Duration::from_secs(61));
        assert_eq!(clock.now().strftime("%H:%M").to_string(), "00:01");
    }
}
