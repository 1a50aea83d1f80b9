//! One measured figure and what was promised of it.

use std::fmt;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A figure with its unit, and its bound if it has one.
#[derive(Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    at_most: Option<f64>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, at_most: None }
    }

    pub(crate) fn at_most(mut self, bound: f64) -> Self {
        self.at_most = Some(bound);
        self
    }

    pub(crate) fn holds(&self) -> bool {
        self.at_most.is_none_or(|bound| self.value <= bound)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<62} {:>10.2} {}", self.what, self.value, self.unit)?;
        match self.at_most {
            Some(bound) if self.holds() => write!(f, "  (at most {bound}: holds)"),
            Some(bound) => write!(f, "  (at most {bound}: MISSED)"),
            None => Ok(()),
        }
    }
}

/// The median of several runs, so that one hiccup of the machine doesn't count.
pub(crate) fn median_of(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[times.len() / 2]
}

/// How long one call takes.
pub(crate) fn time(call: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    call();
    begun.elapsed()
}

/// Processor time of this thread so far.
pub(crate) fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
