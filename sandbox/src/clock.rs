//! Time as the sandbox knows it: a value that is handed in, never read.

use jiff::{SignedDuration, Timestamp};

/// A clock that moves only when it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualClock {
    now: Timestamp,
}

impl VirtualClock {
    /// Starts at a given instant.
    pub fn starting_at(now: Timestamp) -> Self {
        Self { now }
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves forward by `by`; a negative span moves nothing, because clusters don't go back in time.
    pub fn advance(&mut self, by: SignedDuration) {
        if by > SignedDuration::ZERO {
            self.now = self.now.checked_add(by).unwrap_or(Timestamp::MAX);
        }
    }

    /// Moves forward to `instant`; an instant in the past moves nothing.
    pub fn advance_to(&mut self, instant: Timestamp) {
        self.now = self.now.max(instant);
    }
}

impl Default for VirtualClock {
    /// The first second of 2026: recent enough for certificates and readable in output.
    fn default() -> Self {
        Self::starting_at(Timestamp::constant(1_767_225_600, 0))
    }
}

/// How the API server writes an instant: whole seconds, UTC.
pub fn rfc3339_seconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads an instant as the API server writes it.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_forward_only() {
        let mut clock = VirtualClock::default();
        clock.advance(SignedDuration::from_secs(90));
        clock.advance(SignedDuration::from_secs(-30));
        assert_eq!(rfc3339_seconds(clock.now()), "2026-01-01T00:01:30Z");
        clock.advance_to(Timestamp::UNIX_EPOCH);
        assert_eq!(rfc3339_seconds(clock.now()), "2026-01-01T00:01:30Z");
    }

    #[test]
    fn fractions_of_a_second_are_not_shown() {
        let instant = Timestamp::constant(0, 999_000_000);
        assert_eq!(rfc3339_seconds(instant), "1970-01-01T00:00:00Z");
    }
}
