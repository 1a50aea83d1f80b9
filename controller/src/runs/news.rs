//! What is told about a run when its status changes.

use sluice_crds::analysis::{AnalysisPhase, AnalysisRunStatus, MetricResult};
use sluice_planner::{Event, EventType};

/// Whether a verdict is in this status that wasn't there before: that is written at once.
pub(crate) fn has_verdict(before: Option<&AnalysisRunStatus>, after: &AnalysisRunStatus) -> bool {
    before.and_then(|before| before.phase.as_ref()) != after.phase.as_ref() || !new_verdicts(before, after).is_empty()
}

/// The events of a change.
pub(crate) fn events(before: Option<&AnalysisRunStatus>, after: &AnalysisRunStatus) -> Vec<Event> {
    let of_metrics = new_verdicts(before, after).into_iter().filter_map(|(result, phase)| {
        let [reason, _] = reasons(phase)?;
        let because = result.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        Some(event(phase, reason, format!("Metric {:?} is {phase}{because}", result.name)))
    });
    let mut events: Vec<Event> = of_metrics.collect();
    let was = before.and_then(|before| before.phase.as_ref());
    if let Some(phase) = after.phase.as_ref().filter(|phase| phase.is_completed() && was != Some(*phase))
        && let Some([_, reason]) = reasons(phase)
    {
        let because = after.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        events.push(event(phase, reason, format!("The analysis is {phase}{because}")));
    }
    events
}

fn new_verdicts<'s>(
    before: Option<&AnalysisRunStatus>,
    after: &'s AnalysisRunStatus,
) -> Vec<(&'s MetricResult, &'s AnalysisPhase)> {
    let old = before.and_then(|before| before.metric_results.as_deref()).unwrap_or_default();
    let was = |result: &MetricResult| old.iter().find(|old| old.name == result.name).and_then(|old| old.phase.clone());
    let results = after.metric_results.iter().flatten();
    let completed = results.filter_map(|result| Some((result, result.phase.as_ref().filter(|p| p.is_completed())?)));
    completed.filter(|(result, phase)| was(result).as_ref() != Some(*phase)).collect()
}

/// The words under which tools look for a verdict on a metric, and on a run.
fn reasons(phase: &AnalysisPhase) -> Option<[&'static str; 2]> {
    match phase {
        AnalysisPhase::Successful => Some(["MetricSuccessful", "AnalysisRunSuccessful"]),
        AnalysisPhase::Failed => Some(["MetricFailed", "AnalysisRunFailed"]),
        AnalysisPhase::Error => Some(["MetricError", "AnalysisRunError"]),
        AnalysisPhase::Inconclusive => Some(["MetricInconclusive", "AnalysisRunInconclusive"]),
        AnalysisPhase::Pending | AnalysisPhase::Running | AnalysisPhase::Other(_) => None,
    }
}

fn event(phase: &AnalysisPhase, reason: &'static str, message: String) -> Event {
    let is_bad = matches!(phase, AnalysisPhase::Failed | AnalysisPhase::Error);
    Event { kind: if is_bad { EventType::Warning } else { EventType::Normal }, reason, message }
}
