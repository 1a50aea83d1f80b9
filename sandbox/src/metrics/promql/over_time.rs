//! Functions of a range vector: one value of each series' window.

use promql_parser::parser::Call;

use super::error::QueryError;
use super::evaluate::Evaluation;
use super::numeric::{Mean, Spread, Sum, index_to_f64, quantile, regression};
use super::rate::{Change, extrapolated, latest};
use super::select::Windows;
use super::value::{Sample, Series, distinct};
use crate::metrics::store::Point;

/// The functions that this file knows, with the place of the range vector among their arguments.
pub(super) fn window_argument(function: &str) -> Option<usize> {
    match function {
        "quantile_over_time" => Some(1),
        "avg_over_time" | "changes" | "count_over_time" | "delta" | "deriv" | "idelta" | "increase" | "irate"
        | "last_over_time" | "max_over_time" | "min_over_time" | "predict_linear" | "present_over_time" | "rate"
        | "resets" | "stddev_over_time" | "stdvar_over_time" | "sum_over_time" => Some(0),
        _ => None,
    }
}

impl Evaluation<'_> {
    pub(super) fn over_time(&self, call: &Call, window_at: usize, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        let mut numbers = Vec::new();
        for (index, argument) in call.args.args.iter().enumerate() {
            if index != window_at {
                numbers.push(self.value(argument, at_ms)?.scalar()?);
            }
        }
        let argument = call.args.args.get(window_at);
        let argument = argument.ok_or_else(|| QueryError::BadData("a range vector is missing".to_owned()))?;
        let windows = self.windows(argument, at_ms)?;
        let samples = windows.series.iter().filter_map(|Series { labels, points }| {
            let value = of_window(call.func.name, points, &numbers, &windows, at_ms)?;
            let keeps_name = call.func.name == "last_over_time";
            let labels = if keeps_name { labels.clone() } else { labels.clone().without_name() };
            Some(Sample { labels, value })
        });
        distinct(samples.collect())
    }
}

fn number(numbers: &[f64], index: usize) -> f64 {
    numbers.get(index).copied().unwrap_or(f64::NAN)
}

/// `None` where the window holds too few samples.
fn of_window(function: &str, points: &[Point], numbers: &[f64], windows: &Windows, at_ms: i64) -> Option<f64> {
    let values = || points.iter().map(|point| point.value);
    match function {
        "rate" => extrapolated(Change::Rate, points, windows),
        "increase" => extrapolated(Change::Increase, points, windows),
        "delta" => extrapolated(Change::Delta, points, windows),
        "irate" => latest(points, true),
        "idelta" => latest(points, false),
        "deriv" if points.len() > 1 => Some(regression(points, points.first()?.at_ms).0),
        "predict_linear" if points.len() > 1 => {
            let (slope, now) = regression(points, at_ms);
            Some(slope * number(numbers, 0) + now)
        }
        "avg_over_time" => {
            let mut mean = Mean::default();
            values().for_each(|value| mean.add(value));
            Some(mean.value())
        }
        "sum_over_time" => {
            let mut sum = Sum::default();
            values().for_each(|value| sum.add(value));
            Some(sum.total())
        }
        "stdvar_over_time" | "stddev_over_time" => {
            let mut spread = Spread::default();
            values().for_each(|value| spread.add(value));
            let variance = spread.variance();
            Some(if function == "stddev_over_time" { variance.sqrt() } else { variance })
        }
        "count_over_time" => Some(index_to_f64(points.len())),
        "present_over_time" => Some(1.0),
        "last_over_time" => values().next_back(),
        "max_over_time" => values().reduce(|most, value| if value > most || most.is_nan() { value } else { most }),
        "min_over_time" => values().reduce(|least, value| if value < least || least.is_nan() { value } else { least }),
        "quantile_over_time" => Some(quantile(number(numbers, 0), values().collect())),
        "changes" => Some(pairs(points, |before, now| now != before && !(now.is_nan() && before.is_nan()))),
        "resets" => Some(pairs(points, |before, now| now < before)),
        _ => None,
    }
}

fn pairs(points: &[Point], counts: impl Fn(f64, f64) -> bool) -> f64 {
    index_to_f64(points.windows(2).filter(|pair| counts(pair[0].value, pair[1].value)).count())
}
