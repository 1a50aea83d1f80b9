//! The stable and the canary Service of a canary without traffic routing.

use crate::names::MANAGED_BY;
use crate::observe::Release;
use crate::snapshot::{ReplicaSet, Service};
use crate::strategy::Target;

/// Each Service that may move now, and where to.
pub(super) fn moves<'a>(release: &Release<'a>, target: Target) -> Vec<(&'a Service, &'a ReplicaSet)> {
    let stable =
        release.services.stable.and_then(|service| Some((service, stable_revision(release, service, target)?)));
    let canary =
        release.services.canary.and_then(|service| Some((service, canary_revision(release, service, target)?)));
    let moves = [stable, canary].into_iter().flatten();
    moves.filter(|(service, set)| has_pods_for(service, set)).collect()
}

/// The stable Service follows the stable revision; before there is one, the first. Where all traffic is to go to
/// the new revision it moves as soon as enough pods are available there, so that it is never left without any. Once
/// there it stays as long as enough are ready, or as many as stable could offer.
fn stable_revision<'a>(release: &Release<'a>, service: &Service, target: Target) -> Option<&'a ReplicaSet> {
    let Some(stable) = release.other_stable() else { return release.new };
    let enough = release.budgets.least_available(release.replicas).max(1);
    let serves = |new: &&ReplicaSet| {
        let is_there = service.hash() == Some(new.hash());
        let stays = is_there && new.ready.min(new.wanted) >= enough.min(stable.available_to_stay().max(1));
        target.is_all() && (stays || new.available_to_stay() >= enough)
    };
    Some(release.new.filter(serves).unwrap_or(stable))
}

/// The canary Service follows the new revision, and goes back to stable when the release is aborted, or at a step
/// that leaves the new revision without pods. While the new revision has no pods, a revision that is neither of them
/// is left for stable, so that it can go.
fn canary_revision<'a>(release: &Release<'a>, service: &Service, target: Target) -> Option<&'a ReplicaSet> {
    let Some(stable) = release.other_stable() else { return release.new };
    let points_at = |set: &ReplicaSet| service.hash() == Some(set.hash());
    if release.facts.aborted_at.is_some() || (target.new == 0 && release.new.is_some_and(points_at)) {
        return Some(stable);
    }
    let new_serves = release.new.filter(|new| target.new > 0 && new.available_to_stay() > 0);
    let points_at_another = release.others.iter().any(|other| points_at(other));
    new_serves.or_else(|| points_at_another.then_some(stable))
}

/// A Service that others looked after until now carries traffic, so it moves only to a complete revision.
pub(super) fn has_pods_for(service: &Service, set: &ReplicaSet) -> bool {
    let available = set.available_to_stay();
    let is_ours = service.meta.annotations.contains_key(MANAGED_BY);
    sabotaged!(LeadsToNoPods) || available > 0 && (is_ours || available >= set.wanted)
}
