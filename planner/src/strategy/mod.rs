//! What a strategy wants at a step. It moves nothing itself: that is `transition`'s.

pub(crate) mod blue_green;
pub(crate) mod canary;
pub(crate) mod routed;

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
    /// Share of the new revision.
    pub(crate) weight: i32,
    /// The share that means all traffic.
    pub(crate) total: i32,
}

impl Target {
    /// Whether the new revision is to serve alone.
    pub(crate) fn is_all(self) -> bool {
        self.weight == self.total
    }
}

/// What is wanted now of the new and the stable revision.
pub(crate) fn target(release: &Release<'_>) -> Target {
    if release.has_no_way_back() {
        let there = release.new.map_or(0, |new| new.wanted.min(release.replicas));
        return Target { new: there, stable: 0, weight: ALL, total: ALL };
    }
    match release.strategy {
        Strategy::Canary(_) => target_at(release, release.facts.step),
        Strategy::BlueGreen(blue_green) => blue_green::target(release, blue_green),
    }
}

/// What a canary wants at this step of its list; behind the end the new revision is wanted alone.
pub(crate) fn target_at(release: &Release<'_>, step: usize) -> Target {
    match &release.traffic {
        Some(traffic) => routed::target_at(release, traffic, step),
        None => canary::target_at(release, step),
    }
}

/// Pods wanted of a revision that is neither new nor stable.
pub(crate) fn pods_of_other(release: &Release<'_>, other: &ReplicaSet) -> i32 {
    match release.strategy {
        Strategy::Canary(canary) if release.traffic.is_some() => routed::pods_of_other(release, canary, other),
        Strategy::Canary(_) => 0,
        Strategy::BlueGreen(blue_green) => blue_green::pods_of_other(release, blue_green, other),
    }
}
