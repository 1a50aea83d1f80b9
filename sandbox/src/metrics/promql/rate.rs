//! How fast values change: `rate` and its relatives.

use super::numeric::{index_to_f64, seconds, span};
use super::select::Windows;
use crate::metrics::store::Point;

/// What the change between the first and the last sample of a window is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A gauge's difference.
    Delta,
    /// A counter's, resets counted in.
    Increase,
    /// A counter's, per second.
    Rate,
}

/// The change over the whole window, extrapolated from the samples in it to its ends.
pub(super) fn extrapolated(change: Change, points: &[Point], windows: &Windows) -> Option<f64> {
    let [first, .., last] = points else { return None };
    let is_counter = change != Change::Delta;
    let mut difference = last.value - first.value;
    if is_counter {
        // After a reset a counter begins at zero again: what it had before is part of the change.
        difference +=
            points.windows(2).filter(|pair| pair[1].value < pair[0].value).map(|pair| pair[0].value).sum::<f64>();
    }
    let sampled = span(first.at_ms, last.at_ms);
    let between = sampled / index_to_f64(points.len() - 1);
    let mut to_start = span(windows.from_ms, first.at_ms);
    let to_end = span(last.at_ms, windows.until_ms);
    if is_counter && difference > 0.0 && first.value >= 0.0 {
        // A counter was not below zero, so it did not grow at this pace for longer than that.
        to_start = to_start.min(sampled * (first.value / difference));
    }
    // An end further away than the next sample would be is where the series begins or ends.
    let reach = |distance: f64| if distance < between * 1.1 { distance } else { between / 2.0 };
    let mut factor = (sampled + reach(to_start) + reach(to_end)) / sampled;
    if change == Change::Rate {
        factor /= seconds(windows.range_ms);
    }
    Some(difference * factor)
}

/// The change between the last two samples; a counter's is per second.
pub(super) fn latest(points: &[Point], is_counter: bool) -> Option<f64> {
    let [.., before, last] = points else { return None };
    let was_reset = is_counter && last.value < before.value;
    let difference = if was_reset { last.value } else { last.value - before.value };
    if last.at_ms == before.at_ms {
        return None;
    }
    Some(if is_counter { difference / span(before.at_ms, last.at_ms) } else { difference })
}
