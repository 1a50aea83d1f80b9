//! What to measure now, and when to look again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use sluice_crds::analysis::{AnalysisPhase, AnalysisRun, AnalysisRunStatus, Measurement, MetricResult, TtlStrategy};

use super::limits::is_done;
use super::prepared::{Prepared, PreparedMetric};
use super::{ends_the_run, in_flight, is_completed, last_finished, no_data_in_a_row};
use crate::provider::job::JobRef;

/// Delays after the first, second, third and every later attempt in a row that measured nothing, in seconds. With the
/// default limit of four a server may be gone for two and a half minutes.
const RETRY_SECONDS: [i64; 4] = [10, 20, 40, 80];

/// What is to be done for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPlan {
    /// What to do now.
    pub tasks: Vec<Task>,
    /// When to plan again if nothing happens before; `None` if only an answer can change anything.
    pub wake_at: Option<Timestamp>,
    /// Whether the run has its verdict.
    pub finished: bool,
    /// When the run is to be deleted; at once if this has passed.
    pub delete_at: Option<Timestamp>,
}

/// Something to do for a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Which metric, by its place in the run.
    pub metric: usize,
    /// What to do.
    pub what: What,
}

/// What to do for a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Ask the provider.
    Measure {
        /// The how-manieth attempt this is, counted from 1.
        attempt: i64,
    },
    /// Look after a Job that was begun.
    Resume(JobRef),
    /// End a Job that nobody waits for any more, and answer with [`crate::provider::job::ended`].
    Stop(JobRef),
}

/// Plans a run as its status says it is. `asking` are metrics whose answers are still to come.
pub fn plan(prepared: &Prepared, run: &AnalysisRun, asking: &BTreeSet<usize>, now: Timestamp) -> RunPlan {
    let Some(status) = run.status.as_ref() else {
        return RunPlan { wake_at: Some(now), ..RunPlan::default() };
    };
    if is_completed(status.phase.as_ref()) {
        let delete_at = delete_at(run.spec.ttl_strategy.as_ref(), status);
        return RunPlan { finished: true, delete_at, wake_at: delete_at, ..RunPlan::default() };
    }
    let results: BTreeMap<&str, &MetricResult> =
        status.metric_results.iter().flatten().map(|result| (result.name.as_str(), result)).collect();
    let ends = run.spec.terminate() || results.values().any(|result| ends_the_run(result));
    let started_at = status.started_at.as_ref().map_or(now, |time| time.0);
    let mut plan = RunPlan::default();
    for (index, metric) in prepared.metrics.iter().enumerate() {
        if asking.contains(&index) {
            continue;
        }
        let result = results.get(metric.metric.name.as_str()).copied();
        let Some((due, what)) = next(metric, result, started_at, ends) else {
            continue;
        };
        if due <= now {
            plan.tasks.push(Task { metric: index, what });
        } else {
            plan.wake_at = Some(plan.wake_at.map_or(due, |earlier| earlier.min(due)));
        }
    }
    plan
}

/// When a run that has its verdict is to be deleted; `None` for one that stays.
pub fn deleted_at(run: &AnalysisRun) -> Option<Timestamp> {
    let status = run.status.as_ref().filter(|status| is_completed(status.phase.as_ref()))?;
    delete_at(run.spec.ttl_strategy.as_ref(), status)
}

/// The number of the attempt that this status waits for. An answer to an earlier one is in the status already.
pub fn next_attempt(status: Option<&AnalysisRunStatus>, metric: &PreparedMetric) -> i64 {
    let results = status.and_then(|status| status.metric_results.as_deref()).unwrap_or_default();
    attempts(results.iter().find(|result| result.name == metric.metric.name)) + 1
}

/// What is next for a metric, and when.
fn next(
    metric: &PreparedMetric,
    result: Option<&MetricResult>,
    started_at: Timestamp,
    ends: bool,
) -> Option<(Timestamp, What)> {
    if result.is_some_and(is_done) {
        return None;
    }
    if let Some(begun) = result.and_then(in_flight) {
        // A measurement that no Job stands for was begun by a controller that is gone; it is made again.
        return match JobRef::of(begun) {
            Some(job) if ends => Some((started_at, What::Stop(job))),
            Some(job) => Some((begun.resume_at.as_ref().map_or(started_at, |time| time.0), What::Resume(job))),
            None => Some((started_at, What::Measure { attempt: attempts(result) + 1 })),
        };
    }
    if ends || result.is_some_and(|result| metric.limits.has_enough(result)) {
        return None;
    }
    let measure = What::Measure { attempt: attempts(result) + 1 };
    let Some((result, last)) = result.and_then(|result| Some((result, last_finished(result)?))) else {
        return Some((later(started_at, metric.initial_delay), measure));
    };
    let finished_at = last.finished_at.as_ref().map_or(started_at, |time| time.0);
    Some((later(finished_at, pause(metric, result, last)), measure))
}

/// The time from a measurement to the next one.
fn pause(metric: &PreparedMetric, result: &MetricResult, last: &Measurement) -> SignedDuration {
    if last.phase != Some(AnalysisPhase::Error) {
        // Without an interval there is one measurement, and with it there would be enough.
        return metric.interval.unwrap_or_default();
    }
    let in_a_row = i64::from(result.consecutive_error.unwrap_or(0).max(no_data_in_a_row(result)));
    let index = usize::try_from(in_a_row - 1).unwrap_or(0).min(RETRY_SECONDS.len() - 1);
    SignedDuration::from_secs(RETRY_SECONDS[index])
}

/// Attempts that have come to their end, of which the measurements that are kept are only the last.
fn attempts(result: Option<&MetricResult>) -> i64 {
    result.map_or(0, |result| i64::from(result.count.unwrap_or(0)) + i64::from(result.error.unwrap_or(0)))
}

fn later(time: Timestamp, delay: SignedDuration) -> Timestamp {
    time.saturating_add(delay).unwrap_or(Timestamp::MAX)
}

/// When a finished run is deleted: by the rule for its verdict, else by the one for all.
fn delete_at(strategy: Option<&TtlStrategy>, status: &AnalysisRunStatus) -> Option<Timestamp> {
    let strategy = strategy?;
    let for_verdict = match status.phase {
        Some(AnalysisPhase::Successful) => strategy.seconds_after_success,
        Some(AnalysisPhase::Failed) => strategy.seconds_after_failure,
        _ => None,
    };
    let seconds = for_verdict.or(strategy.seconds_after_completion)?;
    // Runs of other controllers may have failed before they began, and have only the time at which that was.
    let ended = status.completed_at.as_ref().or(status.started_at.as_ref())?;
    Some(later(ended.0, SignedDuration::from_secs(i64::from(seconds.max(0)))))
}
