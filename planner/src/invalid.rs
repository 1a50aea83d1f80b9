//! A spec that can't be released: nothing is begun, nothing is ended, and what runs goes on, at the size that is
//! asked for.

use jiff::Timestamp;
use sluice_crds::mistake::{Mistake, for_condition};
use sluice_crds::rollout::RolloutStatus;

use crate::names::DESIRED_REPLICAS;
use crate::plan::Plan;
use crate::report::status_write;
use crate::snapshot::{ReplicaSet, Snapshot};
use crate::transition::resize_write;
use crate::{conditions, phase, revisions};

/// The mistakes said once, and the sizes that follow `spec.replicas`.
pub(crate) fn plan(snapshot: &Snapshot, mistakes: &[Mistake], now: Timestamp) -> Plan {
    let rollout = &*snapshot.rollout;
    let stored = rollout.status.clone().unwrap_or_default();
    let owned = owned(snapshot);
    let mut status = counted(&owned, &stored, snapshot);
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let sentence = format!("The Rollout \"{name}\" is invalid: {}", for_condition(mistakes));
    status.conditions = Some(conditions::invalid(stored.conditions.as_deref().unwrap_or_default(), &sentence, now));
    status.observed_generation = rollout.metadata.generation.map(Into::into);
    let said = phase::invalid(&sentence);
    status.phase = Some(said.phase);
    status.message = Some(said.message);
    let writes: Vec<_> = sizes(snapshot, &owned, &stored)
        .into_iter()
        .map(|(set, to)| resize_write(set, to, revisions::number(set), rollout.spec.replicas()))
        .collect();
    let why = format!("nothing is released until the spec is mended: {}", for_condition(mistakes).replace('\n', "; "));
    status.why = Some(why.clone());
    status.next_transition_time = None;
    let status = status_write(rollout, &stored, &status, !writes.is_empty(), &why);
    Plan { writes, status, why, ..Plan::default() }
}

/// Own ReplicaSets, the stable one first, then the current one.
fn owned(snapshot: &Snapshot) -> Vec<&ReplicaSet> {
    let uid = snapshot.rollout.metadata.uid.as_deref();
    let sets = snapshot.replica_sets.iter().map(|set| &**set);
    let mut owned: Vec<&ReplicaSet> =
        sets.filter(|set| set.meta.controller.as_deref() == uid && !set.meta.deleting).collect();
    let status = snapshot.rollout.status.as_ref();
    let is = |set: &ReplicaSet, hash: Option<&str>| hash == Some(set.hash());
    let stable = status.and_then(|status| status.stable_rs.as_ref()).map(sluice_crds::template::TemplateHash::as_str);
    let current = status.and_then(|status| status.current_pod_hash.as_ref());
    let current = current.map(sluice_crds::template::TemplateHash::as_str);
    owned.sort_by_key(|set| (!is(set, stable), !is(set, current), std::cmp::Reverse(revisions::number(set))));
    owned
}

/// The stored status with its counts as they are now: an autoscaler goes on reading them.
fn counted(owned: &[&ReplicaSet], stored: &RolloutStatus, snapshot: &Snapshot) -> RolloutStatus {
    let sum = |sets: &[&ReplicaSet], count: fn(&ReplicaSet) -> i32| {
        Some(sets.iter().fold(0_i32, |sum, set| sum.saturating_add(count(set))))
    };
    let with = |hash: Option<&str>| -> Vec<&ReplicaSet> {
        owned.iter().copied().filter(|set| hash == Some(set.hash())).collect()
    };
    let hash = stored.current_pod_hash.as_ref().map(sluice_crds::template::TemplateHash::as_str);
    let active = stored.blue_green.as_ref().and_then(|status| status.active_selector.as_ref());
    let active = active.filter(|_| snapshot.rollout.spec.blue_green().is_some());
    let scaled = active.map_or_else(|| owned.to_vec(), |hash| with(Some(hash.as_str())));
    RolloutStatus {
        replicas: sum(owned, |set| set.replicas),
        updated_replicas: sum(&with(hash), |set| set.replicas),
        ready_replicas: sum(&scaled, |set| set.ready),
        available_replicas: sum(&scaled, |set| set.available),
        hpa_replicas: sum(&scaled, |set| set.replicas),
        ..stored.clone()
    }
}

/// New sizes, so that the revisions that run share `spec.replicas` as they did before. Each set says for how many
/// pods in all it was last sized, so that a crash between two of these writes changes nothing.
fn sizes<'a>(snapshot: &Snapshot, owned: &[&'a ReplicaSet], stored: &RolloutStatus) -> Vec<(&'a ReplicaSet, i32)> {
    let spec = &snapshot.rollout.spec;
    let Some(replicas) = spec.replicas.filter(|replicas| *replicas >= 0 && !spec.paused()) else { return Vec::new() };
    let is_stable = |set: &ReplicaSet| stored.stable_rs.as_ref().is_some_and(|hash| hash.as_str() == set.hash());
    let running: Vec<&ReplicaSet> = owned.iter().copied().filter(|set| set.wanted > 0).collect();
    let wanted: Vec<(&ReplicaSet, i32)> = match running.as_slice() {
        [] => owned.iter().copied().filter(|set| is_stable(set)).map(|stable| (stable, replicas)).collect(),
        [only] if is_stable(only) => vec![(only, replicas)],
        _ if spec.blue_green().is_some() => running.iter().map(|set| (*set, scaled_up(set, replicas))).collect(),
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
    let moves = wanted.into_iter().filter(|(set, to)| *to != set.wanted && may_become(&running, set, *to, replicas));
    moves.collect()
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

/// The same in blue-green, where each revision is to carry all the traffic by itself: rounded up.
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
