//! Moments and spans as the model uses them: additions that saturate instead of panicking, and the wire form.

use jiff::{SignedDuration, Timestamp};

pub(super) const NO_TIME: SignedDuration = SignedDuration::ZERO;

/// `t + d`, at the end of time instead of beyond it: spans come from user input and may be absurd.
pub(super) fn later(t: Timestamp, d: SignedDuration) -> Timestamp {
    t.checked_add(d).unwrap_or(Timestamp::MAX)
}

/// How long after `start` the moment `t` is, never negative.
pub(super) fn since(start: Timestamp, t: Timestamp) -> SignedDuration {
    t.duration_since(start).max(NO_TIME)
}

pub(super) fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n.max(0))
}

/// The form in which Kubernetes stores a `Time`: whole seconds, UTC.
pub(super) fn stamp(t: Timestamp) -> String {
    Timestamp::from_second(t.as_second()).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

pub(super) fn parse_stamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_whole_seconds_and_round_trip() {
        let t: Timestamp = "2026-05-04T03:02:01.987Z".parse().unwrap();
        assert_eq!(stamp(t), "2026-05-04T03:02:01Z");
        assert_eq!(stamp(parse_stamp(&stamp(t)).unwrap()), stamp(t));
    }

    #[test]
    fn absurd_spans_end_at_the_end_of_time() {
        assert_eq!(later(Timestamp::UNIX_EPOCH, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(seconds(-5), NO_TIME);
    }
}
