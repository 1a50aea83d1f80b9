//! Sums and quantiles with the precision that Prometheus has.

use crate::metrics::store::Point;

/// A sum that keeps what each addition loses (Kahan's, as improved by Neumaier).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, more: f64) {
        let total = self.sum + more;
        if self.sum.abs() >= more.abs() {
            self.lost += (self.sum - total) + more;
        } else {
            self.lost += (more - total) + self.sum;
        }
        self.sum = total;
    }

    pub(super) fn exact(self) -> f64 {
        self.sum + self.lost
    }

    /// Infinite sums have lost "not a number", which must not be added.
    pub(super) fn total(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.exact() }
    }
}

/// The value below which this part of the values lies, interpolated.
pub(super) fn quantile(part: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || part.is_nan() {
        return f64::NAN;
    }
    if part < 0.0 {
        return f64::NEG_INFINITY;
    }
    if part > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| nan_first(*a, *b));
    let (rank, last) = (part * index_to_f64(values.len() - 1), values.len() - 1);
    let lower = f64_to_index(rank.floor()).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

/// Ascending, with "not a number" before all numbers.
pub(super) fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) fn index_to_f64(index: usize) -> f64 {
    index as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
pub(super) fn f64_to_index(value: f64) -> usize {
    value as usize
}

/// Spans of time are differences of milliseconds since 1970, which floats hold exactly.
#[expect(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^52")]
pub(super) fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

/// The seconds between two instants, which queries may place anywhere.
pub(super) fn span(from_ms: i64, until_ms: i64) -> f64 {
    seconds(until_ms.saturating_sub(from_ms))
}

/// Mean and the sum of squared distances from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    count: f64,
    mean: Sum,
    squares: Sum,
}

impl Spread {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean.exact();
        self.mean.add(off / self.count);
        self.squares.add(off * (value - self.mean.exact()));
    }

    pub(super) fn variance(self) -> f64 {
        self.squares.exact() / self.count
    }
}

/// A mean that does not overflow: each value counts for its part only.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    count: f64,
    mean: Sum,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.mean.sum.is_infinite() {
            let stays = value.is_finite() || (value.is_infinite() && (value > 0.0) == (self.mean.sum > 0.0));
            if stays {
                return;
            }
        }
        self.mean.add(value / self.count - self.mean.sum / self.count);
    }

    pub(super) fn value(self) -> f64 {
        self.mean.total()
    }
}

/// The line through these points by least squares: slope per second, and value at `origin_ms`.
pub(super) fn regression(points: &[Point], origin_ms: i64) -> (f64, f64) {
    let Some(first) = points.first() else { return (f64::NAN, f64::NAN) };
    if points.iter().all(|point| point.value == first.value) {
        return if first.value.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first.value) };
    }
    let (mut sum_x, mut sum_y, mut sum_xy, mut sum_x2) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for point in points {
        let x = span(origin_ms, point.at_ms);
        sum_x.add(x);
        sum_y.add(point.value);
        sum_xy.add(x * point.value);
        sum_x2.add(x * x);
    }
    let count = index_to_f64(points.len());
    let [sum_x, sum_y, sum_xy, sum_x2] = [sum_x, sum_y, sum_xy, sum_x2].map(Sum::exact);
    let covariance = sum_xy - sum_x * sum_y / count;
    let variance = sum_x2 - sum_x * sum_x / count;
    let slope = covariance / variance;
    (slope, sum_y / count - slope * sum_x / count)
}
