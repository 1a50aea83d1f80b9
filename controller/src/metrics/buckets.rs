//! A histogram: how many observations were at most so large.

/// Counts per bound, their number and their sum.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    bounds: &'static [f64],
    /// How many lie between the bound before and this one.
    counts: Box<[u64]>,
    count: u64,
    sum: f64,
}

impl Buckets {
    /// Bounds that grow.
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()].into_boxed_slice(), count: 0, sum: 0.0 }
    }

    pub(super) fn observe(&mut self, value: f64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = bucket.and_then(|bucket| self.counts.get_mut(bucket)) {
            *count += 1;
        }
        self.count += 1;
        self.sum += value;
    }

    /// Each bound with how many are at most as large.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        self.bounds.iter().zip(&self.counts).scan(0, |total, (bound, count)| {
            *total += count;
            Some((*bound, *total))
        })
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn sum(&self) -> f64 {
        self.sum
    }
}
