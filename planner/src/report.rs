//! What people and tools read: status, phase, message and events, computed from what is there.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value};
use sluice_crds::Rollout;
use sluice_crds::rollout::status::{BlueGreenStatus, Columns, RolloutStatus};
use sluice_crds::template::{HASH_LABEL, PodTemplate, TemplateHash};

use crate::advance::Advanced;
use crate::conditions::{self, Stage};
use crate::delays;
use crate::observe::{Release, Strategy};
use crate::patch::Patch;
use crate::phase;
use crate::plan::{Action, Event, Kind, Plan, Target as Object, Write};
use crate::snapshot::{ReplicaSet, Service, Snapshot};
use crate::strategy::blue_green::is_active;
use crate::strategy::canary::target_at;
use crate::strategy::{ALL, Target};
use crate::why;
use crate::wishes::{self, Facts};

/// Completes a plan with what is to be said of it.
pub(crate) fn report(release: &Release<'_>, target: Target, mut advanced: Advanced, plan: &mut Plan, now: Timestamp) {
    let mut status = counted(release);
    status.blue_green = blue_green(release, &advanced.facts);
    let progress = release.restarts_clock || has_progressed(release, &status, &advanced);
    let deadline = deadline(release, &advanced, progress, now);
    let mut stage = stage(release, &advanced, deadline.is_some_and(|deadline| deadline <= now));
    let mut events = release.news.clone();
    if stage == Stage::TimedOut && may_abort_itself(release) {
        wishes::abort(&mut advanced.facts, now);
        stage = Stage::Aborted;
    }
    if stage == Stage::Aborted && release.stored.aborted_at.is_none() {
        wishes::reject(&mut advanced.facts, &release.new_hash, why::rejected(release));
    }
    remember(&mut status, release, &advanced);
    status.conditions = Some(conditions::conditions(release, &advanced, stage, &status, progress, now));
    let said = phase::phase(release, &advanced, &status);
    status.phase = Some(said.phase);
    status.message = Some(said.message);
    status.columns = Some(columns(release, &advanced));
    tell(release, stage, &mut advanced, &mut events);

    plan.why = why::sentence(release, target, &advanced, stage);
    let timers = [advanced.wake_at, deadline.filter(|deadline| *deadline > now), delays::next(release, now)];
    plan.wake_at = timers.into_iter().flatten().min();
    // What we write now changes the counts again: numbers alone wait for the pass that follows.
    let may_wait = !plan.writes.is_empty() && events.is_empty();
    let numbers: &[&str] = if may_wait { &NUMBERS } else { &[] };
    plan.status = status_write(release.rollout, release.stored, &status, numbers, &plan.why);
    plan.events = events;
}

/// A spec that can't be released: said once, and all that is remembered stays.
pub(crate) fn refuse(snapshot: &Snapshot, mistakes: &[String], now: Timestamp) -> Plan {
    let rollout = &*snapshot.rollout;
    let stored = rollout.status.clone().unwrap_or_default();
    let mut status = stored.clone();
    let sentence = format!(
        "The Rollout \"{}\" is invalid: {}",
        rollout.metadata.name.as_deref().unwrap_or_default(),
        mistakes.join("; ")
    );
    status.conditions = Some(conditions::invalid(stored.conditions.as_deref().unwrap_or_default(), &sentence, now));
    status.observed_generation = rollout.metadata.generation.map(Into::into);
    let said = phase::invalid(&sentence);
    status.phase = Some(said.phase);
    status.message = Some(said.message);
    let why = format!("nothing is changed: {sentence}");
    Plan { status: status_write(rollout, &stored, &status, &[], &why), why, ..Plan::default() }
}

/// The stored status with every number as it is now.
fn counted(release: &Release<'_>) -> RolloutStatus {
    let sum = |count: fn(&ReplicaSet) -> i32| release.all().fold(0_i32, |sum, set| sum.saturating_add(count(set)));
    let replicas = sum(|set| set.replicas);
    let scaled = scaled(release);
    let count = |count: fn(&ReplicaSet) -> i32| scaled.map_or_else(|| sum(count), count);
    RolloutStatus {
        replicas: Some(replicas),
        updated_replicas: Some(release.new.map_or(0, |new| new.replicas)),
        ready_replicas: Some(count(|set| set.ready)),
        available_replicas: Some(count(|set| set.available)),
        hpa_replicas: Some(count(|set| set.replicas)),
        selector: selector(release, scaled),
        // What is left to restart was refused before: there is nothing.
        restarted_at: release.rollout.spec.restart_at.clone().or_else(|| release.stored.restarted_at.clone()),
        observed_generation: release.rollout.metadata.generation.map(Into::into),
        ..release.stored.clone()
    }
}

/// The one revision that an autoscaler measures: with blue-green the active one, as the preview has no load.
fn scaled<'a>(release: &Release<'a>) -> Option<&'a ReplicaSet> {
    release.all().find(|set| is_active(release, set))
}

fn selector(release: &Release<'_>, scaled: Option<&ReplicaSet>) -> Option<String> {
    let mut selector = release.rollout.spec.selector.clone()?;
    if let Some(set) = scaled {
        selector.match_labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), set.hash().to_owned());
    }
    selector.read().ok().map(|selector| selector.to_string())
}

/// Writes the facts down.
fn remember(status: &mut RolloutStatus, release: &Release<'_>, advanced: &Advanced) {
    let facts = &advanced.facts;
    status.current_pod_hash = Some(release.new_hash.clone());
    status.current_step_hash = release.step_hash.clone();
    status.current_step_index = (!release.steps().is_empty()).then(|| i32::try_from(facts.step).unwrap_or(i32::MAX));
    status.stable_rs = facts.stable_hash.clone();
    status.pause_conditions = (!facts.pauses.is_empty()).then(|| facts.pauses.clone());
    status.controller_pause = facts.paused_by_us.then_some(true);
    status.abort = facts.aborted_at.is_some().then_some(true);
    status.aborted_at = facts.aborted_at.map(Time);
    status.promote_full = facts.promote_full.then_some(true);
    status.proven_replicas = (facts.proven > 0).then_some(facts.proven);
    status.blue_green = blue_green(release, facts);
    status.rejected = (!facts.rejected.is_empty()).then(|| facts.rejected.clone());
    if release.name_is_taken {
        status.collision_count = Some(status.collision_count.unwrap_or(0).saturating_add(1));
    }
}

fn blue_green(release: &Release<'_>, facts: &Facts) -> Option<BlueGreenStatus> {
    if let Strategy::Canary(_) = release.strategy {
        return None;
    }
    let selected = |service: Option<&Service>| service.and_then(Service::hash).map(TemplateHash::from);
    Some(BlueGreenStatus {
        preview_selector: selected(release.services.preview),
        active_selector: selected(release.services.active),
        scale_up_preview_check_point: facts.past_preview.then_some(true),
        ..release.stored.blue_green.clone().unwrap_or_default()
    })
}

/// Whether anything came nearer to the end since the stored status was written.
fn has_progressed(release: &Release<'_>, now: &RolloutStatus, advanced: &Advanced) -> bool {
    let before = release.stored;
    let count = |count: Option<i32>| count.unwrap_or(0);
    let old_pods = |status: &RolloutStatus| count(status.replicas) - count(status.updated_replicas);
    now.updated_replicas != before.updated_replicas
        || old_pods(now) < old_pods(before)
        || count(now.ready_replicas) > count(before.ready_replicas)
        || count(now.available_replicas) > count(before.available_replicas)
        || advanced.facts.step != release.facts.step
        || now.blue_green.as_ref().map(|now| (&now.active_selector, &now.preview_selector))
            != before.blue_green.as_ref().map(|before| (&before.active_selector, &before.preview_selector))
        || advanced.promoted
        || before.current_pod_hash.is_none()
}

/// When a release that makes no progress counts as stuck. Waiting for people or for a pause is no lack of it.
fn deadline(release: &Release<'_>, advanced: &Advanced, progress: bool, now: Timestamp) -> Option<Timestamp> {
    let facts = &advanced.facts;
    let waits = release.rollout.spec.paused() || !facts.pauses.is_empty() || facts.aborted_at.is_some();
    if waits || facts.stable_hash.as_ref() == Some(&release.new_hash) {
        return None;
    }
    let clock = if progress || conditions::was_held(release) { None } else { conditions::clock(release.stored) };
    let seconds = i64::from(release.rollout.spec.progress_deadline_seconds());
    clock.unwrap_or(now).checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn stage(release: &Release<'_>, advanced: &Advanced, timed_out: bool) -> Stage {
    let facts = &advanced.facts;
    if facts.aborted_at.is_some() {
        Stage::Aborted
    } else if release.rollout.spec.paused() || !facts.pauses.is_empty() {
        Stage::Paused
    } else if facts.stable_hash.as_ref() == Some(&release.new_hash) {
        Stage::Promoted
    } else if timed_out {
        Stage::TimedOut
    } else if release.is_retried() {
        Stage::Retried
    } else {
        Stage::Moving
    }
}

/// There must be something to go back to.
fn may_abort_itself(release: &Release<'_>) -> bool {
    release.rollout.spec.progress_deadline_abort() && release.other_stable().is_some()
}

/// What changed for people since the stored status.
fn tell(release: &Release<'_>, stage: Stage, advanced: &mut Advanced, events: &mut Vec<Event>) {
    let stored = release.stored;
    let (revision, hash) = (release.revision, &release.new_hash);
    if stored.current_pod_hash.as_ref() != Some(hash) && stage != Stage::Promoted {
        let before = why::was_rejected(release);
        let sentence = format!("Rollout not completed, started update to revision {revision} with hash {hash}{before}");
        events.push(Event::normal("RolloutNotCompleted", sentence));
    }
    events.append(&mut advanced.events);
    let by_hand = release.rollout.spec.paused();
    if by_hand && !conditions::was_paused(release) {
        events.push(Event::normal("RolloutPaused", "Rollout is paused (spec.paused)".to_owned()));
    }
    let went_on = !by_hand && conditions::was_paused(release) && stored.pause_conditions.is_none();
    let asked_step = release.facts.paused_by_us || stored.controller_pause == Some(true);
    if went_on && !asked_step && stage != Stage::Aborted {
        events.push(Event::normal("RolloutResumed", "Rollout is resumed".to_owned()));
    }
    let newly_aborted = stage == Stage::Aborted && stored.aborted_at.is_none();
    if newly_aborted {
        events.push(Event::warning("RolloutAborted", conditions::abort_sentence(release)));
    }
}

/// Texts for `kubectl get`.
fn columns(release: &Release<'_>, advanced: &Advanced) -> Columns {
    let steps = release.steps().len();
    let ready: i32 = release.all().fold(0_i32, |sum, set| sum.saturating_add(set.ready));
    let images: Vec<&str> = release.rollout.spec.template.iter().flat_map(PodTemplate::images).collect();
    let (actual, wanted) = weights(release, advanced);
    Columns {
        step: (steps > 0).then(|| format!("{}/{steps}", advanced.facts.step)),
        weight: Some(format!("{actual}/{wanted}")),
        ready: Some(format!("{ready}/{}", release.replicas)),
        images: Some(images.join(",")),
    }
}

/// Share of the new revision, as it is and as it is wanted.
fn weights(release: &Release<'_>, advanced: &Advanced) -> (i64, i32) {
    if let Strategy::BlueGreen(_) = release.strategy {
        let active = release.new.is_some_and(|new| is_active(release, new));
        let wanted = release.other_stable().is_none() || active || advanced.may_switch;
        return (if active { i64::from(ALL) } else { 0 }, if wanted { ALL } else { 0 });
    }
    let available = release.all().fold(0_i32, |sum, set| sum.saturating_add(set.available));
    let new = i64::from(release.new.map_or(0, |new| new.available));
    let actual = if available == 0 { 0 } else { new * 100 / i64::from(available) };
    // Of the step that begins now: the next pass, which acts on it, then has nothing new to say.
    (actual, target_at(release, advanced.facts.step).weight)
}

/// One patch of all that changed. It fails where somebody asked for something meanwhile that it has not seen.
fn status_write(
    rollout: &Rollout,
    stored: &RolloutStatus,
    wanted: &RolloutStatus,
    may_wait: &[&str],
    why: &str,
) -> Option<Write> {
    let metadata = &rollout.metadata;
    let (before, after) = (fields(stored), fields(wanted));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&String> = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    // Under a CRD that does not know the columns they are dropped each time; that must not become a write each
    // time.
    let was_written = stored.phase.is_some();
    let is_dropped = |key: &str| was_written && key == "columns" && stored.columns.is_none();
    if changed.iter().all(|key| is_dropped(key) || may_wait.contains(&key.as_str())) {
        return None;
    }
    let mut patch = Patch::of(metadata.uid.as_deref().unwrap_or_default())
        .read("/metadata/generation", metadata.generation.unwrap_or(0));
    if rollout.status.is_none() {
        patch = patch.read("/status", Value::Null).set("/status", Value::Object(after));
    } else {
        for key in WISHES.iter().chain(&DECIDED_FROM) {
            patch = patch.read(&format!("/status/{key}"), before.get(*key).cloned().unwrap_or(Value::Null));
        }
        for key in changed {
            let path = format!("/status/{key}");
            patch = match after.get(key) {
                Some(value) => patch.set(&path, value.clone()),
                None => patch.remove(&path),
            };
        }
    }
    Some(Write {
        target: Object {
            kind: Kind::RolloutStatus,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        action: Action::Patch(patch.operations()),
        reason: why.to_owned(),
        events: Vec::new(),
    })
}

/// Fields that say how many pods there are.
const NUMBERS: [&str; 9] = [
    "provenReplicas",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "HPAReplicas",
    "columns",
    "conditions",
    "message",
];
/// Fields of the status that people and tools set to ask for something.
const WISHES: [&str; 4] = ["abort", "promoteFull", "pauseConditions", "currentStepIndex"];
/// Fields that another controller of the same Rollout would have moved.
const DECIDED_FROM: [&str; 4] = ["controllerPause", "currentPodHash", "stableRS", "abortedAt"];

fn fields(status: &RolloutStatus) -> Map<String, Value> {
    match serde_json::to_value(status) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
