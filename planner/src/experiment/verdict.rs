//! What an Experiment has come to: it waits for pods, it runs, or it is over.

use jiff::Timestamp;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::experiment::{ExperimentAnalysisRun, ExperimentStatus, TemplatePhase, TemplateStatus};
use sluice_crds::mistake::{Mistake, for_condition};
use sluice_crds::values::seconds_time;

use super::analyses::NewRun;
use super::observe::Trial;
use super::refuse::Mistakes;

/// What an Experiment has come to, and why.
pub(super) enum Verdict {
    /// Not all pods are available yet.
    Waiting { why: String },
    /// All pods were available since then.
    Running { since: Timestamp, why: String },
    /// It is over.
    Ended { phase: AnalysisPhase, why: String },
}

pub(super) fn of(trial: &Trial<'_>, mistakes: &Mistakes, begun: &[NewRun], next: &ExperimentStatus) -> Verdict {
    let ended = |phase, why| Verdict::Ended { phase, why };
    if !mistakes.own.is_empty() {
        return ended(AnalysisPhase::Error, invalid(trial, &mistakes.own));
    }
    let versions = next.template_statuses.as_deref().unwrap_or_default();
    if let Some((phase, why)) = versions.iter().find_map(failed_version) {
        return ended(phase, why);
    }
    let runs = next.analysis_runs.as_deref().unwrap_or_default();
    if let Some((phase, why)) = worst_run(runs) {
        return ended(phase, why);
    }
    let broken: Vec<Mistake> = begun.iter().flat_map(|new| new.mistakes.clone()).collect();
    if !broken.is_empty() {
        return ended(AnalysisPhase::Error, format!("an analysis can't begin: {}", one_line(&broken)));
    }
    if trial.experiment.spec.terminate() {
        return ended(
            AnalysisPhase::Successful,
            "it was ended early, and nothing had failed (spec.terminate)".to_owned(),
        );
    }
    if !mistakes.references.is_empty() {
        let why = format!("waiting until what it refers to is mended: {}", one_line(&mistakes.references));
        return Verdict::Waiting { why };
    }
    let Some(since) = trial.available_at() else {
        let missing: Vec<String> = versions.iter().filter_map(missing).collect();
        return if missing.is_empty() {
            Verdict::Running { since: trial.now, why: "all pods are available".to_owned() }
        } else {
            Verdict::Waiting { why: format!("waiting for pods: {}", missing.join("; ")) }
        };
    };
    running(trial, since, runs)
}

/// The rest of the time, and the analyses that it waits for.
fn running(trial: &Trial<'_>, since: Timestamp, runs: &[ExperimentAnalysisRun]) -> Verdict {
    let is_done = |name: &str| runs.iter().any(|run| run.name == name && run.phase == Some(AnalysisPhase::Successful));
    let required: Vec<&str> = trial
        .analyses
        .iter()
        .filter(|analysis| analysis.asked.required_for_completion())
        .map(|analysis| analysis.asked.name.as_str())
        .collect();
    let awaited: Vec<&str> = required.iter().copied().filter(|name| !is_done(name)).collect();
    let ends_at = trial.ends_at();
    let is_over = ends_at.is_some_and(|at| at <= trial.now);
    if awaited.is_empty() && (is_over || !required.is_empty()) {
        let why = if required.is_empty() {
            let duration = trial.experiment.spec.duration.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("it ran for {duration}, and nothing failed")
        } else {
            format!("the analyses that it waited for succeeded: {}", required.join(", "))
        };
        return Verdict::Ended { phase: AnalysisPhase::Successful, why };
    }
    let why = match (awaited.is_empty(), ends_at) {
        (false, Some(at)) if !is_over => {
            let at = seconds_time(at);
            format!(
                "all pods were available; waiting for the analyses {} (its duration ends at {at})",
                awaited.join(", ")
            )
        }
        (false, _) => format!("all pods were available; waiting for the analyses {}", awaited.join(", ")),
        (true, Some(at)) => format!("all pods were available; it runs until {}", seconds_time(at)),
        (true, None) => "all pods were available; it runs until somebody ends it (spec.terminate)".to_owned(),
    };
    // What the API server refuses is an analysis here: the pods are all there.
    let why = match &trial.refused {
        Some((_, sentence)) => format!("{why}; {sentence}"),
        None => why,
    };
    Verdict::Running { since, why }
}

pub(super) fn invalid(trial: &Trial<'_>, mistakes: &[Mistake]) -> String {
    format!("The Experiment \"{}\" is invalid: {}", trial.name(), for_condition(mistakes))
}

fn one_line(mistakes: &[Mistake]) -> String {
    for_condition(mistakes).replace('\n', "; ")
}

fn missing(version: &TemplateStatus) -> Option<String> {
    let waits = version.status == Some(TemplatePhase::Progressing);
    waits.then(|| format!("{}: {}", version.name, version.message.as_deref().unwrap_or_default()))
}

fn failed_version(version: &TemplateStatus) -> Option<(AnalysisPhase, String)> {
    let phase = match version.status {
        Some(TemplatePhase::Failed) => AnalysisPhase::Failed,
        Some(TemplatePhase::Error) => AnalysisPhase::Error,
        _ => return None,
    };
    Some((
        phase,
        format!("version {} failed: {}", version.name, version.message.as_deref().unwrap_or("no reason given")),
    ))
}

/// Failed before could not be measured, before no clear verdict.
fn worst_run(runs: &[ExperimentAnalysisRun]) -> Option<(AnalysisPhase, String)> {
    let bad = [AnalysisPhase::Failed, AnalysisPhase::Error, AnalysisPhase::Inconclusive];
    let (phase, run) = bad.into_iter().find_map(|phase| {
        let run = runs.iter().find(|run| run.phase.as_ref() == Some(&phase))?;
        Some((phase, run))
    })?;
    let word = match phase {
        AnalysisPhase::Failed => "failed",
        AnalysisPhase::Error => "could not be measured",
        _ => "has no clear verdict",
    };
    let message = run.message.as_deref().unwrap_or("no reason given");
    let name = run.analysis_run.as_deref().unwrap_or_default();
    Some((phase, format!("analysis {} {word}: {message} (AnalysisRun {name})", run.name)))
}
