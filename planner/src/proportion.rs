//! Where nothing may begin and nothing may end (a person has paused the Rollout, or its spec can't be released), what
//! runs still follows `spec.replicas`: each revision keeps its share.

use sluice_crds::Rollout;

use crate::names::DESIRED_REPLICAS;
use crate::plan::Write;
use crate::revisions;
use crate::snapshot::ReplicaSet;
use crate::transition::resize_write;

/// The sizes that follow `spec.replicas`, of these own ReplicaSets, the stable one first.
pub(crate) fn writes(rollout: &Rollout, owned: &[&ReplicaSet]) -> Vec<Write> {
    let resized = |(set, to)| resize_write(set, to, revisions::number(set), rollout.spec.replicas());
    sizes(rollout, owned).into_iter().map(resized).collect()
}

/// New sizes, so that the revisions that run share `spec.replicas` as they did before. Each set says for how many
/// pods in all it was last sized, so that a crash between two of these writes changes nothing.
fn sizes<'a>(rollout: &Rollout, owned: &[&'a ReplicaSet]) -> Vec<(&'a ReplicaSet, i32)> {
    let spec = &rollout.spec;
    let Some(replicas) = spec.replicas.filter(|replicas| *replicas >= 0) else { return Vec::new() };
    let stable_hash = rollout.status.as_ref().and_then(|status| status.stable_rs.as_ref());
    let is_stable = |set: &ReplicaSet| stable_hash.is_some_and(|hash| hash.as_str() == set.hash());
    let running: Vec<&ReplicaSet> = owned.iter().copied().filter(|set| set.wanted > 0).collect();
    let wanted: Vec<(&ReplicaSet, i32)> = match running.as_slice() {
        [] => owned.iter().copied().filter(|set| is_stable(set)).map(|stable| (stable, replicas)).collect(),
        [only] if is_stable(only) => vec![(only, replicas)],
        _ if serve_apart(rollout) => running.iter().map(|set| (*set, scaled_up(set, replicas))).collect(),
        [first, others @ ..] => {
            let others: Vec<_> = others.iter().map(|set| (*set, share(set, replicas))).collect();
            let rest = others.iter().fold(replicas, |rest, (_, size)| rest.saturating_sub(*size));
            let first = (
                *first,
                if sized_for(first) == Some(replicas) { first.wanted } else { rest.max(i32::from(replicas > 0)) },
            );
            std::iter::once(first).chain(others).collect()
        }
    };
    let may_become = |set, to| serve_apart(rollout) || may_become(&running, set, to, replicas);
    let moves = wanted.into_iter().filter(|(set, to)| *to != set.wanted && may_become(set, *to));
    moves.collect()
}

/// Whether each revision serves a share of its own, so that the pods of one don't stand in for those of another: in
/// blue-green, and where routers divide the traffic.
fn serve_apart(rollout: &Rollout) -> bool {
    let spec = &rollout.spec;
    spec.blue_green().is_some() || spec.canary().is_some_and(|canary| canary.traffic_routing.is_some())
}

/// For how many pods in all a ReplicaSet was last sized.
fn sized_for(set: &ReplicaSet) -> Option<i32> {
    set.meta.annotations.get(DESIRED_REPLICAS)?.parse().ok().filter(|count| *count > 0)
}

/// The share that a revision had, of so many pods: rounded down, and not none as long as there are any.
fn share(set: &ReplicaSet, replicas: i32) -> i32 {
    let Some(before) = sized_for(set).filter(|before| *before != replicas) else { return set.wanted };
    let share = i64::from(set.wanted) * i64::from(replicas) / i64::from(before);
    i32::try_from(share).unwrap_or(replicas).max(i32::from(replicas > 0))
}

/// The same where each revision is to carry its traffic by itself: rounded up.
fn scaled_up(set: &ReplicaSet, replicas: i32) -> i32 {
    let Some(before) = sized_for(set).filter(|before| *before != replicas) else { return set.wanted };
    let size = (i64::from(set.wanted) * i64::from(replicas) + i64::from(before) - 1) / i64::from(before);
    i32::try_from(size).unwrap_or(replicas)
}

/// Pods go only as long as so many as are asked for stay available, or all those that are.
fn may_become(running: &[&ReplicaSet], set: &ReplicaSet, to: i32, replicas: i32) -> bool {
    if to > set.wanted {
        return true;
    }
    let elsewhere = running.iter().filter(|other| other.meta.uid != set.meta.uid);
    let elsewhere = elsewhere.fold(0_i32, |sum, other| sum.saturating_add(other.available_to_stay()));
    let left = elsewhere.saturating_add(set.available_to_stay().min(to));
    let before = elsewhere.saturating_add(set.available_to_stay());
    left >= replicas.min(before)
}
