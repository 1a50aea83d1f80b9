//! Samples over time, as a Prometheus server keeps them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::labels::Labels;

/// How long samples are kept: longer than any rollout, so that a playground left running does not grow for ever.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// The NaN by which Prometheus marks the end of a series; every other NaN is a value.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// One measured value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
}

impl Point {
    pub(crate) fn is_stale(self) -> bool {
        self.value.to_bits() == STALE_BITS
    }
}

/// All series, by the metric's name and then by labels.
#[derive(Clone, Debug, Default)]
pub struct Store {
    metrics: BTreeMap<String, BTreeMap<Labels, Vec<Point>>>,
}

impl Store {
    /// Adds a sample; one at the same instant is replaced.
    pub fn push(&mut self, labels: Labels, at: Timestamp, value: f64) {
        let point = Point { at_ms: at.as_millisecond(), value };
        let points = self.metrics.entry(labels.metric().to_owned()).or_default().entry(labels).or_default();
        let place = points.partition_point(|known| known.at_ms < point.at_ms);
        match points.get_mut(place) {
            Some(known) if known.at_ms == point.at_ms => *known = point,
            _ => points.insert(place, point),
        }
    }

    /// Says that a series has ended: from then on it is absent at once, instead of after the look-back.
    pub fn end(&mut self, labels: Labels, at: Timestamp) {
        self.push(labels, at, f64::from_bits(STALE_BITS));
    }

    /// Forgets what is older than 24 hours.
    pub(super) fn forget_before_retention(&mut self, now: Timestamp) {
        let oldest = now.checked_sub(RETENTION).unwrap_or(Timestamp::MIN).as_millisecond();
        for series in self.metrics.values_mut() {
            series.retain(|_, points| {
                let gone = points.partition_point(|point| point.at_ms < oldest);
                points.drain(..gone);
                !points.is_empty()
            });
        }
        self.metrics.retain(|_, series| !series.is_empty());
    }

    /// The series of one metric, or of all where no name is asked for.
    pub(crate) fn series(&self, metric: Option<&str>) -> impl Iterator<Item = (&Labels, &[Point])> {
        let (one, all) = match metric {
            Some(metric) => (self.metrics.get(metric), None),
            None => (None, Some(self.metrics.values())),
        };
        one.into_iter().chain(all.into_iter().flatten()).flatten().map(|(labels, points)| (labels, points.as_slice()))
    }

    /// All values of a label; with no label, the names of all labels.
    pub(crate) fn label_texts(&self, label: Option<&str>, from_ms: i64, until_ms: i64) -> BTreeSet<String> {
        self.series(None)
            .filter(|(_, points)| has_points(points, from_ms, until_ms))
            .flat_map(|(labels, _)| labels.iter())
            .filter_map(|(name, value)| match label {
                None => Some(name),
                Some(label) => (name == label).then_some(value),
            })
            .map(ToOwned::to_owned)
            .collect()
    }
}

/// Whether any sample lies in this closed span.
pub(crate) fn has_points(points: &[Point], from_ms: i64, until_ms: i64) -> bool {
    !within(points, from_ms, until_ms).is_empty()
}

/// The samples of this closed span.
pub(crate) fn within(points: &[Point], from_ms: i64, until_ms: i64) -> &[Point] {
    let first = points.partition_point(|point| point.at_ms < from_ms);
    let behind = points.partition_point(|point| point.at_ms <= until_ms);
    points.get(first..behind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn samples_are_kept_in_the_order_of_time_however_they_come() {
        let mut store = Store::default();
        let up = || Labels::of("up", &[]);
        for (at, value) in [(30, 3.0), (10, 1.0), (20, 2.0), (20, 2.5)] {
            store.push(up(), second(at), value);
        }
        let (_, points) = store.series(Some("up")).next().unwrap();
        let seen: Vec<(i64, f64)> = points.iter().map(|point| (point.at_ms, point.value)).collect();
        assert_eq!(seen, [(10_000, 1.0), (20_000, 2.5), (30_000, 3.0)]);
    }

    #[test]
    fn a_day_later_samples_are_forgotten() {
        let mut store = Store::default();
        store.push(Labels::of("up", &[]), second(0), 1.0);
        store.push(Labels::of("up", &[]), second(3_600), 1.0);
        store.forget_before_retention(second(24 * 3_600 + 1));
        assert_eq!(store.series(Some("up")).map(|(_, points)| points.len()).sum::<usize>(), 1);
        store.forget_before_retention(second(48 * 3_600));
        assert_eq!(store.series(None).count(), 0);
    }
}
