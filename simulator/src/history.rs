//! When the cluster reached which revision, so that a watch that is late shows what was there then.

use jiff::{SignedDuration, Timestamp};
use sluice_planner::engine::Moment;

/// Revisions by the time at which they were reached.
#[derive(Default)]
pub(crate) struct History(Vec<(Timestamp, u64)>);

impl History {
    /// The cluster is at this revision now.
    pub(crate) fn note(&mut self, now: Timestamp, revision: u64) {
        match self.0.last_mut() {
            Some((_, last)) if *last == revision => {}
            Some((at, last)) if *at == now => *last = revision,
            _ => self.0.push((now, revision)),
        }
    }

    /// The revision that somebody sees who is so late.
    pub(crate) fn revision_at(&self, now: Timestamp, late_ms: i64) -> u64 {
        let then = now - SignedDuration::from_millis(late_ms);
        let reached = self.0.partition_point(|(at, _)| *at <= then);
        reached.checked_sub(1).map_or(0, |last| self.0[last].1)
    }

    /// When somebody who is so late sees this revision.
    pub(crate) fn next_at(&self, revision: u64, late_ms: i64) -> Option<Timestamp> {
        let first = self.0.partition_point(|(_, reached)| *reached < revision);
        self.0.get(first).map(|(at, _)| *at + SignedDuration::from_millis(late_ms))
    }
}

/// The span since the beginning.
pub(crate) fn moment(start: Timestamp, at: Timestamp) -> Moment {
    Moment::try_from(at.duration_since(start)).unwrap_or_default()
}
