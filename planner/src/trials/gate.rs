//! What an Experiment's verdict does to the release that runs it as a step.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::StepKind;
use sluice_crds::rollout::experiment::ExperimentStep;
use sluice_crds::rollout::status::{PauseCondition, PauseReason};

use super::{NewTrial, base_name, find, phase_of};
use crate::advance::Advanced;
use crate::analyses::Gate;
use crate::observe::Release;
use crate::plan::Event;
use crate::wishes;

/// Reads the verdict of the step's Experiment, and begins it where there is none. One that has none is run again when
/// somebody has `resumed` the release behind it.
pub(crate) fn judge<'a>(
    release: &Release<'a>,
    advanced: &mut Advanced<'a>,
    asked: &'a ExperimentStep,
    resumed: bool,
    now: Timestamp,
) -> Gate {
    let step = advanced.facts.step;
    let named = advanced.facts.experiment.clone().filter(|name| belongs(release, step, name));
    // Where somebody deleted it, what it would have said is not known.
    let Some(experiment) = named.as_deref().and_then(|name| find(release, name)) else {
        return begin(release, advanced, asked);
    };
    let name = named.unwrap_or_default();
    match phase_of(experiment) {
        AnalysisPhase::Successful => Gate::Passed,
        phase @ (AnalysisPhase::Failed | AnalysisPhase::Error) => {
            let word = if phase == AnalysisPhase::Failed { "failed" } else { "could not be run" };
            let message = message_of(release, &name).unwrap_or_else(|| "no reason given".to_owned());
            advanced.failure = Some(format!("experiment of the step {word}: {message} (Experiment {name})"));
            wishes::abort(&mut advanced.facts, now);
            Gate::Stopped
        }
        AnalysisPhase::Inconclusive if !advanced.facts.pauses.is_empty() => Gate::Stopped,
        AnalysisPhase::Inconclusive if resumed => begin(release, advanced, asked),
        AnalysisPhase::Inconclusive => {
            hold(advanced, now);
            Gate::Stopped
        }
        _ => {
            advanced.waits_for_experiment = Some(name);
            Gate::Waiting
        }
    }
}

/// While a person holds the release nothing goes on, but what has failed goes back all the same.
pub(crate) fn take_back_what_failed<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, now: Timestamp) {
    let step = advanced.facts.step;
    let kind = release.steps().get(step).and_then(sluice_crds::rollout::CanaryStep::kind);
    let Some(StepKind::Experiment(asked)) = kind else { return };
    let named = advanced.facts.experiment.clone().filter(|name| belongs(release, step, name));
    let experiment = named.as_deref().and_then(|name| find(release, name));
    if experiment.is_some_and(|one| matches!(phase_of(one), AnalysisPhase::Failed | AnalysisPhase::Error)) {
        judge(release, advanced, asked, false, now);
    }
}

/// What an Experiment says of itself.
pub(crate) fn message_of(release: &Release<'_>, name: &str) -> Option<String> {
    find(release, name)?.status.as_ref()?.message.clone()
}

/// Whether an Experiment is one of this step: a person may have moved the step.
pub(super) fn belongs(release: &Release<'_>, step: usize, name: &str) -> bool {
    let base = base_name(release, step);
    name == base || name.strip_prefix(&base).is_some_and(|rest| rest.starts_with('-'))
}

fn begin<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, asked: &'a ExperimentStep) -> Gate {
    let step = advanced.facts.step;
    let (name, is_there) = next_name(release, step);
    advanced.facts.experiment = Some(name.clone());
    advanced.waits_for_experiment = Some(name.clone());
    if !is_there {
        advanced.new_trial = Some(NewTrial { name, asked });
    }
    Gate::Waiting
}

/// The first name that no Experiment has, or that of one of ours that goes on: it was begun just before a crash.
fn next_name(release: &Release<'_>, step: usize) -> (String, bool) {
    let base = base_name(release, step);
    let mut name = base.clone();
    let mut again = 0_u32;
    let taken = |name: &str| release.snapshot.experiments.iter().any(|one| super::name_of(one) == name);
    while taken(&name) {
        let goes_on = |one: &sluice_crds::Experiment| !phase_of(one).is_completed() && !one.spec.terminate();
        if find(release, &name).is_some_and(goes_on) {
            return (name, true);
        }
        again += 1;
        name = format!("{base}-{again}");
    }
    (name, false)
}

fn hold(advanced: &mut Advanced<'_>, now: Timestamp) {
    let reason = PauseReason::InconclusiveExperiment;
    advanced.events.push(Event::normal("RolloutPaused", format!("Rollout is paused ({reason})")));
    advanced.facts.pauses = vec![PauseCondition { reason: Some(reason), start_time: Some(Time(now)) }];
    advanced.facts.paused_by_us = true;
}
