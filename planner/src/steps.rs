//! Which steps are done. Several may be done in one pass; each is told, in order.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{PauseCondition, PauseReason};
use sluice_crds::rollout::step::PauseStep;
use sluice_crds::rollout::{CanaryStep, ProgressThresholdKind, StepKind};

use crate::observe::Release;
use crate::plan::Event;
use crate::strategy::canary::{Target, target_at};
use crate::wishes::{self, Facts};

/// The facts after this pass.
pub(crate) struct Advanced {
    pub(crate) facts: Facts,
    pub(crate) events: Vec<Event>,
    /// When a pause ends by itself.
    pub(crate) wake_at: Option<Timestamp>,
    /// Whether the new revision became the stable one in this pass.
    pub(crate) promoted: bool,
}

/// Goes as far through the steps as what is there allows, and promotes behind the last one.
pub(crate) fn advance(release: &Release<'_>, now: Timestamp) -> Advanced {
    let mut advanced = Advanced { facts: release.facts.clone(), events: Vec::new(), wake_at: None, promoted: false };
    let aborted = advanced.facts.aborted_at.is_some();
    if release.rollout.spec.paused() || aborted || release.new.is_none() || release.is_fully_promoted() {
        return advanced;
    }
    if release.stable.is_none() || advanced.facts.promote_full {
        advanced.facts.step = release.steps().len();
    }
    while let Some(step) = release.steps().get(advanced.facts.step) {
        let done = match step.kind() {
            Some(StepKind::Pause(pause)) => pause_is_over(&mut advanced, pause, now),
            _ => {
                // Somebody moved the step while we waited at a pause: that wait is over.
                advanced.facts.pauses.retain(|pause| pause.reason != Some(PauseReason::CanaryPauseStep));
                advanced.facts.paused_by_us = !advanced.facts.pauses.is_empty();
                advanced.facts.pauses.is_empty() && is_reached(release, target_at(release, advanced.facts.step))
            }
        };
        if !done {
            return advanced;
        }
        step_done(release, &mut advanced, step);
    }
    advanced.facts.pauses.retain(|pause| pause.reason != Some(PauseReason::CanaryPauseStep));
    advanced.facts.paused_by_us = !advanced.facts.pauses.is_empty();
    if advanced.facts.pauses.is_empty() && may_be_stable(release) {
        promote(release, &mut advanced);
    }
    advanced
}

fn step_done(release: &Release<'_>, advanced: &mut Advanced, step: &CanaryStep) {
    let waited = advanced.facts.paused_by_us;
    advanced.facts.step += 1;
    advanced.facts.pauses.clear();
    advanced.facts.paused_by_us = false;
    let (number, count) = (advanced.facts.step, release.steps().len());
    let sentence = format!("Rollout step {number}/{count} completed ({})", describe(step));
    advanced.events.push(Event::normal("RolloutStepCompleted", sentence));
    if waited {
        advanced.events.push(Event::normal("RolloutResumed", "Rollout is resumed".to_owned()));
    }
}

/// Begins a pause, or says whether it is over: by time, or because somebody took its condition away.
fn pause_is_over(advanced: &mut Advanced, pause: &PauseStep, now: Timestamp) -> bool {
    let length = pause.duration.as_ref().and_then(|duration| duration.parse().ok());
    let length = length.map(|length| SignedDuration::from_nanos(length.nanos().max(0)));
    let facts = &mut advanced.facts;
    let since = match facts.pauses.first() {
        Some(PauseCondition { reason: Some(PauseReason::CanaryPauseStep), start_time }) => {
            start_time.as_ref().map_or(now, |Time(at)| *at)
        }
        Some(_) => return false,
        None if facts.paused_by_us => return true,
        None if length == Some(SignedDuration::ZERO) => return true,
        None => {
            let reason = PauseReason::CanaryPauseStep;
            let sentence = format!("Rollout is paused ({reason})");
            advanced.events.push(Event::normal("RolloutPaused", sentence));
            facts.pauses = vec![PauseCondition { reason: Some(reason), start_time: Some(Time(now)) }];
            facts.paused_by_us = true;
            now
        }
    };
    // A pause that ends beyond the calendar waits for a person.
    let Some(end) = length.and_then(|length| since.checked_add(length).ok()) else { return false };
    if end > now {
        advanced.wake_at = Some(end);
    }
    end <= now
}

/// Whether the pods are what a step wants: the new revision available, the others gone as far as wanted.
pub(crate) fn is_reached(release: &Release<'_>, target: Target) -> bool {
    let new = release.new.is_some_and(|new| {
        new.is_observed() && new.wanted == target.new && new.available_to_stay() >= needed(release, target.new)
    });
    let stable = release.other_stable().is_none_or(|stable| {
        stable.is_observed() && stable.wanted == target.stable && stable.replicas == target.stable
    });
    new && stable && release.others.iter().all(|other| other.available == 0)
}

/// Whether all that was wanted of the new revision is there.
fn may_be_stable(release: &Release<'_>) -> bool {
    release.new.is_some_and(|new| {
        new.is_observed()
            && new.wanted == release.replicas
            && new.available_to_stay() >= needed(release, release.replicas)
    })
}

/// Available pods of so many that let a step pass: all, unless the user is content with less.
pub(crate) fn needed(release: &Release<'_>, wanted: i32) -> i32 {
    let Some(threshold) = &release.canary.replica_progress_threshold else { return wanted };
    let value = threshold.value.unwrap_or(i32::MAX).max(0);
    let enough = match threshold.kind {
        Some(ProgressThresholdKind::Percent) => {
            let share = (i64::from(wanted) * i64::from(value) + 99) / 100;
            i32::try_from(share).unwrap_or(wanted)
        }
        Some(ProgressThresholdKind::Pods) => value,
        Some(ProgressThresholdKind::Other(_)) | None => wanted,
    };
    enough.min(wanted)
}

fn promote(release: &Release<'_>, advanced: &mut Advanced) {
    let steps = release.steps().len();
    let how = match release.stable {
        None => "Initial deploy".to_owned(),
        Some(_) if release.facts.promote_full => "Full promotion requested".to_owned(),
        Some(_) => format!("Completed all {steps} canary steps"),
    };
    let (revision, hash) = (release.revision, &release.new_hash);
    let sentence = format!("Rollout completed update to revision {revision} ({hash}): {how}");
    advanced.events.push(Event::normal("RolloutCompleted", sentence));
    let rejected = std::mem::take(&mut advanced.facts.rejected);
    advanced.facts = Facts { stable_hash: Some(hash.clone()), step: steps, rejected, ..Facts::default() };
    wishes::forgive(&mut advanced.facts, hash);
    advanced.promoted = true;
}

/// A step as an event names it.
pub(crate) fn describe(step: &CanaryStep) -> String {
    match step.kind() {
        Some(StepKind::SetWeight(weight)) => format!("setWeight: {weight}"),
        Some(StepKind::Pause(pause)) => match &pause.duration {
            Some(duration) => format!("pause: {duration}"),
            None => "pause".to_owned(),
        },
        _ => "unknown".to_owned(),
    }
}
