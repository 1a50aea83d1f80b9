//! What people and tools read: status, phase, message and events, computed from what is there.

mod routing;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value};
use sluice_crds::Rollout;
use sluice_crds::rollout::status::{BlueGreenStatus, CanaryStatus, Columns, CompletionStatus, RolloutStatus};
use sluice_crds::template::{HASH_LABEL, TemplateHash};
use sluice_crds::unit::ObservedGeneration;

use crate::advance::Advanced;
use crate::conditions::{self, Stage};
use crate::delays;
use crate::duration;
use crate::exposure;
use crate::history;
use crate::invalid;
use crate::names::WORKLOAD_GENERATION;
use crate::observe::{Hindrance, Release, Strategy};
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Plan, Target as Object, Write};
use crate::pods::{self, restart::Restart};
use crate::snapshot::{ReplicaSet, Service};
use crate::strategy::blue_green::is_active;
use crate::strategy::{ALL, Target, target_at};
use crate::traffic::Routed;
use crate::why;
use crate::wishes::{self, Facts};
use crate::{phase, ping_pong};

pub(crate) use routing::invalid as wrong_routers;

/// Completes a plan with what is to be said of it.
pub(crate) fn report(
    release: &Release<'_>,
    target: Target,
    mut advanced: Advanced<'_>,
    routed: &Routed,
    restart: &Restart<'_>,
    plan: &mut Plan,
    now: Timestamp,
) {
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
    if stage == Stage::Aborted && release.is_newly_aborted() && !release.is_held && !sabotaged!(ForgetsWhatFailed) {
        let reason = why::rejected(release, &advanced);
        wishes::reject(&mut advanced.facts, &release.new_hash, reason);
    }
    remember(&mut status, release, routed, &advanced);
    if restart.is_done() {
        status.restarted_at = release.rollout.spec.restart_at.clone();
    }
    status.conditions = Some(conditions::conditions(release, &advanced, stage, &status, progress, now));
    let said = phase::phase(release, &advanced, &status);
    status.phase = Some(said.phase);
    status.message = Some(said.message);
    status.columns = Some(columns(release, &advanced));
    let endings = history::endings(release, &advanced, stage, now);
    // One that is superseded leaves the place to its successor, which begins now.
    let result = endings.last().and_then(|ending| ending.result.clone());
    let result = result.filter(|result| *result != CompletionStatus::Superseded);
    status.duration = duration::duration(release, &advanced, result, now);
    status.history = history::with(release.stored.history.as_deref(), endings);
    let share = i32::try_from(weights(release, &advanced).0).unwrap_or(0);
    status.exposure = exposure::exposure(release, advanced.promoted, share, now);
    events.extend(routing::told(release, &status, routed));
    tell(release, stage, &mut advanced, &mut events);

    plan.why = why::sentence(release, target, &advanced, routed, stage);
    if let Some(sentence) = restart.sentence() {
        plan.why = format!("{sentence}; {}", plan.why);
    }
    if let Some(sentence) = &release.workload.sentence {
        plan.why = format!("{}; {sentence}", plan.why);
    }
    match &release.hindrance {
        Some(Hindrance::Invalid { mistakes, .. }) => {
            plan.why = format!("{}; {}", plan.why, invalid::until_mended(mistakes));
        }
        Some(Hindrance::Refused(sentence)) => plan.why = format!("stuck: {sentence}"),
        Some(Hindrance::Routers(_)) | None => {}
    }
    let stuck = deadline.filter(|deadline| *deadline > now);
    let wait = advanced.waits_for_routers.as_ref().or(routed.wait.as_ref());
    let is_at_work = release.other_stable().is_some() || release.others.iter().any(|other| other.wanted > 0);
    let wait = wait.filter(|_| is_at_work);
    plan.call = advanced.call.clone();
    plan.probe = wait.and_then(|wait| wait.probe.clone());
    let proxies = wait.and_then(|wait| wait.wake_at);
    let own = [advanced.wake_at, stuck, proxies, delays::next(release, now)];
    let timers = own.into_iter().chain([restart.wake_at(), pods::asks_again(plan, now), release.workload.wake_at]);
    plan.wake_at = timers.flatten().min();
    status.why = Some(plan.why.clone());
    status.next_transition_time = plan.wake_at.map(Time);
    // What we write now changes the counts again: numbers alone wait for the pass that follows.
    let numbers_wait = !plan.writes.is_empty() && events.is_empty();
    plan.status = status_write(release.rollout, release.stored, &status, numbers_wait, &plan.why);
    plan.events = events;
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
        hpa_replicas: Some(routing::autoscaled(release).unwrap_or_else(|| count(|set| set.replicas))),
        selector: selector(release, scaled).or_else(|| release.stored.selector.clone()),
        observed_generation: release.rollout.metadata.generation.map(Into::into),
        workload_observed_generation: workload_generation(release.rollout),
        ..release.stored.clone()
    }
}

/// Tools wait until this is the generation that the annotation names.
fn workload_generation(rollout: &Rollout) -> Option<ObservedGeneration> {
    rollout.spec.workload_ref.as_ref()?;
    let noted = rollout.metadata.annotations.as_ref()?.get(WORKLOAD_GENERATION)?;
    noted.parse::<i64>().ok().map(Into::into)
}

/// The one revision that an autoscaler measures: with blue-green the active one, as the preview has no load.
fn scaled<'a>(release: &Release<'a>) -> Option<&'a ReplicaSet> {
    release.all().find(|set| is_active(release, set))
}

fn selector(release: &Release<'_>, scaled: Option<&ReplicaSet>) -> Option<String> {
    let Some(set) = scaled else { return release.snapshot.rollout.selector().map(ToString::to_string) };
    let mut selector = release.rollout.spec.selector.clone()?;
    selector.match_labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), set.hash().to_owned());
    selector.read().ok().map(|selector| selector.to_string())
}

/// Writes the facts down.
fn remember(status: &mut RolloutStatus, release: &Release<'_>, routed: &Routed, advanced: &Advanced<'_>) {
    let facts = &advanced.facts;
    status.current_pod_hash = Some(release.new_hash.clone());
    status.current_step_hash = release.step_hash.cloned();
    status.current_step_index = (!release.steps().is_empty()).then(|| i32::try_from(facts.step).unwrap_or(i32::MAX));
    status.stable_rs = facts.stable_hash.clone();
    status.pause_conditions = (!facts.pauses.is_empty()).then(|| facts.pauses.clone());
    status.controller_pause = facts.paused_by_us.then_some(true);
    status.abort = facts.aborted_at.is_some().then_some(true);
    status.aborted_at = facts.aborted_at.map(Time);
    status.promote_full = facts.promote_full.then_some(true);
    status.proven_replicas = (facts.proven > 0).then_some(facts.proven);
    status.blue_green = blue_green(release, facts);
    status.canary = canary(release, routed, advanced);
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
    let mut status = BlueGreenStatus {
        preview_selector: selected(release.services.preview),
        active_selector: selected(release.services.active),
        scale_up_preview_check_point: facts.past_preview.then_some(true),
        ..release.stored.blue_green.clone().unwrap_or_default()
    };
    facts.runs.write_blue_green(&mut status);
    Some(status)
}

fn canary(release: &Release<'_>, routed: &Routed, advanced: &Advanced<'_>) -> Option<CanaryStatus> {
    let mut status = release.stored.canary.clone().unwrap_or_default();
    if advanced.promoted {
        // With the promotion the two Services change their roles, and so neither changes its pods.
        status.stable_ping_pong = ping_pong::after_promotion(release.rollout).or(status.stable_ping_pong);
    }
    advanced.facts.runs.write_canary(&mut status);
    status.current_experiment.clone_from(&advanced.facts.experiment);
    let plugins = &advanced.facts.plugins;
    status.step_plugin_statuses = (!plugins.is_empty()).then(|| plugins.clone());
    status.weights = routing::weights(release, routed).or(status.weights);
    (status != CanaryStatus::default()).then_some(status)
}

/// Whether anything came nearer to the end since the stored status was written.
fn has_progressed(release: &Release<'_>, now: &RolloutStatus, advanced: &Advanced<'_>) -> bool {
    let before = release.stored;
    let count = |count: Option<i32>| count.unwrap_or(0);
    let old_pods = |status: &RolloutStatus| count(status.replicas) - count(status.updated_replicas);
    now.updated_replicas != before.updated_replicas
        || old_pods(now) < old_pods(before)
        || count(now.ready_replicas) > count(before.ready_replicas)
        || count(now.available_replicas) > count(before.available_replicas)
        || advanced.facts.step != release.facts.step
        || has_new_trial(before, advanced)
        || routing::has_moved(release)
        || now.blue_green.as_ref().map(|now| (&now.active_selector, &now.preview_selector))
            != before.blue_green.as_ref().map(|before| (&before.active_selector, &before.preview_selector))
        || advanced.promoted
        || before.current_pod_hash.is_none()
        || (release.new.is_some() && conditions::was_refused(release))
}

/// Whether the step has an Experiment that the stored status doesn't know.
fn has_new_trial(before: &RolloutStatus, advanced: &Advanced<'_>) -> bool {
    let named = before.canary.as_ref().and_then(|canary| canary.current_experiment.as_ref());
    advanced.facts.experiment.is_some() && advanced.facts.experiment.as_ref() != named
}

/// When a release that makes no progress counts as stuck. Waiting for people or for a pause is no lack of it.
fn deadline(release: &Release<'_>, advanced: &Advanced<'_>, progress: bool, now: Timestamp) -> Option<Timestamp> {
    let facts = &advanced.facts;
    let measures = advanced.waits_for_run.is_some() || advanced.blind.is_some() || advanced.waits_for_plugin;
    let measures = measures || advanced.waits_for_experiment.is_some();
    let held = release.rollout.spec.paused() || !facts.pauses.is_empty() || facts.aborted_at.is_some();
    let waits = held || measures;
    if waits || facts.stable_hash.as_ref() == Some(&release.new_hash) {
        return None;
    }
    let clock = if progress || conditions::was_held(release) { None } else { conditions::clock(release.stored) };
    let seconds = i64::from(release.rollout.spec.progress_deadline_seconds());
    clock.unwrap_or(now).checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn stage(release: &Release<'_>, advanced: &Advanced<'_>, timed_out: bool) -> Stage {
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
fn tell(release: &Release<'_>, stage: Stage, advanced: &mut Advanced<'_>, events: &mut Vec<Event>) {
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
    let newly_aborted = stage == Stage::Aborted && release.is_newly_aborted();
    if newly_aborted {
        events.push(Event::warning("RolloutAborted", conditions::abort_sentence(release, advanced)));
    }
}

/// Texts for `kubectl get`.
fn columns(release: &Release<'_>, advanced: &Advanced<'_>) -> Columns {
    let steps = release.steps().len();
    let ready: i32 = release.all().fold(0_i32, |sum, set| sum.saturating_add(set.ready));
    let (actual, wanted) = weights(release, advanced);
    Columns {
        step: (steps > 0).then(|| format!("{}/{steps}", advanced.facts.step)),
        weight: Some(format!("{actual}/{wanted}")),
        ready: Some(format!("{ready}/{}", release.replicas)),
        images: Some(release.rollout.images().unwrap_or_default().join(",")),
    }
}

/// Share of the new revision, as it is and as it is wanted.
fn weights(release: &Release<'_>, advanced: &Advanced<'_>) -> (i64, i32) {
    if let Strategy::BlueGreen(_) = release.strategy {
        let active = release.new.is_some_and(|new| is_active(release, new));
        let wanted = release.other_stable().is_none() || active || advanced.may_switch;
        return (if active { i64::from(ALL) } else { 0 }, if wanted { ALL } else { 0 });
    }
    if let Some(traffic) = &release.traffic {
        return routing::shares(release, traffic, advanced);
    }
    let available = release.all().fold(0_i32, |sum, set| sum.saturating_add(set.available));
    let new = i64::from(release.new.map_or(0, |new| new.available));
    let actual = if available == 0 { 0 } else { new * 100 / i64::from(available) };
    // Of the step that begins now: the next pass, which acts on it, then has nothing new to say.
    (actual, target_at(release, advanced.facts.step).weight)
}

/// One patch of all that changed. It fails where somebody asked for something meanwhile that it has not seen.
pub(crate) fn status_write(
    rollout: &Rollout,
    stored: &RolloutStatus,
    wanted: &RolloutStatus,
    numbers_wait: bool,
    why: &str,
) -> Option<Write> {
    if stored == wanted {
        return None;
    }
    let metadata = &rollout.metadata;
    let (before, after) = (fields(stored), fields(wanted));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&String> = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    // A CRD that does not know our fields drops them each time; that must not become a write each time.
    let is_dropped = |key: &str| stored.phase.is_some() && stored.why.is_none() && OURS.contains(&key);
    let text = |fields: &Map<String, Value>| fields.get("why").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_no_news = |key: &str| key == "why" && why::says_the_same(&text(&before), &text(&after));
    let waits = |key: &str| numbers_wait && NUMBERS.contains(&key);
    if changed.iter().all(|key| is_dropped(key) || is_no_news(key) || waits(key)) {
        return None;
    }
    let mut patch = Patch::of(metadata.uid.as_deref().unwrap_or_default())
        .read("/metadata/generation", metadata.generation.unwrap_or(0));
    if sabotaged!(OverwritesWishes) {
        patch = Patch::of(metadata.uid.as_deref().unwrap_or_default()).set("/status", Value::Object(after));
    } else if rollout.status.is_none() {
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
const NUMBERS: [&str; 12] = [
    "exposure",
    "nextTransitionTime",
    "why",
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
/// Fields that only our CRDs have.
const OURS: [&str; 8] =
    ["columns", "duration", "exposure", "history", "nextTransitionTime", "provenReplicas", "rejected", "why"];
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
