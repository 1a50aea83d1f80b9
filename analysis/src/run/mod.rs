//! Runs: what to measure when, and what the measurements come to.
//!
//! A pass over a run is: [`Prepared::new`] once per spec; [`assess`] with the answers that came in; [`plan`] on the
//! status that it gave; whatever the plan asks of Jobs, with [`assess`] again; and one write of the status.

mod assess;
mod limits;
mod plan;
mod prepared;
mod record;
mod summary;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::analysis::{AnalysisPhase, AnalysisRunStatus, Measurement, MetricResult};

pub use assess::{Assessment, assess, refuse};
pub use plan::{RunPlan, Task, What, deleted_at, next_attempt, plan};
pub use prepared::{Prepared, PreparedMetric};

use crate::provider::{Failure, Reading};

/// The beginning of the message of a measurement that found no value.
pub const NO_DATA: &str = "NoData:";

/// What came of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which metric, by its place in the run.
    pub metric: usize,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of asking a provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value, for the conditions to judge.
    Reading(Reading),
    /// The provider judged by itself, as a Job does.
    Verdict {
        /// Its verdict.
        phase: AnalysisPhase,
        /// Its reason.
        message: String,
        /// What it notes.
        metadata: BTreeMap<String, String>,
    },
    /// It takes longer.
    InFlight {
        /// When to look again.
        resume_at: Timestamp,
        /// What it notes, such as the name of its Job.
        metadata: BTreeMap<String, String>,
    },
    /// Nothing was measured.
    Failure(Failure),
}

/// Why a release that looks at this run must not go on now: its latest attempts that measured nothing, in a sentence.
/// Metrics that don't count are left out.
pub fn unmeasured(status: &AnalysisRunStatus) -> Option<String> {
    let results = status.metric_results.iter().flatten().filter(|result| result.dry_run != Some(true));
    let blind = results.filter_map(|result| {
        let last = last_finished(result)?;
        let is_blind = last.phase == Some(AnalysisPhase::Error);
        is_blind.then(|| format!("{}: {}", result.name, last.message.as_deref().unwrap_or("not measured")))
    });
    let sentences: Vec<String> = blind.take(3).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// The latest measurement that has come to its end.
fn last_finished(result: &MetricResult) -> Option<&Measurement> {
    result.measurements.as_deref()?.iter().rev().find(|measurement| measurement.finished_at.is_some())
}

/// The measurement that the provider still works on.
pub fn in_flight(result: &MetricResult) -> Option<&Measurement> {
    result.measurements.as_deref()?.last().filter(|measurement| measurement.finished_at.is_none())
}

fn found_no_data(measurement: &Measurement) -> bool {
    measurement.phase == Some(AnalysisPhase::Error)
        && measurement.message.as_deref().is_some_and(|message| message.starts_with(NO_DATA))
}

/// How often in a row nothing was found. A server with other CRDs drops the count, so the measurements are counted
/// where it is not there.
fn no_data_in_a_row(result: &MetricResult) -> i32 {
    result.consecutive_no_data.unwrap_or_else(|| {
        let measurements = result.measurements.iter().flatten().rev();
        let attempts = measurements.take_while(|one| one.phase == Some(AnalysisPhase::Error) || one.phase.is_none());
        count_of(attempts.filter(|one| found_no_data(one)).count())
    })
}

/// How often in a row the value was bad; counted from the measurements where the count is not there.
fn failures_in_a_row(result: &MetricResult) -> i32 {
    result.consecutive_failure.unwrap_or_else(|| {
        let finished = result.measurements.iter().flatten().rev().filter(|one| one.finished_at.is_some());
        let measured = finished.filter(|one| one.phase != Some(AnalysisPhase::Error));
        count_of(measured.take_while(|one| one.phase == Some(AnalysisPhase::Failed)).count())
    })
}

fn count_of(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(i32::MAX)
}

fn is_completed(phase: Option<&AnalysisPhase>) -> bool {
    phase.is_some_and(AnalysisPhase::is_completed)
}

/// Whether a metric's verdict ends the whole run.
fn ends_the_run(result: &MetricResult) -> bool {
    result.dry_run != Some(true)
        && matches!(result.phase, Some(AnalysisPhase::Failed | AnalysisPhase::Error | AnalysisPhase::Inconclusive))
}

/// Objects hold whole seconds: what was written is what is read back.
fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}
