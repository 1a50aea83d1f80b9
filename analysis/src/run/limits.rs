//! The verdict on a metric: its counts against its limits, in a fixed order of which a later rule wins.

use sluice_crds::analysis::{AnalysisPhase, Metric, MetricResult, OnNoData};

use super::prepared::number;
use super::{failures_in_a_row, in_flight, is_completed, last_finished, no_data_in_a_row};

/// The limits of a metric as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Measurements that are wanted; `None` for no end.
    pub(super) count: Option<i64>,
    /// -1 bears all.
    failures: i64,
    inconclusive: i64,
    errors_in_a_row: i64,
    /// 0 is off, here and below.
    successes_in_a_row: i64,
    failures_in_a_row: i64,
    waits_for_data: bool,
}

/// A verdict, or how far the metric is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) phase: AnalysisPhase,
    pub(super) reason: String,
}

impl Verdict {
    fn new(phase: AnalysisPhase, reason: impl Into<String>) -> Self {
        Self { phase, reason: reason.into() }
    }
}

impl Limits {
    pub(super) fn of(metric: &Metric) -> Self {
        let has_interval = metric.interval.as_ref().is_some_and(|interval| !interval.0.is_empty());
        let count = metric.count.as_ref().map(number).filter(|count| *count > 0);
        Self {
            count: count.or(if has_interval { None } else { Some(1) }),
            failures: number(&metric.failure_limit()),
            inconclusive: number(&metric.inconclusive_limit()),
            errors_in_a_row: number(&metric.consecutive_error_limit()),
            successes_in_a_row: number(&metric.consecutive_success_limit()),
            failures_in_a_row: number(&metric.consecutive_failure_limit()),
            waits_for_data: metric.on_no_data == Some(OnNoData::Wait),
        }
    }

    /// Whether as many measurements are there as are wanted.
    pub(super) fn has_enough(&self, result: &MetricResult) -> bool {
        self.count.is_some_and(|count| i64::from(result.count.unwrap_or(0)) >= count)
    }

    /// What the measurements so far come to. `ends` is set when nothing more is going to be measured.
    pub(super) fn judge(&self, result: &MetricResult, ends: bool) -> Verdict {
        if let Some(phase) = result.phase.clone().filter(AnalysisPhase::is_completed) {
            return Verdict::new(phase, result.message.clone().unwrap_or_default());
        }
        let Some(last) = last_finished(result) else {
            return match in_flight(result) {
                Some(_) => Verdict::new(AnalysisPhase::Running, ""),
                None if ends => Verdict::new(AnalysisPhase::Successful, "the run ended before it was measured"),
                None => Verdict::new(AnalysisPhase::Pending, ""),
            };
        };
        if in_flight(result).is_some() {
            return Verdict::new(AnalysisPhase::Running, "");
        }
        if let Some(verdict) = self.exceeded(result) {
            let reason = match last.message.as_deref() {
                Some(sentence) if !sentence.is_empty() => format!("{}: {sentence}", verdict.reason),
                _ => verdict.reason,
            };
            return Verdict { reason, ..verdict };
        }
        let good = result.consecutive_success.unwrap_or(0);
        if self.successes_in_a_row > 0 && i64::from(good) >= self.successes_in_a_row {
            let reason = format!("consecutiveSuccess ({good}) reached consecutiveSuccessLimit ({good})");
            return Verdict::new(AnalysisPhase::Successful, reason);
        }
        if self.has_enough(result) {
            return self.at_the_end(result);
        }
        if ends {
            return Verdict::new(AnalysisPhase::Successful, "the run ended, and no limit was passed until then");
        }
        Verdict::new(AnalysisPhase::Running, "")
    }

    /// The limits that end a metric at any time, the strongest last.
    fn exceeded(&self, result: &MetricResult) -> Option<Verdict> {
        let over = |count: i32, name: &str, limit: i64, limit_name: &str| {
            (i64::from(count) > limit).then(|| format!("{name} ({count}) > {limit_name} ({limit})"))
        };
        let error = over(
            result.consecutive_error.unwrap_or(0),
            "consecutiveErrors",
            self.errors_in_a_row,
            "consecutiveErrorLimit",
        );
        if let Some(reason) = error {
            return Some(Verdict::new(AnalysisPhase::Error, reason));
        }
        let no_data = no_data_in_a_row(result);
        let blind = over(no_data, "measurements without data in a row", self.errors_in_a_row, "consecutiveErrorLimit")
            .filter(|_| !self.waits_for_data);
        let inconclusive =
            over(result.inconclusive.unwrap_or(0), "inconclusive", self.inconclusive, "inconclusiveLimit");
        if let Some(reason) = inconclusive.or(blind) {
            return Some(Verdict::new(AnalysisPhase::Inconclusive, reason));
        }
        let failed = over(result.failed.unwrap_or(0), "failed", self.failures, "failureLimit");
        let in_a_row = failures_in_a_row(result);
        let row = (self.failures_in_a_row > 0 && i64::from(in_a_row) >= self.failures_in_a_row)
            .then(|| format!("consecutiveFailures ({in_a_row}) reached consecutiveFailureLimit ({in_a_row})"));
        let reason = failed.filter(|_| self.failures != -1).or(row)?;
        Some(Verdict::new(AnalysisPhase::Failed, reason))
    }

    /// All measurements are there and no limit ended the metric before.
    fn at_the_end(&self, result: &MetricResult) -> Verdict {
        let limits_failures = self.failures >= 0 || self.failures_in_a_row > 0;
        let good = result.consecutive_success.unwrap_or(0);
        let short = format!("consecutiveSuccess ({good}) < consecutiveSuccessLimit ({})", self.successes_in_a_row);
        match (self.successes_in_a_row > 0, limits_failures) {
            (true, true) => Verdict::new(AnalysisPhase::Inconclusive, format!("{short} after the last measurement")),
            (true, false) => Verdict::new(AnalysisPhase::Failed, format!("{short} after the last measurement")),
            (false, _) => {
                let (failed, all) = (result.failed.unwrap_or(0), result.count.unwrap_or(0));
                Verdict::new(AnalysisPhase::Successful, format!("{failed} of {all} measurements failed"))
            }
        }
    }
}

/// How bad a verdict is; the run gets the worst one.
pub(super) fn rank(phase: &AnalysisPhase) -> u8 {
    match phase {
        AnalysisPhase::Successful => 0,
        AnalysisPhase::Running => 1,
        AnalysisPhase::Pending => 2,
        AnalysisPhase::Inconclusive => 3,
        AnalysisPhase::Error | AnalysisPhase::Other(_) => 4,
        AnalysisPhase::Failed => 5,
    }
}

/// Whether a metric needs nothing more.
pub(super) fn is_done(result: &MetricResult) -> bool {
    is_completed(result.phase.as_ref())
}
