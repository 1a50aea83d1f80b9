//! A spec that can't be released: nothing is begun, and what runs goes on, at the size that is asked for. What is
//! aborted, or fails its analysis, goes back all the same: nobody has to mend a spec to get rid of a bad release.

use jiff::Timestamp;
use sluice_crds::Rollout;
use sluice_crds::mistake::{Mistake, for_condition};
use sluice_crds::rollout::RolloutStatus;

use crate::observe::{Hindrance, Release};
use crate::plan::Plan;
use crate::pods::restart::Restart;
use crate::report::{self, status_write};
use crate::snapshot::{ReplicaSet, Snapshot};
use crate::traffic::Routed;
use crate::{advance, conditions, go_back, phase, proportion, refuse, revisions, strategy};

/// The way back, or else the mistakes said once and the sizes that follow `spec.replicas`.
pub(crate) fn plan(snapshot: &Snapshot, mistakes: &[Mistake], now: Timestamp) -> Plan {
    going_back(snapshot, mistakes, now).unwrap_or_else(|| standing(snapshot, mistakes, now))
}

/// What the way back rests on: how many pods there are to be, and how they are replaced. All else can be wrong.
fn knows_the_way_back(rollout: &Rollout) -> bool {
    let spec = &rollout.spec;
    let one_strategy = spec.canary().is_some() != spec.blue_green().is_some();
    one_strategy && spec.replicas.is_some_and(|replicas| replicas >= 0)
}

fn going_back(snapshot: &Snapshot, mistakes: &[Mistake], now: Timestamp) -> Option<Plan> {
    let stored = snapshot.rollout.status.as_ref()?;
    // Pods whose share routers that are not named any more still send to them can't go.
    if !knows_the_way_back(&snapshot.rollout) || refuse::all_taken_out(&snapshot.rollout).is_some() {
        return None;
    }
    let mut release = Release::under_way(snapshot, stored, now)?;
    release.other_stable()?;
    let (sentence, mistakes) = (sentence(&snapshot.rollout, mistakes), for_condition(mistakes));
    release.hindrance = Some(Hindrance::Invalid { sentence, mistakes });
    let advanced = advance::advance(&release, now);
    release.facts = advanced.facts.clone();
    release.facts.aborted_at?;
    let target = strategy::target(&release);
    let routed = Routed::of(&release);
    let mut plan = Plan::default();
    // A verdict is written down where the release was when it came, and acted on from there.
    if advanced.failure.is_none() {
        plan.writes = go_back::writes(&release, target, &advanced, &routed, now);
    }
    let restart = Restart::of(&release, target);
    report::report(&release, target, advanced, &routed, &restart, &mut plan, now);
    Some(plan)
}

fn sentence(rollout: &Rollout, mistakes: &[Mistake]) -> String {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    format!("The Rollout \"{name}\" is invalid: {}", for_condition(mistakes))
}

/// What nothing goes on without.
pub(crate) fn until_mended(mistakes: &str) -> String {
    format!("nothing is released until the spec is mended: {}", mistakes.replace('\n', "; "))
}

fn standing(snapshot: &Snapshot, mistakes: &[Mistake], now: Timestamp) -> Plan {
    let rollout = &*snapshot.rollout;
    let stored = rollout.status.clone().unwrap_or_default();
    let owned = owned(snapshot);
    let mut status = counted(&owned, &stored, snapshot);
    let sentence = sentence(rollout, mistakes);
    status.conditions = Some(conditions::invalid(stored.conditions.as_deref().unwrap_or_default(), &sentence, now));
    status.observed_generation = rollout.metadata.generation.map(Into::into);
    let said = phase::invalid(&sentence);
    status.phase = Some(said.phase);
    status.message = Some(said.message);
    let writes = proportion::writes(rollout, &owned);
    let why = until_mended(&for_condition(mistakes));
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
