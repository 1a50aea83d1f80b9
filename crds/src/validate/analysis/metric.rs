//! What is wrong with a metric: how often it is measured and what it bears.

use super::{condition, provider};
use crate::analysis::{Metric, OnNoData};
use crate::mistake::{FieldPath, Mistake};
use crate::unit::IntOrString;
use crate::validate::fields::{Found, duration, known_word, required_text, whole_number};

pub(super) fn check(path: &FieldPath, metric: &Metric, found: &mut Found) {
    required_text(path.field("name"), Some(&metric.name), "name the metric", found);
    duration(path.field("interval"), metric.interval.as_ref(), found);
    duration(path.field("initialDelay"), metric.initial_delay.as_ref(), found);
    condition::check(path.field("successCondition"), metric.success_condition.as_deref(), found);
    condition::check(path.field("failureCondition"), metric.failure_condition.as_deref(), found);
    check_numbers(path, metric, found);
    if let Some(OnNoData::Other(word)) = &metric.on_no_data {
        known_word(path.field("onNoData"), word, OnNoData::KNOWN, found);
    }
    provider::check(path, metric.provider.as_ref(), found);
}

fn check_numbers(path: &FieldPath, metric: &Metric, found: &mut Found) {
    number(path, "consecutiveFailureLimit", metric.consecutive_failure_limit.as_ref(), 0, found);
    let count = number(path, "count", metric.count.as_ref(), 0, found);
    // -1 bears all failures.
    let failures = number(path, "failureLimit", metric.failure_limit.as_ref(), -1, found);
    let inconclusive = number(path, "inconclusiveLimit", metric.inconclusive_limit.as_ref(), 0, found);
    number(path, "consecutiveErrorLimit", metric.consecutive_error_limit.as_ref(), 0, found);
    let successes = number(path, "consecutiveSuccessLimit", metric.consecutive_success_limit.as_ref(), 0, found);
    let Some(count) = count.filter(|count| *count > 0) else {
        return;
    };
    let has_interval = metric.interval.as_ref().is_some_and(|interval| !interval.0.is_empty());
    if count > 1 && !has_interval {
        let mend = "write the time between two measurements, such as 1m, or lower count to 1";
        found.push(Mistake::missing(path.field("interval"), "is required with more than one measurement", mend));
    }
    let count_path = path.field("count");
    let (failures, successes) = (failures.unwrap_or(0).max(0), successes.unwrap_or(0));
    if count < failures.saturating_add(successes) {
        let (problem, mend) = if successes == 0 {
            (format!("is less than failureLimit, which is {failures}"), format!("write {failures} or more"))
        } else {
            let both = failures.saturating_add(successes);
            let problem = format!("is less than failureLimit and consecutiveSuccessLimit, which are {both} in all");
            (problem, format!("write {both} or more"))
        };
        found.push(Mistake::wrong(count_path.clone(), count, problem, mend));
    }
    if let Some(inconclusive) = inconclusive.filter(|limit| *limit > count) {
        let problem = format!("is less than inconclusiveLimit, which is {inconclusive}");
        found.push(Mistake::wrong(count_path, count, problem, format!("write {inconclusive} or more")));
    }
}

/// A number of measurements; `None` where it is not set, not readable, or filled in later.
fn number(
    path: &FieldPath,
    field: &'static str,
    written: Option<&IntOrString>,
    least: i64,
    found: &mut Found,
) -> Option<i64> {
    let path = path.field(field);
    let number = whole_number(path.clone(), written, found)?;
    if number < least {
        let problem = format!("is less than {least}");
        found.push(Mistake::wrong(path, number, problem, format!("write {least} or more")));
        return None;
    }
    Some(number)
}
