//! How much of the traffic the canary destination may have now. A share is raised when the pods that it needs are
//! available, and lowered as far as those of the stable revision can take it.

use super::{Side, Traffic};
use crate::advance::needed;
use crate::observe::{Release, Strategy};
use crate::snapshot::ReplicaSet;
use crate::strategy::routed::target_at;

/// The weight that all routers may be told now; `None` where nothing may be changed.
pub(super) fn goal(release: &Release<'_>, traffic: &Traffic<'_>) -> Option<i32> {
    let is_aborted = release.facts.aborted_at.is_some();
    // What goes back does so at all routers that can be told, whatever is wrong with another.
    let may_tell = traffic.is_known() || (is_aborted && traffic.shows_any());
    if !may_tell || release.has_no_way_back() {
        return None;
    }
    if !goes_forward(release, traffic) {
        return lowered(release, traffic, 0);
    }
    let goal = forward(release, traffic);
    // A person who holds the release holds its share too.
    let most = if release.rollout.spec.paused() { traffic.weights().1 } else { traffic.total() };
    goal.map(|goal| goal.min(most))
}

/// The share of the step, or as near to it as pods allow.
fn forward(release: &Release<'_>, traffic: &Traffic<'_>) -> Option<i32> {
    let (least, most) = traffic.weights();
    let step = release.facts.step;
    let wanted = target_at(release, traffic, step).weight;
    if most > wanted {
        let lowest = lowered(release, traffic, wanted)?;
        // A router that lags behind is not raised to what the pods can't bear.
        return if least < lowest && !bears(release, traffic, step) {
            lowered(release, traffic, least)
        } else {
            Some(lowest)
        };
    }
    if least == wanted || bears(release, traffic, step) {
        return Some(wanted);
    }
    // The pods of this step are not there yet; those of the steps before may be.
    let step_before = step.checked_sub(1);
    let before = step_before.map_or(0, |step| target_at(release, traffic, step).weight);
    let may_have = least < before && most <= before && step_before.is_some_and(|step| bears(release, traffic, step));
    if may_have { Some(before) } else { unchanged(traffic) }
}

/// Whether the new revision may have traffic of its own.
pub(super) fn goes_forward(release: &Release<'_>, traffic: &Traffic<'_>) -> bool {
    let serves = |new: &ReplicaSet| new.ready.min(new.wanted) > 0 && traffic.leads_to(Side::Canary, new);
    release.other_stable().is_some() && release.facts.aborted_at.is_none() && release.new.is_some_and(serves)
}

/// Whether the new revision has the pods that a step asks for its share.
pub(super) fn bears(release: &Release<'_>, traffic: &Traffic<'_>, step: usize) -> bool {
    let pods = target_at(release, traffic, step).new;
    let has = |new: &ReplicaSet| new.is_observed() && new.available_to_stay() >= needed(release, pods).max(1);
    sabotaged!(RaisesTooEarly) || release.new.is_some_and(has)
}

/// The weight that it has, where all routers have the same.
fn unchanged(traffic: &Traffic<'_>) -> Option<i32> {
    let (least, most) = traffic.weights();
    (least == most).then_some(most)
}

/// Down to this weight, or as near to it as the stable revision can bear.
fn lowered(release: &Release<'_>, traffic: &Traffic<'_>, to: i32) -> Option<i32> {
    let (_, most) = traffic.weights();
    if most <= to {
        return Some(to);
    }
    let stable = release.other_stable().or(release.new)?;
    if !traffic.leads_to(Side::Stable, stable) {
        return unchanged(traffic);
    }
    if traffic.leads_to(Side::Canary, stable) || release.replicas == 0 {
        return Some(to);
    }
    match least_to_keep(release, traffic, stable) {
        Some(least) => Some(to.max(least).min(most)),
        None => unchanged(traffic),
    }
}

/// What the canary destination has to keep, because the stable revision has too few pods for all; `None` where stable
/// has none at all.
///
/// Each stable pod takes its nominal part. If the canary's own pods are even fewer, all pods bear the same.
fn least_to_keep(release: &Release<'_>, traffic: &Traffic<'_>, stable: &ReplicaSet) -> Option<i32> {
    if sabotaged!(AbortsToNothing) {
        return Some(0);
    }
    let on_canary = i64::from(traffic.ready_behind(release, Side::Canary));
    let available = stable.available_to_stay();
    // Where nothing else serves, a pod that is ready is better than none.
    let has = if on_canary == 0 { available.max(stable.ready.min(stable.wanted)) } else { available };
    if has == 0 {
        return None;
    }
    let enough = if is_dynamic(release) { release.replicas } else { release.replicas - release.budgets.unavailable };
    if has >= enough {
        return Some(0);
    }
    let (total, has) = (i64::from(traffic.total()), i64::from(has));
    let by_pods = total - total * has / i64::from(release.replicas.max(1));
    let balanced = total * on_canary / (on_canary + has);
    i32::try_from(by_pods.min(balanced)).ok()
}

/// Whether the stable revision has no more pods than its share needs.
pub(crate) fn is_dynamic(release: &Release<'_>) -> bool {
    matches!(release.strategy, Strategy::Canary(canary) if canary.dynamic_stable_scale())
}
