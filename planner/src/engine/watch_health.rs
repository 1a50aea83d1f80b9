//! How a watch is doing: since when it shows nothing, and how often it has failed in a row.

use std::time::Duration;

use super::Moment;

/// A watch that breaks sooner than this after it began has failed once more; later, it has failed anew.
const HOLDS: Duration = Duration::from_secs(10);

/// One watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchHealth {
    failures: u32,
    broken_since: Option<Moment>,
    works_since: Option<Moment>,
}

impl WatchHealth {
    /// The API server has answered. Returns for how long it had not, if the watch was broken.
    pub fn works(&mut self, now: Moment) -> Option<Duration> {
        let broken_for = self.broken_for(now);
        if self.works_since.is_none() {
            self.works_since = Some(now);
        }
        self.broken_since = None;
        broken_for
    }

    /// The watch broke or could not begin. Returns how often in a row it has: one that begins well and breaks at
    /// once, again and again, is not taken for a good one.
    pub fn broke(&mut self, now: Moment) -> u32 {
        let held = self.works_since.take().is_some_and(|since| now.saturating_sub(since) >= HOLDS);
        self.failures = if held { 1 } else { self.failures.saturating_add(1) };
        self.broken_since.get_or_insert(now);
        self.failures
    }

    /// For how long nothing new was seen; `None` while it works.
    pub fn broken_for(&self, now: Moment) -> Option<Duration> {
        self.broken_since.map(|since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_add_up_until_the_watch_holds() {
        let mut watch = WatchHealth::default();
        assert_eq!((watch.broke(secs(1)), watch.broke(secs(2))), (1, 2));
        assert_eq!(watch.works(secs(3)), Some(secs(2)));
        assert_eq!(watch.broke(secs(4)), 3);
        assert_eq!(watch.works(secs(5)), Some(secs(1)));
        assert_eq!(watch.works(secs(14)), None);
        assert_eq!(watch.broke(secs(15)), 1);
    }

    #[test]
    fn it_is_broken_from_the_first_failure_to_the_first_answer() {
        let mut watch = WatchHealth::default();
        assert_eq!(watch.broken_for(secs(9)), None);
        watch.broke(secs(10));
        watch.broke(secs(40));
        assert_eq!(watch.broken_for(secs(50)), Some(secs(40)));
        watch.works(secs(60));
        assert_eq!(watch.broken_for(secs(60)), None);
    }
}
