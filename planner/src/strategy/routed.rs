//! Canary with traffic routing: routers divide the traffic, and each revision has the pods that its share needs.

use sluice_crds::rollout::step::SetCanaryScale;
use sluice_crds::rollout::{CanaryStrategy, StepKind};
use sluice_crds::unit::KeepPods;

use super::Target;
use super::canary::weight_at;
use crate::observe::{Release, Strategy};
use crate::snapshot::ReplicaSet;
use crate::traffic::{Side, Traffic};

/// What is wanted at this step of the list; behind its end the new revision is wanted alone.
pub(crate) fn target_at(release: &Release<'_>, traffic: &Traffic<'_>, step: usize) -> Target {
    let total = traffic.total();
    let Strategy::Canary(canary) = release.strategy else { return Target { new: 0, stable: 0, weight: 0, total } };
    let replicas = release.replicas;
    let Some(stable) = release.other_stable() else {
        return Target { new: replicas, stable: 0, weight: total, total };
    };
    let facts = &release.facts;
    if facts.aborted_at.is_some() {
        let new = release.new.map_or(0, |new| after_abort(release, canary, new));
        return Target { new, stable: replicas, weight: 0, total };
    }
    let is_over = facts.promote_full || step >= release.steps().len();
    let weight = if is_over { total } else { weight_at(release.steps(), step, total).clamp(0, total) };
    let new = if is_over { replicas } else { pods_of_new(release, canary, step, weight, total) };
    // While the canary destination leads to neither of the two, all of its traffic has to come back first.
    let leads_elsewhere = traffic.weights().1 > 0
        && !release.new.into_iter().chain([stable]).any(|set| traffic.leads_to(Side::Canary, set));
    let stable = if canary.dynamic_stable_scale() && !leads_elsewhere {
        at_least(canary, pods_for(replicas, total - weight, total), replicas)
    } else {
        replicas
    };
    Target { new, stable, weight, total }
}

/// So many of all pods have this share of the traffic, rounded up.
pub(crate) fn pods_for(replicas: i32, share: i32, total: i32) -> i32 {
    let (replicas, share, total) = (i64::from(replicas.max(0)), i64::from(share.max(0)), i64::from(total.max(1)));
    let up = if sabotaged!(RoundsDown) { 0 } else { total - 1 };
    i32::try_from((replicas * share + up) / total).unwrap_or(i32::MAX)
}

/// A revision that has pods at all has the least that the user asks for.
fn at_least(canary: &CanaryStrategy, pods: i32, replicas: i32) -> i32 {
    if pods == 0 { 0 } else { pods.max(canary.min_pods_per_replica_set().min(replicas)) }
}

/// Pods of the new revision: as many as `setCanaryScale` says, else as many as its weight needs.
fn pods_of_new(release: &Release<'_>, canary: &CanaryStrategy, step: usize, weight: i32, total: i32) -> i32 {
    let replicas = release.replicas;
    let so_far = release.steps().get(..=step).unwrap_or_default();
    let scale = |step: &sluice_crds::rollout::CanaryStep| match step.kind() {
        Some(StepKind::SetCanaryScale(scale)) => Some(scale.clone()),
        _ => None,
    };
    let scale = so_far.iter().rev().find_map(scale);
    let pods = match scale {
        Some(SetCanaryScale { replicas: Some(pods), .. }) => return pods.max(0),
        Some(SetCanaryScale { weight: Some(percent), .. }) => pods_for(replicas, percent, 100),
        _ => pods_for(replicas, weight, total),
    };
    // A route of its own, or a size that was asked for before, is not left without a pod on the way.
    let stands_already = so_far.iter().any(|step| {
        matches!(
            step.kind(),
            Some(
                StepKind::SetHeaderRoute(_)
                    | StepKind::SetMirrorRoute(_)
                    | StepKind::SetCanaryScale(SetCanaryScale { match_traffic_weight: Some(true), .. })
            )
        )
    });
    let pods = if stands_already { pods.max(1) } else { pods };
    at_least(canary, pods, replicas).min(replicas.max(pods))
}

/// An aborted revision keeps its pods for a while, so that people can look at what was wrong.
fn after_abort(release: &Release<'_>, canary: &CanaryStrategy, new: &ReplicaSet) -> i32 {
    let keeps = match canary.abort_scale_down_delay() {
        KeepPods::No => false,
        KeepPods::ForGood => true,
        KeepPods::Seconds(_) => new.scale_down_deadline.is_none_or(|deadline| deadline > release.now),
    };
    if keeps { new.wanted.min(release.replicas) } else { 0 }
}

/// A revision that was stable until just now keeps its pods for a while, so that going back is instant; all others
/// go.
pub(crate) fn pods_of_other(release: &Release<'_>, canary: &CanaryStrategy, other: &ReplicaSet) -> i32 {
    let limit = canary.scale_down_delay_revision_limit.and_then(|limit| usize::try_from(limit).ok());
    let kept = release.others.iter().filter(|set| is_kept(release, canary, set));
    let mut kept = kept.take(limit.unwrap_or(usize::MAX));
    if kept.any(|set| set.meta.uid == other.meta.uid) { other.wanted.min(release.replicas) } else { 0 }
}

fn is_kept(release: &Release<'_>, canary: &CanaryStrategy, other: &ReplicaSet) -> bool {
    let waits = other.scale_down_deadline.is_some_and(|deadline| deadline > release.now);
    let for_good = canary.scale_down_delay() == KeepPods::ForGood && release.is_fully_promoted();
    other.wanted > 0 && (waits || for_good)
}
