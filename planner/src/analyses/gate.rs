//! What a run's verdict does to the release that asked for it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_analysis::names::RunKind;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::RolloutAnalysis;
use sluice_crds::rollout::analysis::OnFailure;
use sluice_crds::rollout::status::{AnalysisRunRef, PauseCondition, PauseReason};

use super::runs::{NewRun, belongs, find, next_name, phase_of};
use super::{called, check};
use crate::advance::Advanced;
use crate::observe::Release;
use crate::plan::Event;
use crate::wishes;

/// What an analysis lets the release do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// There is no verdict yet.
    Waiting,
    /// It succeeded.
    Passed,
    /// The release is held or taken back.
    Stopped,
}

/// Reads the verdict of the run of this kind, and begins the run where there is none.
pub(crate) fn judge<'a>(
    release: &Release<'a>,
    advanced: &mut Advanced<'a>,
    kind: RunKind,
    asked: &'a RolloutAnalysis,
    now: Timestamp,
) -> Gate {
    let gate = read(release, advanced, kind, asked, now);
    if gate == Gate::Waiting && kind != RunKind::Background {
        advanced.waits_for_run = Some(kind);
    }
    gate
}

fn read<'a>(
    release: &Release<'a>,
    advanced: &mut Advanced<'a>,
    kind: RunKind,
    asked: &'a RolloutAnalysis,
    now: Timestamp,
) -> Gate {
    let remembered = advanced.facts.runs.of(kind).clone().filter(|run| belongs(release, kind, run));
    let Some(before) = remembered else { return begin(release, advanced, kind, asked) };
    // Somebody deleted it: what it would have said is not known.
    let Some(run) = find(release, &before.name) else { return begin(release, advanced, kind, asked) };
    let phase = phase_of(run);
    let is_news = before.status.as_ref() != Some(&phase);
    let message = run.status.as_ref().and_then(|status| status.message.clone());
    let now_is = AnalysisRunRef { name: before.name.clone(), status: Some(phase.clone()), message: message.clone() };
    *advanced.facts.runs.of(kind) = Some(now_is);
    if is_news {
        advanced.events.extend(told(kind, &before.name, &phase, message.as_deref()));
    }
    match phase {
        AnalysisPhase::Successful => Gate::Passed,
        AnalysisPhase::Failed | AnalysisPhase::Error if asked.on_failure() == OnFailure::Abort => {
            let message = message.unwrap_or_else(|| "no reason given".to_owned());
            let word = if phase == AnalysisPhase::Failed { "failed" } else { "could not be measured" };
            advanced.failure = Some(format!("{} {word}: {message} (AnalysisRun {})", called(kind), before.name));
            wishes::abort(&mut advanced.facts, now);
            Gate::Stopped
        }
        AnalysisPhase::Failed | AnalysisPhase::Error | AnalysisPhase::Inconclusive => {
            if is_news {
                hold(advanced, now);
                return Gate::Stopped;
            }
            if !advanced.facts.pauses.is_empty() {
                return Gate::Stopped;
            }
            // Held before: a person who goes on without moving the step wants it measured again. The pause that
            // comes behind the analysis has not begun, so it is not what they ended.
            if kind == RunKind::PrePromotion {
                advanced.facts.paused_by_us = false;
            }
            begin(release, advanced, kind, asked)
        }
        _ => Gate::Waiting,
    }
}

/// While a person holds the release nothing goes on, but what has failed goes back all the same.
pub(crate) fn take_back_what_failed<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, now: Timestamp) {
    for (kind, _, asked) in check::asked(release.rollout) {
        let counts = advanced.facts.runs.of(kind).clone().filter(|run| belongs(release, kind, run));
        let run = counts.and_then(|run| find(release, &run.name));
        let failed = run.is_some_and(|run| matches!(phase_of(run), AnalysisPhase::Failed | AnalysisPhase::Error));
        if failed && asked.on_failure() == OnFailure::Abort {
            read(release, advanced, kind, asked, now);
            return;
        }
    }
}

/// Keeps what the status says of a run true when nothing depends on its verdict any more.
pub(crate) fn note(release: &Release<'_>, advanced: &mut Advanced<'_>, kind: RunKind) {
    if let Some(noted) = advanced.facts.runs.of(kind)
        && let Some(run) = find(release, &noted.name)
    {
        noted.status = Some(phase_of(run));
        noted.message = run.status.as_ref().and_then(|status| status.message.clone());
    }
}

fn begin<'a>(release: &Release<'a>, advanced: &mut Advanced<'a>, kind: RunKind, asked: &'a RolloutAnalysis) -> Gate {
    let name = next_name(release, kind);
    let status = Some(AnalysisPhase::Pending);
    *advanced.facts.runs.of(kind) = Some(AnalysisRunRef { name: name.clone(), status, message: None });
    if find(release, &name).is_none() {
        advanced.new_runs.push(NewRun { name, kind, asked });
    }
    Gate::Waiting
}

fn hold(advanced: &mut Advanced<'_>, now: Timestamp) {
    let reason = PauseReason::InconclusiveAnalysisRun;
    advanced.events.push(Event::normal("RolloutPaused", format!("Rollout is paused ({reason})")));
    advanced.facts.pauses = vec![PauseCondition { reason: Some(reason), start_time: Some(Time(now)) }];
    advanced.facts.paused_by_us = true;
}

fn told(kind: RunKind, name: &str, phase: &AnalysisPhase, message: Option<&str>) -> Option<Event> {
    let because = message.map_or_else(String::new, |message| format!(": {message}"));
    let sentence = format!("{} {name} is {phase}{because}", called(kind));
    match phase {
        AnalysisPhase::Pending => Some(Event::normal("AnalysisRunPending", sentence)),
        AnalysisPhase::Running => Some(Event::normal("AnalysisRunRunning", sentence)),
        AnalysisPhase::Successful => Some(Event::normal("AnalysisRunSuccessful", sentence)),
        AnalysisPhase::Failed => Some(Event::warning("AnalysisRunFailed", sentence)),
        AnalysisPhase::Error => Some(Event::warning("AnalysisRunError", sentence)),
        AnalysisPhase::Inconclusive => Some(Event::normal("AnalysisRunInconclusive", sentence)),
        AnalysisPhase::Other(_) => None,
    }
}
