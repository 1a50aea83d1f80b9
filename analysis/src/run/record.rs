//! An answer becomes a measurement.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_crds::analysis::{AnalysisPhase, Measurement, MetricResult, OnNoData};
use sluice_crds::values::Shared;

use super::prepared::PreparedMetric;
use super::{Answer, NO_DATA, Outcome, failures_in_a_row, in_flight, no_data_in_a_row, whole_seconds};
use crate::provider::job::JobRef;
use crate::secrets::Redactor;
use crate::verdict::{Judged, Judgement};

/// The longest message of a measurement, in characters.
const LONGEST_MESSAGE: usize = 1_000;

/// Writes what came of a task into the metric's result.
pub(super) fn record(
    metric: &PreparedMetric,
    result: &mut MetricResult,
    answer: Answer,
    redactor: &Redactor,
    now: Timestamp,
) {
    let mut measurement = match in_flight(result) {
        Some(begun) => begun.clone(),
        None => Measurement { started_at: Some(whole_seconds(answer.asked_at)), ..Measurement::default() },
    };
    if in_flight(result).is_some() {
        result.measurements.as_mut().and_then(Vec::pop);
    }
    let (judged, metadata) = match answer.outcome {
        Outcome::InFlight { resume_at, metadata } => {
            measurement.phase = Some(AnalysisPhase::Running);
            measurement.resume_at = Some(whole_seconds(resume_at));
            add(&mut measurement.metadata, metadata, redactor);
            result.measurements.get_or_insert_default().push(measurement);
            return;
        }
        Outcome::Reading(reading) => {
            measurement.value = Some(redactor.clean(&reading.shown));
            let judged = metric.conditions.judge(&metric.metric.name, &reading, now);
            (judged, reading.metadata)
        }
        Outcome::Verdict { phase, message, metadata } => {
            let judgement = match phase {
                AnalysisPhase::Successful => Judgement::Successful,
                AnalysisPhase::Failed => Judgement::Failed,
                AnalysisPhase::Inconclusive => Judgement::Inconclusive,
                _ => Judgement::Error,
            };
            (Judged { judgement, message }, metadata)
        }
        Outcome::Failure(failure) => (Judged { judgement: Judgement::Error, message: failure.0 }, BTreeMap::new()),
    };
    let judged = with_policy(judged, metric.on_no_data.as_ref());
    count(result, judged.judgement);
    measurement.phase = Some(judged.judgement.phase());
    measurement.message = Some(shortened(&redactor.clean(&judged.message))).filter(|message| !message.is_empty());
    measurement.resume_at = None;
    measurement.finished_at = Some(whole_seconds(now.max(answer.asked_at)));
    add(&mut measurement.metadata, metadata, redactor);
    result.measurements.get_or_insert_default().push(measurement);
}

/// What the user said that no data means.
fn with_policy(judged: Judged, policy: Option<&OnNoData>) -> Judged {
    if judged.judgement != Judgement::NoData {
        return judged;
    }
    let judgement = match policy {
        Some(OnNoData::Inconclusive) => Judgement::Inconclusive,
        Some(OnNoData::Failure) => Judgement::Failed,
        Some(OnNoData::Success) => Judgement::Successful,
        Some(OnNoData::Wait | OnNoData::Other(_)) | None => Judgement::NoData,
    };
    Judged { judgement, message: format!("{NO_DATA} {}", judged.message) }
}

/// An attempt that measured nothing is an error to the counters and no measurement to `count`. One that found no data
/// ends a row of errors, because the server did answer.
fn count(result: &mut MetricResult, judgement: Judgement) {
    let (no_data, bad) = (no_data_in_a_row(result), failures_in_a_row(result));
    let add = |counter: &mut Option<i32>| *counter = Some(counter.unwrap_or(0).saturating_add(1));
    match judgement {
        Judgement::Error => {
            add(&mut result.error);
            add(&mut result.consecutive_error);
            result.consecutive_success = Some(0);
            return;
        }
        Judgement::NoData => {
            add(&mut result.error);
            result.consecutive_error = Some(0);
            result.consecutive_no_data = Some(no_data.saturating_add(1));
            result.consecutive_success = Some(0);
            return;
        }
        Judgement::Successful => {
            add(&mut result.successful);
            add(&mut result.consecutive_success);
        }
        Judgement::Failed => add(&mut result.failed),
        Judgement::Inconclusive => add(&mut result.inconclusive),
    }
    add(&mut result.count);
    result.consecutive_error = Some(0);
    result.consecutive_no_data = Some(0);
    if judgement != Judgement::Successful {
        result.consecutive_success = Some(0);
    }
    result.consecutive_failure = Some(if judgement == Judgement::Failed { bad.saturating_add(1) } else { 0 });
}

fn add(notes: &mut Option<Shared<BTreeMap<String, String>>>, more: BTreeMap<String, String>, redactor: &Redactor) {
    if more.is_empty() {
        return;
    }
    let notes = notes.get_or_insert_default().to_mut();
    notes.extend(more.into_iter().map(|(name, value)| (name, redactor.clean(&value))));
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Drops the oldest measurements beyond those to keep, and says which Jobs go with them.
pub(super) fn retain(metric: &PreparedMetric, result: &mut MetricResult, dropped: &mut Vec<JobRef>) {
    let Some(measurements) = result.measurements.as_mut() else {
        return;
    };
    let surplus = measurements.len().saturating_sub(metric.kept);
    dropped.extend(measurements.drain(..surplus).filter_map(|one| JobRef::of(&one)));
}
