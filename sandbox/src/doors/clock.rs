//! Where the doors take the time from.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::clock::VirtualClock;

/// The time that a door hands to the API server.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// Moves only when it is told to.
    Virtual(VirtualClock),
    /// Follows the runtime: real time in a program, the paused and advancing time of a test.
    Runtime {
        at_start: Timestamp,
        started: Instant,
        /// So many seconds go by in one of the runtime's.
        times: u32,
    },
}

impl Clock {
    /// Begins at a given instant and follows the runtime from there.
    pub fn following_runtime(at_start: Timestamp) -> Self {
        Self::Runtime { at_start, started: Instant::now(), times: 1 }
    }

    /// The same clock, going so many times as fast. One that only a hand moves is left alone.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        match self {
            Self::Virtual(_) => self,
            Self::Runtime { at_start, started, .. } => Self::Runtime { at_start, started, times: times.max(1) },
        }
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "the one place where a door that people use learns what time it is")]
    pub fn wall() -> Self {
        Self::following_runtime(Timestamp::now())
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Virtual(clock) => clock.now(),
            Self::Runtime { at_start, started, times } => {
                let passed = started.elapsed().saturating_mul(*times);
                let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
                at_start.checked_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// When the runtime will reach an instant; `None` where only a hand moves the clock.
    pub(super) fn runtime_instant(&self, at: Timestamp) -> Option<Instant> {
        match self {
            Self::Virtual(_) => None,
            Self::Runtime { at_start, started, times } => {
                let ahead = std::time::Duration::try_from(at.duration_since(*at_start)).unwrap_or_default();
                // Rounded up: who wakes a moment too early finds nothing due, and asks again at once.
                started.checked_add(ahead / *times + std::time::Duration::from_nanos(u64::from(*times > 1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_faster_clock_is_there_when_the_runtime_says_so() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock = Clock::following_runtime(start).faster(10);
        let wanted = start + SignedDuration::from_secs(61);
        tokio::time::sleep_until(clock.runtime_instant(wanted).expect("it follows the runtime")).await;
        assert!(clock.now() >= wanted && clock.now() < wanted + SignedDuration::from_secs(1));
    }
}
