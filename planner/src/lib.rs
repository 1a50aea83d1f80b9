//! Deciding: what is observed of a release, and the time, become the next safe writes.
//!
//! [`plan`] is a pure function. It is called again after every change, so a plan never has to finish anything: it
//! says what is safe to do now, and what the release waits for.
#![warn(missing_docs)]

/// Whether the planner is to make a mistake, so that its judges are proved. Never, but with the feature `sabotage`.
#[cfg(feature = "sabotage")]
macro_rules! sabotaged {
    ($mistake:ident) => {
        $crate::sabotage::is_made($crate::sabotage::Mistake::$mistake)
    };
}
#[cfg(not(feature = "sabotage"))]
macro_rules! sabotaged {
    ($mistake:ident) => {
        false
    };
}

mod advance;
mod analyses;
mod conditions;
mod create_refused;
mod delays;
mod duration;
pub mod engine;
pub mod experiment;
mod exposure;
mod go_back;
mod history;
mod invalid;
mod names;
mod observe;
mod packed_map;
mod packed_template;
mod patch;
mod phase;
mod ping_pong;
mod plan;
pub mod plugins;
mod pods;
pub mod probe;
mod proportion;
mod read_rollout;
mod references;
mod refuse;
mod report;
mod revisions;
#[cfg(feature = "sabotage")]
pub mod sabotage;
mod selectors;
mod snapshot;
mod steps;
mod strategy;
mod switch;
mod traffic;
mod transition;
mod trials;
mod why;
mod wishers;
mod wishes;
mod workload;

#[cfg(test)]
mod tables;

use jiff::Timestamp;
use serde_json::Value;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::RolloutStatus;
use sluice_crds::template::{HASH_LABEL, PodTemplate};

pub use create_refused::create_refused;
use observe::{Hindrance, Release};
pub use packed_map::PackedMap;
pub use packed_template::PackedTemplate;
use patch::Patch;
pub use plan::{Action, Event, EventType, Kind, Plan, Target, Write};
use pods::restart::Restart;
pub use read_rollout::ReadRollout;
pub use snapshot::{Metadata, Pod, ReplicaSet, Service, Snapshot, Template};
use traffic::Routed;
pub use wishers::trimmed_managers;
use workload::Scaling;
pub use workload::{Workload, WorkloadKind, WorkloadName, WorkloadSeen, Workloads};

/// What is to be done now for one Rollout.
pub fn plan(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let rollout = &*snapshot.rollout;
    // Objects hold whole seconds: what was written is what is read back.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    if let Some(since) = traffic::deleted_at(rollout) {
        let given_back = then_the_workload(traffic::give_back(snapshot, since, now), snapshot, since, now);
        return Plan { why: format!("the Rollout is being deleted: {}", given_back.why), ..given_back };
    }
    let snapshot = match workload::resolved(snapshot) {
        Ok(resolved) => resolved,
        Err(name) => return Plan { why: format!("{name} has not been read yet"), ..Plan::default() },
    };
    let (snapshot, rollout) = (&*snapshot, &*snapshot.rollout);
    let mistakes = refuse::mistakes(snapshot);
    if !mistakes.is_empty() {
        return invalid::plan(snapshot, &mistakes, now);
    }
    let mut at_the_door: Vec<Write> = count_replicas(snapshot).into_iter().chain(revisions::adopt(snapshot)).collect();
    at_the_door.extend(workload::note_generation(snapshot));
    if at_the_door.is_empty() {
        at_the_door = workload::let_go(snapshot);
    }
    if !at_the_door.is_empty() {
        let why = at_the_door.iter().map(|write| write.reason.as_str()).collect::<Vec<_>>().join("; ");
        return Plan { writes: at_the_door, why, ..Plan::default() };
    }
    let nothing = RolloutStatus::default();
    match Release::observe(snapshot, rollout.status.as_ref().unwrap_or(&nothing), now) {
        Some(release) => decide(release, now),
        None => {
            let missing = Mistake::missing(FieldPath::of("spec.template"), "is required", "write the pod to run");
            invalid::plan(snapshot, &[missing], now)
        }
    }
}

/// The template of a revision as its author wrote it: without the hash label, the metadata of its role and the terms
/// that keep it off other nodes.
pub fn written_template(set: &ReplicaSet) -> PodTemplate {
    pods::affinity::without_terms(pods::ephemeral::own_template(set)).without_label(HASH_LABEL)
}

/// What gives all traffic back to the stable revision and takes everything away that this controller has put into
/// objects of others: before it is removed from a cluster. Nothing is left to do where the plan has no writes.
/// What can't be given back now has to be looked at again: then the plan says why, and when.
pub fn release(snapshot: &Snapshot, now: Timestamp) -> Plan {
    if let Some(why) = workload::stays(&snapshot.rollout) {
        return Plan { why, wake_at: Some(now), ..Plan::default() };
    }
    then_the_workload(traffic::give_back_for_good(snapshot, now), snapshot, now, now)
}

/// Whether what [`release`] waits for are pods of a Deployment, which come by themselves.
pub fn waits_for_pods(snapshot: &Snapshot, now: Timestamp) -> bool {
    workload::stays(&snapshot.rollout).is_none() && workload::is_waiting(snapshot, now)
}

/// First the traffic, which then is that of the stable revision alone, and then the Deployment that had it before.
fn then_the_workload(routing: Plan, snapshot: &Snapshot, since: Timestamp, now: Timestamp) -> Plan {
    let Some(workload) = workload::way_back(snapshot, since, now) else { return routing };
    let patience_ends = since.checked_add(traffic::LONGEST_HOLD).unwrap_or(since);
    if !routing.writes.is_empty() && (now < patience_ends || since == now) {
        return routing;
    }
    // Routes that can't be written hold the Deployment up no longer than they hold the Rollout.
    let mut workload = workload;
    let writes = routing.writes.into_iter().chain(std::mem::take(&mut workload.writes)).collect();
    let workload = Plan { writes, ..workload };
    let wake_at = [routing.wake_at, workload.wake_at].into_iter().flatten().min();
    Plan { wake_at, why: format!("{}; {}", routing.why, workload.why), ..workload }
}

fn decide(mut release: Release<'_>, now: Timestamp) -> Plan {
    let advanced = advance::advance(&release, now);
    if advanced.failure.is_some() {
        // What an analysis takes back goes back in this pass.
        release.facts = advanced.facts.clone();
    }
    let routed = Routed::of(&release);
    release.workload = Scaling::of(&release, now);
    release.hindrance = report::wrong_routers(&release, &routed).map(Hindrance::Routers);
    let release = &release;
    let target = strategy::target(release);
    let restart = Restart::of(release, transition::staying(release, target, &routed));
    let mut plan = Plan::default();
    match release.new {
        // The name is settled first, through the status, or by waiting.
        None if release.name_is_taken || release.name_is_leaving => {}
        // What is taken back needs no ReplicaSet of its own for that.
        None if release.facts.aborted_at.is_some() && !release.is_held && release.other_stable().is_some() => {
            plan.writes.extend(go_back::writes(release, target, &advanced, &routed, now));
        }
        None => {
            plan.writes.extend(revisions::number_rollout(release));
            plan.writes.push(revisions::create(release));
        }
        Some(new) => {
            plan.writes.extend(revisions::number_rollout(release));
            plan.writes.extend(revisions::keep_true(release, new));
            plan.writes.extend(revisions::templates(release));
            let holds = release.traffic.as_ref().and_then(|traffic| traffic::held(release.rollout, traffic, &routed));
            plan.writes.extend(holds);
            plan.writes.extend(selectors::writes(release, target, &advanced));
            plan.writes.extend(selectors::given_back(release));
            plan.writes.extend(delays::writes(release, &advanced, now));
            let mut evictions = restart.evictions(release);
            // An abort goes back also where a person has paused.
            if release.rollout.spec.paused() && release.facts.aborted_at.is_none() {
                let in_order: Vec<_> = release.all().collect();
                plan.writes.extend(proportion::writes(release.rollout, &in_order));
            } else {
                let mut resizes = transition::resizes(release, restart.with_surge(release, target), &routed);
                if !pods::are_counted(release) {
                    resizes.retain(|resize| resize.to > resize.set.wanted);
                }
                if resizes.iter().any(|resize| resize.to < resize.set.wanted) {
                    evictions.clear();
                }
                plan.writes.extend(transition::writes(release, &resizes));
            }
            plan.writes.extend(routed.writes());
            plan.writes.extend(release.workload.writes.iter().cloned());
            plan.writes.extend(traffic::let_go(release.rollout, release.traffic.as_ref(), &routed));
            plan.writes.extend(analyses::writes(release, &advanced));
            plan.writes.extend(trials::writes(release, &advanced, &routed));
            plan.writes.extend(revisions::forget(release));
            plan.writes.extend(pods::ephemeral::pods(release));
            plan.writes.extend(evictions);
        }
    }
    report::report(release, target, advanced, &routed, &restart, &mut plan, now);
    plan
}

/// A Rollout that doesn't say how many pods it wants keeps those that it has; a new one gets one. It is written
/// down, because an autoscaler leaves an object without a number alone.
fn count_replicas(snapshot: &Snapshot) -> Option<Write> {
    let metadata = &snapshot.rollout.metadata;
    if snapshot.rollout.spec.replicas.is_some() {
        return None;
    }
    let uid = metadata.uid.as_deref().unwrap_or_default();
    let ours = snapshot.replica_sets.iter().filter(|set| set.meta.controller.as_deref() == Some(uid));
    let there = ours.fold(0_i32, |sum, set| sum.saturating_add(set.wanted));
    let there = if there == 0 { workload::pods_before(snapshot) } else { there }.max(1);
    let patch = Patch::of(uid).read("/spec/replicas", Value::Null).set("/spec/replicas", there);
    Some(Write {
        target: Target {
            kind: Kind::Rollout,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        action: Action::Patch(patch.operations()),
        reason: format!("spec.replicas is not set; {there} it is"),
        events: Vec::new(),
    })
}
