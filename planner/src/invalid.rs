//! A spec that can't be released: nothing is begun, nothing is ended, and what runs goes on, at the size that is
//! asked for.

use jiff::Timestamp;
use sluice_crds::mistake::{Mistake, for_condition};
use sluice_crds::rollout::RolloutStatus;

use crate::plan::Plan;
use crate::report::status_write;
use crate::snapshot::{ReplicaSet, Snapshot};
use crate::{conditions, phase, proportion, revisions};

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
    let writes = proportion::writes(rollout, &owned);
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
