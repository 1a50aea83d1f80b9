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
    Runtime { at_start: Timestamp, started: Instant },
}

impl Clock {
    /// Begins at a given instant and follows the runtime from there.
    pub fn following_runtime(at_start: Timestamp) -> Self {
        Self::Runtime { at_start, started: Instant::now() }
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
            Self::Runtime { at_start, started } => {
                let passed = SignedDuration::try_from(started.elapsed()).unwrap_or(SignedDuration::MAX);
                at_start.checked_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// When the runtime will reach an instant; `None` where only a hand moves the clock.
    pub(super) fn runtime_instant(&self, at: Timestamp) -> Option<Instant> {
        match self {
            Self::Virtual(_) => None,
            Self::Runtime { at_start, started } => {
                let ahead = std::time::Duration::try_from(at.duration_since(*at_start)).unwrap_or_default();
                started.checked_add(ahead)
            }
        }
    }
}
