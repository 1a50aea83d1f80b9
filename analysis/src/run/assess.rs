//! What the answers come to: measurements, the verdict on each metric, and the verdict on the run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_crds::analysis::{AnalysisPhase, AnalysisRun, AnalysisRunStatus, MetricResult};
use sluice_crds::mistake::{Mistake, for_condition};

use super::limits::{is_done, rank};
use super::prepared::Prepared;
use super::record::{record, retain};
use super::summary::summary;
use super::{Answer, ends_the_run, in_flight, is_completed, whole_seconds};
use crate::provider::job::JobRef;

/// A run's new status, and what is left over from the old one.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The status to write; the same as before where nothing has changed.
    pub status: AnalysisRunStatus,
    /// Jobs whose measurements are no longer kept; they are to be deleted.
    pub dropped_jobs: Vec<JobRef>,
}

/// Judges a run after these answers. An answer to a metric that has its verdict already changes nothing.
pub fn assess(prepared: &Prepared, run: &AnalysisRun, answers: Vec<Answer>, now: Timestamp) -> Assessment {
    let mut status = run.status.clone().unwrap_or_default();
    let mut dropped_jobs = Vec::new();
    if is_completed(status.phase.as_ref()) {
        status.completed_at.get_or_insert_with(|| whole_seconds(now));
        return Assessment { status, dropped_jobs };
    }
    status.started_at.get_or_insert_with(|| whole_seconds(now));
    let mut results = results_of(prepared, status.metric_results.take());
    for answer in answers {
        if let (Some(metric), Some(result)) = (prepared.metrics.get(answer.metric), results.get_mut(answer.metric))
            && !is_done(result)
        {
            record(metric, result, answer, &prepared.redactor, now);
            retain(metric, result, &mut dropped_jobs);
        }
    }
    judge_all(prepared, &mut results, run.spec.terminate());
    let ends = run.spec.terminate() || results.iter().any(ends_the_run);
    if ends {
        judge_all(prepared, &mut results, true);
    }
    conclude(&mut status, &results, ends, now);
    let is_told = |result: &MetricResult| result.measurements.is_some();
    status.metric_results = Some(results.into_iter().filter(is_told).collect::<Vec<_>>()).filter(|all| !all.is_empty());
    Assessment { status, dropped_jobs }
}

/// The status of a run that can't be begun. It ends like every other, so that it is deleted in time.
pub fn refuse(run: &AnalysisRun, mistakes: &[Mistake], now: Timestamp) -> AnalysisRunStatus {
    let mut status = run.status.clone().unwrap_or_default();
    if !is_completed(status.phase.as_ref()) {
        status.phase = Some(AnalysisPhase::Error);
        status.message = Some(for_condition(mistakes));
        status.started_at.get_or_insert_with(|| whole_seconds(now));
    }
    status.completed_at.get_or_insert_with(|| whole_seconds(now));
    status
}

/// One result for each metric, in the order of the spec.
fn results_of(prepared: &Prepared, stored: Option<Vec<MetricResult>>) -> Vec<MetricResult> {
    let stored = stored.into_iter().flatten().map(|result| (result.name.clone(), result));
    let mut stored: BTreeMap<String, MetricResult> = stored.collect();
    let results = prepared.metrics.iter().map(|metric| {
        let mut result = stored.remove(&metric.metric.name).unwrap_or_else(|| MetricResult {
            name: metric.metric.name.clone(),
            phase: Some(AnalysisPhase::Pending),
            ..MetricResult::default()
        });
        result.dry_run = metric.dry_run.then_some(true);
        result
    });
    results.collect()
}

fn judge_all(prepared: &Prepared, results: &mut [MetricResult], ends: bool) {
    for (metric, result) in prepared.metrics.iter().zip(results) {
        if is_done(result) {
            continue;
        }
        let verdict = metric.limits.judge(result, ends);
        result.message = Some(verdict.reason).filter(|reason| !reason.is_empty());
        result.phase = Some(verdict.phase);
    }
}

/// The verdict on the run: the worst of the metrics that count, once nothing more is going to be measured.
fn conclude(status: &mut AnalysisRunStatus, results: &[MetricResult], ends: bool, now: Timestamp) {
    let counts = |result: &&MetricResult| result.dry_run != Some(true);
    let verdicts = |dry_run: bool| {
        let of_kind = results.iter().filter(move |result| (result.dry_run == Some(true)) == dry_run);
        // A metric that the run's end kept from being measured has no verdict to count.
        of_kind.filter(|result| is_done(result) && result.measurements.is_some()).filter_map(|one| one.phase.as_ref())
    };
    let all = results.iter().filter(counts).count();
    status.run_summary = Some(summary(all, verdicts(false)));
    status.dry_run_summary = (all < results.len()).then(|| summary(results.len() - all, verdicts(true)));
    let waits = results.iter().any(|result| if ends { in_flight(result).is_some() } else { !is_done(result) });
    if waits {
        status.phase = Some(AnalysisPhase::Running);
        return;
    }
    let measured = results.iter().filter(counts).filter(|result| result.measurements.is_some());
    // Of several that are equally bad, the first one is told.
    let worst = measured.rev().max_by_key(|result| result.phase.as_ref().map_or(0, rank));
    let (phase, message) = match worst {
        Some(worst) => {
            let phase = worst.phase.clone().unwrap_or(AnalysisPhase::Successful);
            let reason = worst.message.as_deref().unwrap_or("its measurements");
            let told = phase != AnalysisPhase::Successful;
            let message = told.then(|| format!("Metric {:?} assessed {phase} due to {reason}", worst.name));
            (phase, message)
        }
        None => (AnalysisPhase::Successful, None),
    };
    let terminated = ends && phase == AnalysisPhase::Successful;
    status.message = message.or_else(|| terminated.then(|| "Run Terminated".to_owned()));
    status.phase = Some(phase);
    status.completed_at.get_or_insert_with(|| whole_seconds(now));
}
