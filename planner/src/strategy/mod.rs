//! What a strategy wants at a step. It moves nothing itself: that is `transition`'s.

pub(crate) mod blue_green;
pub(crate) mod canary;

use crate::observe::{Release, Strategy};
use crate::snapshot::ReplicaSet;

/// The weight that means all traffic.
pub(crate) const ALL: i32 = 100;

/// What is wanted at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Pods of the new revision.
    pub(crate) new: i32,
    /// Pods of the stable revision, where that is another one.
    pub(crate) stable: i32,
    /// Share of the new revision, of 100.
    pub(crate) weight: i32,
}

impl Target {
    /// Whether the new revision is to serve alone.
    pub(crate) fn is_all(self) -> bool {
        self.weight == ALL
    }
}

/// What is wanted now of the new and the stable revision.
pub(crate) fn target(release: &Release<'_>) -> Target {
    if release.has_no_way_back() {
        let there = release.new.map_or(0, |new| new.wanted.min(release.replicas));
        return Target { new: there, stable: 0, weight: ALL };
    }
    match release.strategy {
        Strategy::Canary(_) => canary::target(release),
        Strategy::BlueGreen(blue_green) => blue_green::target(release, blue_green),
    }
}

/// Pods wanted of a revision that is neither new nor stable.
pub(crate) fn pods_of_other(release: &Release<'_>, other: &ReplicaSet) -> i32 {
    match release.strategy {
        Strategy::Canary(_) => 0,
        Strategy::BlueGreen(blue_green) => blue_green::pods_of_other(release, blue_green, other),
    }
}
