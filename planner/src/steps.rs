//! A canary's steps: which are done. Several may be done in one pass; each is told, in order.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::rollout::status::PauseReason;
use sluice_crds::rollout::step::PauseStep;
use sluice_crds::rollout::{CanaryStep, StepKind};

use crate::advance::{Advanced, is_complete, needed, pause_is_over, promote};
use crate::observe::Release;
use crate::plan::Event;
use crate::strategy::Target;
use crate::strategy::canary::target_at;

/// Goes as far through the steps as what is there allows, and promotes behind the last one.
pub(crate) fn advance(release: &Release<'_>, advanced: &mut Advanced, now: Timestamp) {
    if release.stable.is_none() || advanced.facts.promote_full {
        advanced.facts.step = release.steps().len();
    }
    while let Some(step) = release.steps().get(advanced.facts.step) {
        let done = match step.kind() {
            Some(StepKind::Pause(pause)) => {
                pause_is_over(advanced, PauseReason::CanaryPauseStep, length_of(pause), now)
            }
            _ => {
                // Somebody moved the step while we waited at a pause: that wait is over.
                leave_pause_step(advanced);
                advanced.facts.pauses.is_empty() && is_reached(release, target_at(release, advanced.facts.step))
            }
        };
        if !done {
            return;
        }
        step_done(release, advanced, step);
    }
    leave_pause_step(advanced);
    let complete = release.new.is_some_and(|new| is_complete(release, new, release.replicas));
    if advanced.facts.pauses.is_empty() && complete {
        let steps = release.steps().len();
        let how = match release.stable {
            None => "Initial deploy".to_owned(),
            Some(_) if release.facts.promote_full => "Full promotion requested".to_owned(),
            Some(_) => format!("Completed all {steps} canary steps"),
        };
        promote(release, advanced, &how);
    }
}

fn leave_pause_step(advanced: &mut Advanced) {
    advanced.facts.pauses.retain(|pause| pause.reason != Some(PauseReason::CanaryPauseStep));
    advanced.facts.paused_by_us = !advanced.facts.pauses.is_empty();
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

/// How long a pause lasts; none that ends by itself where no length is given.
pub(crate) fn length_of(pause: &PauseStep) -> Option<SignedDuration> {
    let length = pause.duration.as_ref().and_then(|duration| duration.parse().ok());
    length.map(|length| SignedDuration::from_nanos(length.nanos().max(0)))
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
