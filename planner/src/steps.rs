//! A canary's steps: which are done. Several may be done in one pass; each is told, in order.

use jiff::{SignedDuration, Timestamp};
use sluice_analysis::names::RunKind;
use sluice_crds::rollout::status::PauseReason;
use sluice_crds::rollout::step::PauseStep;
use sluice_crds::rollout::{CanaryStep, StepKind};

use crate::advance::{Advanced, is_complete, needed, pause_is_over, promote};
use crate::analyses::{self, Gate};
use crate::observe::{Release, Strategy};
use crate::plan::Event;
use crate::strategy::{Target, target_at};
use crate::{plugins, traffic, trials};

/// Goes as far through the steps as what is there allows, and promotes behind the last one.
pub(crate) fn advance<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, now: Timestamp) {
    if release.stable.is_none() || advanced.facts.promote_full {
        advanced.facts.step = release.steps().len();
    }
    if !background_allows(release, advanced, now) {
        return;
    }
    while let Some(step) = release.steps().get(advanced.facts.step) {
        let done = match step.kind() {
            Some(StepKind::Pause(pause)) => {
                pause_is_over(advanced, PauseReason::CanaryPauseStep, length_of(pause), now)
            }
            Some(StepKind::Analysis(analysis)) => {
                leave_pause_step(advanced);
                let kind = RunKind::Step(advanced.facts.step);
                let held = !advanced.facts.pauses.is_empty();
                analyses::judge(release, advanced, kind, analysis, now) == Gate::Passed && !held
            }
            Some(StepKind::Experiment(asked)) => {
                let resumed = advanced.facts.paused_by_us && advanced.facts.pauses.is_empty();
                leave_pause_step(advanced);
                let gate = trials::judge(release, advanced, asked, resumed, now);
                gate == Gate::Passed && advanced.facts.pauses.is_empty()
            }
            Some(StepKind::Plugin(plugin)) => {
                leave_pause_step(advanced);
                advanced.facts.pauses.is_empty() && plugins::run(release, advanced, plugin, now)
            }
            _ => {
                // Somebody moved the step while we waited at a pause: that wait is over.
                leave_pause_step(advanced);
                let step = advanced.facts.step;
                advanced.facts.pauses.is_empty()
                    && is_reached(release, target_at(release, step))
                    && is_routed(release, advanced, step)
            }
        };
        if !done {
            return;
        }
        step_done(release, advanced, step);
    }
    leave_pause_step(advanced);
    let complete = release.new.is_some_and(|new| is_complete(release, new, release.replicas));
    let has_all = release.replicas == 0 || release.stable.is_none();
    if advanced.facts.pauses.is_empty() && complete && (has_all || is_routed(release, advanced, release.steps().len()))
    {
        let steps = release.steps().len();
        let how = match release.stable {
            None => "Initial deploy".to_owned(),
            Some(_) if release.facts.promote_full => "Full promotion requested".to_owned(),
            Some(_) => format!("Completed all {steps} canary steps"),
        };
        promote(release, advanced, &how);
    }
}

/// Whether the analysis beside the steps lets them go on. It begins at its step; where it can't measure, nothing
/// goes on, because nobody knows.
fn background_allows<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, now: Timestamp) -> bool {
    let Strategy::Canary(canary) = release.strategy else { return true };
    let Some(background) = &canary.analysis else { return true };
    let begins = usize::try_from(background.starting_step()).unwrap_or(0) <= advanced.facts.step;
    let skipped = advanced.facts.promote_full || release.stable.is_none() || release.in_rollback_window;
    if !begins || skipped {
        return true;
    }
    if analyses::judge(release, advanced, RunKind::Background, &background.analysis, now) == Gate::Stopped {
        return false;
    }
    let run = advanced.facts.runs.background.as_ref().and_then(|run| analyses::find(release, &run.name));
    advanced.blind = run.and_then(|run| run.status.as_ref()).and_then(sluice_analysis::run::unmeasured);
    advanced.blind.is_none()
}

fn leave_pause_step(advanced: &mut Advanced<'_>) {
    advanced.facts.pauses.retain(|pause| pause.reason != Some(PauseReason::CanaryPauseStep));
    advanced.facts.paused_by_us = !advanced.facts.pauses.is_empty();
}

fn step_done(release: &Release<'_>, advanced: &mut Advanced<'_>, step: &CanaryStep) {
    let waited = advanced.facts.paused_by_us;
    advanced.facts.step += 1 + usize::from(sabotaged!(TakesTwoSteps));
    advanced.facts.pauses.clear();
    advanced.facts.paused_by_us = false;
    advanced.facts.runs.step = None;
    advanced.facts.experiment = None;
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

/// Whether the routers, if there are any, do what a step wants of them.
fn is_routed(release: &Release<'_>, advanced: &mut Advanced<'_>, step: usize) -> bool {
    let Some(routers) = &release.traffic else { return true };
    advanced.waits_for_routers = traffic::missing_at(release, routers, step);
    advanced.waits_for_routers.is_none()
}

/// Whether the pods are what a step wants: the new revision available, the others gone as far as wanted. Where routers
/// divide the traffic, pods beside those of the new revision are no part of a step.
pub(crate) fn is_reached(release: &Release<'_>, target: Target) -> bool {
    let new = release.new.is_some_and(|new| {
        new.is_observed() && new.wanted == target.new && new.available_to_stay() >= needed(release, target.new)
    });
    if release.traffic.is_some() {
        return new;
    }
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
        Some(StepKind::Analysis(_)) => "analysis".to_owned(),
        Some(StepKind::Experiment(_)) => "experiment".to_owned(),
        Some(StepKind::Plugin(plugin)) => format!("plugin: {}", plugin.name),
        Some(StepKind::SetCanaryScale(_)) => "setCanaryScale".to_owned(),
        Some(StepKind::SetHeaderRoute(route)) => format!("setHeaderRoute: {}", route.name),
        Some(StepKind::SetMirrorRoute(route)) => format!("setMirrorRoute: {}", route.name),
        _ => "unknown".to_owned(),
    }
}
