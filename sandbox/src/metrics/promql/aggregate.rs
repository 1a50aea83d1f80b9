//! Aggregations: one value of several series.

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM, T_TOPK,
    TokenType,
};
use promql_parser::parser::{AggregateExpr, LabelModifier};

use super::error::QueryError;
use super::evaluate::Evaluation;
use super::numeric::{Mean, f64_to_index, index_to_f64, nan_first, quantile};
use super::value::{Sample, Value, distinct};
use crate::metrics::labels::Labels;

/// Every aggregation that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregation {
    Avg,
    BottomK,
    Count,
    CountValues,
    Group,
    Max,
    Min,
    Quantile,
    StdDev,
    StdVar,
    Sum,
    TopK,
}

impl Aggregation {
    pub(super) fn of(op: TokenType) -> Option<Self> {
        Some(match op.id() {
            T_AVG => Self::Avg,
            T_BOTTOMK => Self::BottomK,
            T_COUNT => Self::Count,
            T_COUNT_VALUES => Self::CountValues,
            T_GROUP => Self::Group,
            T_MAX => Self::Max,
            T_MIN => Self::Min,
            T_QUANTILE => Self::Quantile,
            T_STDDEV => Self::StdDev,
            T_STDVAR => Self::StdVar,
            T_SUM => Self::Sum,
            T_TOPK => Self::TopK,
            _ => return None,
        })
    }
}

impl Evaluation<'_> {
    pub(super) fn aggregate(&self, aggregate: &AggregateExpr, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        let aggregation = Aggregation::of(aggregate.op)
            .ok_or_else(|| QueryError::BadData("the aggregation is not supported".to_owned()))?;
        let param = match &aggregate.param {
            Some(param) => Some(self.value(param, at_ms)?),
            None => None,
        };
        let samples = self.value(&aggregate.expr, at_ms)?.vector()?;
        let group = |labels: &Labels| match &aggregate.modifier {
            None => Labels::default(),
            Some(LabelModifier::Include(by)) => labels.only(&by.labels),
            Some(LabelModifier::Exclude(without)) => labels.except(&without.labels).without_name(),
        };
        match (aggregation, param) {
            (Aggregation::CountValues, Some(Value::Text(label))) => count_values(&label, &samples, group),
            (Aggregation::TopK, param) => Ok(best(limit(param)?, samples, group, |a, b| nan_first(b, a))),
            (Aggregation::BottomK, param) => Ok(best(limit(param)?, samples, group, nan_last)),
            (_, param) => {
                let param = param.map_or(Ok(f64::NAN), Value::scalar)?;
                let groups = grouped(samples, group).into_iter();
                let samples = groups.map(|(labels, members)| {
                    let values = members.into_iter().map(|sample| sample.value).collect();
                    Sample { labels, value: of_values(aggregation, values, param) }
                });
                Ok(samples.collect())
            }
        }
    }
}

fn nan_last(a: f64, b: f64) -> std::cmp::Ordering {
    a.is_nan().cmp(&b.is_nan()).then(nan_first(a, b))
}

fn grouped(samples: Vec<Sample>, group: impl Fn(&Labels) -> Labels) -> BTreeMap<Labels, Vec<Sample>> {
    let mut groups: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    for sample in samples {
        groups.entry(group(&sample.labels)).or_default().push(sample);
    }
    groups
}

fn of_values(aggregation: Aggregation, values: Vec<f64>, param: f64) -> f64 {
    let count = index_to_f64(values.len());
    match aggregation {
        Aggregation::Avg => {
            let mut mean = Mean::default();
            values.into_iter().for_each(|value| mean.add(value));
            mean.value()
        }
        Aggregation::Count => count,
        Aggregation::Max => {
            values.into_iter().fold(f64::NAN, |most, value| if value > most || most.is_nan() { value } else { most })
        }
        Aggregation::Min => values
            .into_iter()
            .fold(f64::NAN, |least, value| if value < least || least.is_nan() { value } else { least }),
        Aggregation::Quantile => quantile(param, values),
        Aggregation::StdDev | Aggregation::StdVar => {
            let variance = variance(&values);
            if aggregation == Aggregation::StdDev { variance.sqrt() } else { variance }
        }
        Aggregation::Sum => values.into_iter().sum(),
        // The others have been dealt with; a group as such is 1.
        Aggregation::Group | Aggregation::TopK | Aggregation::BottomK | Aggregation::CountValues => 1.0,
    }
}

/// Begins with the first value as the mean, so that the variance of a single infinity is zero.
fn variance(values: &[f64]) -> f64 {
    let Some((first, others)) = values.split_first() else { return f64::NAN };
    let (mut count, mut mean, mut squares) = (1.0, *first, 0.0);
    for value in others {
        count += 1.0;
        let off = value - mean;
        mean += off / count;
        squares += off * (value - mean);
    }
    squares / count
}

/// How many series `topk` and `bottomk` keep of each group.
fn limit(param: Option<Value>) -> Result<usize, QueryError> {
    let wanted = param.map_or(Ok(f64::NAN), Value::scalar)?;
    // The bounds of a 64-bit integer, as floats.
    if !(-9.223_372_036_854_776e18..=9.223_372_036_854_775e18).contains(&wanted) {
        let spelled = crate::metrics::http::spelled(wanted);
        return Err(QueryError::Execution(format!("Scalar value {spelled} overflows int64")));
    }
    Ok(f64_to_index(wanted))
}

/// The first `limit` of each group, in this order; whole series with all of their labels.
fn best(
    limit: usize,
    samples: Vec<Sample>,
    group: impl Fn(&Labels) -> Labels,
    order: impl Fn(f64, f64) -> std::cmp::Ordering,
) -> Vec<Sample> {
    let groups = grouped(samples, group).into_values();
    groups
        .flat_map(|mut members| {
            members.sort_by(|a, b| order(a.value, b.value));
            members.truncate(limit);
            members
        })
        .collect()
}

/// How often each value occurs, the value as a label.
fn count_values(label: &str, samples: &[Sample], group: impl Fn(&Labels) -> Labels) -> Result<Vec<Sample>, QueryError> {
    if !super::labelling::is_label_name(label) {
        return Err(QueryError::Execution(format!("invalid label name {label:?}")));
    }
    let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
    for sample in samples {
        let spelled = crate::metrics::http::spelled(sample.value);
        *counts.entry(group(&sample.labels).with(label, &spelled)).or_default() += 1.0;
    }
    distinct(counts.into_iter().map(|(labels, value)| Sample { labels, value }).collect())
}
