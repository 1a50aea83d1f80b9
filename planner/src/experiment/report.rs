//! The status of an Experiment, what is told of it, and when to look again.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::experiment::{ExperimentAnalysisRun, ExperimentStatus, TemplatePhase, TemplateStatus};
use sluice_crds::unit::Condition;

use super::observe::{Trial, Version};
use super::refuse::Mistakes;
use super::verdict::{Verdict, invalid};
use super::versions;
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Plan, Write};

/// The condition that says that nothing can be run.
const INVALID: &str = "InvalidExperimentSpec";

pub(super) fn report(
    trial: &Trial<'_>,
    mut next: ExperimentStatus,
    verdict: Verdict,
    mistakes: &Mistakes,
    plan: &mut Plan,
) {
    let (phase, why) = match verdict {
        Verdict::Waiting { why } => (AnalysisPhase::Pending, why),
        Verdict::Running { since, why } => {
            next.available_at = Some(Time(since));
            (AnalysisPhase::Running, why)
        }
        Verdict::Ended { phase, why } => (phase, why),
    };
    if phase.is_completed() {
        let ran_on =
            |status: &&mut TemplateStatus| !matches!(status.status, Some(TemplatePhase::Failed | TemplatePhase::Error));
        for version in next.template_statuses.iter_mut().flatten().filter(ran_on) {
            version.status = Some(TemplatePhase::Successful);
            version.last_transition_time = Some(Time(trial.now));
            version.message = None;
        }
    }
    next.phase = Some(phase);
    next.message = Some(why.clone());
    next.conditions = conditions(trial, mistakes);
    plan.why = why;
    plan.wake_at = wake_at(trial, &next);
    let events = events(trial, &next);
    write(trial, &next, events, plan);
}

/// The status as a write, if it differs from the stored one, onto the very state that it was made from.
pub(super) fn write(trial: &Trial<'_>, next: &ExperimentStatus, events: Vec<Event>, plan: &mut Plan) {
    if trial.experiment.status.as_ref() == Some(next) {
        return;
    }
    plan.events = events;
    let patch = Patch::of(trial.uid())
        .read("/metadata/resourceVersion", json!(trial.experiment.metadata.resource_version))
        .set("/status", serde_json::to_value(next).unwrap_or(Value::Null));
    plan.status = Some(Write {
        target: trial.target(Kind::Experiment, trial.name()),
        action: Action::Patch(patch.operations()),
        reason: plan.why.clone(),
        events: Vec::new(),
    });
}

/// Whether a name that is taken is free again is looked for after so long: nobody tells us of objects of others.
const NAMES_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// The end of its time, and the deadlines of versions that are not up.
fn wake_at(trial: &Trial<'_>, next: &ExperimentStatus) -> Option<Timestamp> {
    if next.phase.as_ref().is_some_and(AnalysisPhase::is_completed) {
        return None;
    }
    let waiting = next.template_statuses.iter().flatten();
    let waiting = waiting.filter(|version| version.status == Some(TemplatePhase::Progressing));
    let deadlines = waiting.filter_map(|version| versions::deadline(trial, version));
    let taken = |version: &Version<'_>| version.set_name_is_taken || version.service_name_is_taken;
    let is_free_again = trial.versions.iter().any(taken).then(|| trial.now.checked_add(NAMES_AGAIN).ok()).flatten();
    deadlines.chain(trial.ends_at()).chain(is_free_again).filter(|at| *at > trial.now).min()
}

fn conditions(trial: &Trial<'_>, mistakes: &Mistakes) -> Option<Vec<Condition>> {
    let mut conditions = trial.stored.conditions.clone().unwrap_or_default();
    let before = conditions.iter().position(|condition| condition.kind == INVALID).map(|at| conditions.remove(at));
    if !mistakes.own.is_empty() {
        let since = before.and_then(|before| before.last_transition_time).unwrap_or(Time(trial.now));
        conditions.push(Condition {
            kind: INVALID.to_owned(),
            status: "True".to_owned(),
            reason: Some(INVALID.to_owned()),
            message: Some(invalid(trial, &mistakes.own)),
            last_transition_time: Some(since.clone()),
            last_update_time: Some(since),
        });
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// What is new in a status.
fn events(trial: &Trial<'_>, next: &ExperimentStatus) -> Vec<Event> {
    let before = &trial.stored;
    let mut events: Vec<Event> =
        next.template_statuses.iter().flatten().filter_map(|version| of_version(before, version)).collect();
    events.extend(next.analysis_runs.iter().flatten().filter_map(|run| of_run(before, run)));
    if before.phase != next.phase
        && let Some(phase) = &next.phase
    {
        let why = next.message.as_deref().unwrap_or_default();
        events.extend(told(reason_of_experiment(phase), is_bad(phase), format!("Experiment is {phase}: {why}")));
    }
    events
}

fn of_version(before: &ExperimentStatus, version: &TemplateStatus) -> Option<Event> {
    let was = before.template_statuses.iter().flatten().find(|was| was.name == version.name);
    let phase = version.status.as_ref()?;
    if was.and_then(|was| was.status.as_ref()) == Some(phase) {
        return None;
    }
    let reason = match phase {
        TemplatePhase::Progressing => "TemplateProgressing",
        TemplatePhase::Running => "TemplateRunning",
        TemplatePhase::Successful => "TemplateSuccessful",
        TemplatePhase::Failed => "TemplateFailed",
        TemplatePhase::Error => "TemplateError",
        TemplatePhase::Other(_) => return None,
    };
    let because = version.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
    let is_bad = matches!(phase, TemplatePhase::Failed | TemplatePhase::Error);
    told(Some(reason), is_bad, format!("Version {} is {phase}{because}", version.name))
}

/// That one begins is told where it is created.
fn of_run(before: &ExperimentStatus, run: &ExperimentAnalysisRun) -> Option<Event> {
    let was = before.analysis_runs.iter().flatten().find(|was| was.name == run.name);
    let phase = run.phase.as_ref()?;
    if was.and_then(|was| was.phase.as_ref()) == Some(phase) {
        return None;
    }
    let reason = match phase {
        AnalysisPhase::Running => "AnalysisRunRunning",
        AnalysisPhase::Successful => "AnalysisRunSuccessful",
        AnalysisPhase::Failed => "AnalysisRunFailed",
        AnalysisPhase::Error => "AnalysisRunError",
        AnalysisPhase::Inconclusive => "AnalysisRunInconclusive",
        AnalysisPhase::Pending | AnalysisPhase::Other(_) => return None,
    };
    let because = run.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
    told(Some(reason), is_bad(phase), format!("Analysis {} is {phase}{because}", run.name))
}

fn reason_of_experiment(phase: &AnalysisPhase) -> Option<&'static str> {
    Some(match phase {
        AnalysisPhase::Pending => "ExperimentPending",
        AnalysisPhase::Running => "ExperimentRunning",
        AnalysisPhase::Successful => "ExperimentSuccessful",
        AnalysisPhase::Failed => "ExperimentFailed",
        AnalysisPhase::Error => "ExperimentError",
        AnalysisPhase::Inconclusive => "ExperimentInconclusive",
        AnalysisPhase::Other(_) => return None,
    })
}

fn is_bad(phase: &AnalysisPhase) -> bool {
    matches!(phase, AnalysisPhase::Failed | AnalysisPhase::Error)
}

fn told(reason: Option<&'static str>, is_bad: bool, message: String) -> Option<Event> {
    reason.map(|reason| if is_bad { Event::warning(reason, message) } else { Event::normal(reason, message) })
}
