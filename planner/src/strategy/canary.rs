//! Canary without traffic routing: the share of traffic is the share of pods.

use sluice_crds::rollout::{CanaryStep, StepKind};

use super::{ALL, Target};
use crate::observe::Release;

/// What is wanted at this step of the list; behind its end the new revision is wanted alone.
pub(crate) fn target_at(release: &Release<'_>, step: usize) -> Target {
    let facts = &release.facts;
    let weight = if release.other_stable().is_none() {
        ALL
    } else if facts.aborted_at.is_some() {
        0
    } else if facts.promote_full {
        ALL
    } else {
        weight_at(release.steps(), step, ALL)
    };
    let (new, stable) = pods(release.replicas, weight, release.budgets.surge > 0);
    Target { new, stable, weight, total: ALL }
}

/// The nearest `setWeight` at or before this step, of so many; all behind the last step.
pub(crate) fn weight_at(steps: &[CanaryStep], step: usize, total: i32) -> i32 {
    let Some(so_far) = steps.get(..=step) else { return total };
    let weight = |step: &CanaryStep| match step.kind() {
        Some(StepKind::SetWeight(weight)) => Some(weight),
        _ => None,
    };
    so_far.iter().rev().find_map(weight).unwrap_or(0)
}

/// How many pods of the new and the stable revision come nearest to a weight.
///
/// With a surge one pod more may come nearer. Between two that are as near, the new revision gets more. As long as
/// both revisions are wanted, neither goes without a pod if there is room for two.
pub(crate) fn pods(replicas: i32, weight: i32, surge: bool) -> (i32, i32) {
    let (replicas, weight) = (i64::from(replicas.max(0)), i64::from(weight.clamp(0, ALL)));
    if replicas == 0 {
        return (0, 0);
    }
    let may_be_none = weight == 0 || weight == i64::from(ALL) || (replicas == 1 && !surge);
    let product = replicas * weight;
    let (floor, ceil) = (product / i64::from(ALL), (product + i64::from(ALL) - 1) / i64::from(ALL));
    let mut candidates = Vec::with_capacity(4);
    if ceil < replicas || may_be_none {
        candidates.push((ceil, replicas));
    }
    let floor_counts = floor > 0 || may_be_none;
    if floor_counts {
        candidates.push((floor, replicas));
    }
    if surge {
        candidates.push((ceil, replicas + 1));
        if floor_counts {
            candidates.push((floor, replicas + 1));
        }
    }
    let mut best: Option<(i64, i64)> = None;
    for candidate in candidates {
        if best.is_none_or(|best| is_nearer(candidate, best, weight)) {
            best = Some(candidate);
        }
    }
    let (new, total) = best.unwrap_or((0, replicas));
    (i32::try_from(new).unwrap_or(i32::MAX), i32::try_from(total - new).unwrap_or(i32::MAX))
}

/// Whether `a` of its total is strictly nearer to the weight than `b` of its own.
fn is_nearer(a: (i64, i64), b: (i64, i64), weight: i64) -> bool {
    let distance = |(new, total): (i64, i64)| (new * i64::from(ALL) - weight * total).abs();
    // |new/total − weight/100| compared without fractions.
    distance(a) * b.1 < distance(b) * a.1
}
