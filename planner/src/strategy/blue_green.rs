//! Blue-green: the new revision stands complete beside the old one, and a Service's selector moves all traffic at
//! once.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::rollout::BlueGreenStrategy;
use sluice_crds::unit::KeepPods;

use super::{ALL, Target};
use crate::observe::Release;
use crate::snapshot::ReplicaSet;

/// What is wanted now.
pub(crate) fn target(release: &Release<'_>, blue_green: &BlueGreenStrategy) -> Target {
    let replicas = release.replicas;
    let Some(new) = release.new else { return Target { new: 0, stable: replicas, weight: 0, total: ALL } };
    let weight = if release.other_stable().is_none() || is_active(release, new) { ALL } else { 0 };
    let pods = if release.other_stable().is_none() || is_active(release, new) {
        replicas
    } else if release.facts.aborted_at.is_some() {
        after_abort(release, blue_green, new)
    } else {
        preview_pods(release, blue_green)
    };
    Target { new: pods, stable: replicas, weight, total: ALL }
}

/// Pods of the new revision before it is active.
pub(crate) fn preview_pods(release: &Release<'_>, blue_green: &BlueGreenStrategy) -> i32 {
    let goes_to_full_size = release.stable.is_none() || release.facts.promote_full || release.facts.past_preview;
    match blue_green.preview_replica_count {
        Some(pods) if !goes_to_full_size && release.replicas > 0 => pods.max(0),
        _ => release.replicas,
    }
}

/// An aborted revision keeps its pods for a while, so that people can look at what was wrong.
fn after_abort(release: &Release<'_>, blue_green: &BlueGreenStrategy, new: &ReplicaSet) -> i32 {
    let keeps = match blue_green.abort_scale_down_delay() {
        KeepPods::No => false,
        KeepPods::ForGood => true,
        KeepPods::Seconds(_) => new.scale_down_deadline.is_none_or(|deadline| deadline > release.now),
    };
    if keeps { new.wanted.min(release.replicas) } else { 0 }
}

/// Revisions that carry the traffic keep it; one that was stable until just now keeps its pods, so that going
/// back is instant; all others go.
pub(crate) fn pods_of_other(release: &Release<'_>, blue_green: &BlueGreenStrategy, other: &ReplicaSet) -> i32 {
    if is_active(release, other) {
        return release.replicas;
    }
    let limit = blue_green.scale_down_delay_revision_limit.and_then(|limit| usize::try_from(limit).ok());
    let kept = release.others.iter().filter(|set| is_kept(release, blue_green, set));
    let mut kept = kept.take(limit.unwrap_or(usize::MAX));
    if kept.any(|set| set.meta.uid == other.meta.uid) { other.wanted.min(release.replicas) } else { 0 }
}

fn is_kept(release: &Release<'_>, blue_green: &BlueGreenStrategy, other: &ReplicaSet) -> bool {
    let waits = other.scale_down_deadline.is_some_and(|deadline| deadline > release.now);
    let for_good = blue_green.scale_down_delay() == KeepPods::ForGood && release.is_fully_promoted();
    other.wanted > 0 && (waits || for_good)
}

/// Whether the active Service selects this revision.
pub(crate) fn is_active(release: &Release<'_>, set: &ReplicaSet) -> bool {
    release.services.active.is_some_and(|service| service.hash() == Some(set.hash()))
}

/// When pods may go that are kept for a while from now on.
pub(crate) fn deadline(keep: KeepPods, now: Timestamp) -> Option<Timestamp> {
    match keep {
        KeepPods::Seconds(seconds) => now.checked_add(SignedDuration::from_secs(i64::from(seconds.max(0)))).ok(),
        KeepPods::No | KeepPods::ForGood => None,
    }
}
