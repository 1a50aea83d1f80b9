//! Which object is looked at next: each at most once at a time, none forgotten, a failing one ever more rarely.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backoff, Jitter, Moment};

/// How a pass over an object ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done for now; look again at a given moment, or when something changes.
    Settled {
        /// When the next pass is due by itself.
        wake_at: Option<Moment>,
    },
    /// It could not start or end yet, through no fault of the object; look again then.
    Later {
        /// Then.
        at: Moment,
    },
    /// It failed; look again after the back-off.
    Failed,
}

/// The work queue. Adding what is already there changes nothing but, perhaps, its time.
#[derive(Clone, Debug)]
pub struct Queue<K> {
    backoff: Backoff,
    jitter: Jitter,
    entries: BTreeMap<K, Entry>,
    due: BTreeSet<(Moment, u64, K)>,
    added: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// When the next pass is due; the number keeps those of one moment in the order in which they came.
    due: Option<(Moment, u64)>,
    running: bool,
    /// The pass that is asked for while one runs.
    after: Option<Moment>,
    failures: u32,
    /// Before this moment the back-off holds.
    held_until: Moment,
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue.
    pub fn new(backoff: Backoff, jitter: Jitter) -> Self {
        Self { backoff, jitter, entries: BTreeMap::new(), due: BTreeSet::new(), added: 0 }
    }

    /// Asks for a pass at `at`; the earliest wish counts. An object that is backing off stays held.
    pub fn add(&mut self, key: &K, at: Moment) {
        let entry = self.entries.entry(key.clone()).or_default();
        let at = at.max(entry.held_until);
        if entry.running {
            entry.after = Some(entry.after.map_or(at, |wished| wished.min(at)));
            return;
        }
        let number = match entry.due {
            Some((due, _)) if due <= at => return,
            Some((due, number)) => {
                self.due.remove(&(due, number, key.clone()));
                number
            }
            None => {
                self.added += 1;
                self.added
            }
        };
        entry.due = Some((at, number));
        self.due.insert((at, number, key.clone()));
    }

    /// Asks for a pass now whatever failed before: what is wanted of the object has changed, so it may go well.
    pub fn add_afresh(&mut self, key: &K, now: Moment) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = 0;
            entry.held_until = Moment::ZERO;
        }
        self.add(key, now);
    }

    /// Takes the next object whose time has come; until [`Self::done`] it isn't given out again.
    pub fn next(&mut self, now: Moment) -> Option<K> {
        let first = self.due.first()?;
        if first.0 > now {
            return None;
        }
        let (_, _, key) = self.due.pop_first()?;
        let entry = self.entries.entry(key.clone()).or_default();
        entry.due = None;
        entry.running = true;
        Some(key)
    }

    /// When [`Self::next`] will have something.
    pub fn next_due(&self) -> Option<Moment> {
        self.due.first().map(|(at, _, _)| *at)
    }

    /// A pass is over.
    pub fn done(&mut self, key: &K, now: Moment, outcome: Outcome) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.running = false;
        let asked = entry.after.take();
        let own = match outcome {
            Outcome::Settled { wake_at } => {
                entry.failures = 0;
                entry.held_until = Moment::ZERO;
                wake_at
            }
            Outcome::Later { at } => Some(at),
            Outcome::Failed => {
                entry.failures = entry.failures.saturating_add(1);
                let held_until = now.saturating_add(self.backoff.delay(entry.failures, &mut self.jitter));
                entry.held_until = held_until;
                Some(held_until)
            }
        };
        match [asked, own].into_iter().flatten().min() {
            Some(at) => self.add(key, at),
            None => {
                self.entries.remove(key);
            }
        }
    }

    /// The object is gone: no pass is due any more, and its failures are forgotten.
    pub fn forget(&mut self, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some((at, number)) = entry.due.take() {
            self.due.remove(&(at, number, key.clone()));
        }
        if entry.running {
            *entry = Entry { running: true, ..Entry::default() };
        } else {
            self.entries.remove(key);
        }
    }

    /// How many passes in a row have failed.
    pub fn failures(&self, key: &K) -> u32 {
        self.entries.get(key).map_or(0, |entry| entry.failures)
    }

    /// How many passes were asked for so far; what waited already is not counted again.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// How many objects wait for a pass whose time has come.
    pub fn waiting(&self, now: Moment) -> usize {
        self.due.iter().take_while(|(at, _, _)| *at <= now).count()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SETTLED: Outcome = Outcome::Settled { wake_at: None };

    fn at(ms: u64) -> Moment {
        Duration::from_millis(ms)
    }

    fn queue() -> Queue<&'static str> {
        let backoff = Backoff { first: at(100), longest: at(1_000) };
        Queue::new(backoff, Jitter::seeded(7))
    }

    fn all(queue: &mut Queue<&'static str>, now: Moment) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.next(now)).collect()
    }

    #[test]
    fn objects_come_in_the_order_of_their_time_and_each_once() {
        let mut queue = queue();
        for (key, ms) in [("late", 20), ("b", 10), ("a", 10), ("b", 15), ("late", 30)] {
            queue.add(&key, at(ms));
        }
        assert_eq!(queue.next_due(), Some(at(10)));
        assert_eq!(all(&mut queue, at(9)), [""; 0]);
        assert_eq!(all(&mut queue, at(10)), ["b", "a"]);
        assert_eq!(all(&mut queue, at(20)), ["late"]);
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn an_earlier_wish_replaces_a_later_one() {
        let mut queue = queue();
        queue.add(&"a", at(500));
        queue.add(&"a", at(5));
        assert_eq!(all(&mut queue, at(5)), ["a"]);
        queue.done(&"a", at(6), SETTLED);
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn an_object_that_is_being_looked_at_is_not_given_out_again_before_it_is_done() {
        let mut queue = queue();
        queue.add(&"a", at(0));
        assert_eq!(queue.next(at(0)), Some("a"));
        queue.add(&"a", at(1));
        assert_eq!(queue.next(at(2)), None);
        queue.done(&"a", at(3), SETTLED);
        assert_eq!(queue.next(at(3)), Some("a"));
        queue.done(&"a", at(4), SETTLED);
        assert_eq!(queue.next(at(1_000_000)), None);
    }

    #[test]
    fn a_pass_may_ask_for_the_next_one() {
        let mut queue = queue();
        queue.add(&"a", at(0));
        queue.next(at(0));
        queue.done(&"a", at(1), Outcome::Settled { wake_at: Some(at(50)) });
        assert_eq!(queue.next_due(), Some(at(50)));
    }

    #[test]
    fn a_failing_object_is_held_and_the_others_are_not() {
        let mut queue = queue();
        queue.add(&"bad", at(0));
        queue.next(at(0));
        queue.done(&"bad", at(0), Outcome::Failed);
        queue.add(&"bad", at(1));
        queue.add(&"good", at(1));
        assert_eq!(all(&mut queue, at(49)), ["good"]);
        assert_eq!(all(&mut queue, at(100)), ["bad"]);
        assert_eq!(queue.failures(&"bad"), 1);
        queue.done(&"bad", at(100), Outcome::Failed);
        assert!(queue.next_due() >= Some(at(200)), "{:?}", queue.next_due());
    }

    #[test]
    fn a_wish_that_came_during_a_failing_pass_waits_for_the_back_off_too() {
        let mut queue = queue();
        queue.add(&"bad", at(0));
        queue.next(at(0));
        queue.add(&"bad", at(0));
        queue.done(&"bad", at(0), Outcome::Failed);
        assert!(queue.next_due() >= Some(at(50)), "{:?}", queue.next_due());
    }

    #[test]
    fn success_and_a_new_wish_of_the_user_end_the_back_off() {
        let mut queue = queue();
        queue.add(&"a", at(0));
        queue.next(at(0));
        queue.done(&"a", at(0), Outcome::Failed);
        queue.add_afresh(&"a", at(1));
        assert_eq!(queue.next(at(1)), Some("a"));
        queue.done(&"a", at(2), Outcome::Failed);
        assert_eq!(queue.failures(&"a"), 1);
        assert_eq!(queue.next(at(200)), Some("a"));
        queue.done(&"a", at(200), SETTLED);
        assert_eq!(queue.failures(&"a"), 0);
        queue.add(&"a", at(201));
        assert_eq!(queue.next(at(201)), Some("a"));
    }

    #[test]
    fn waiting_for_something_else_is_no_failure() {
        let mut queue = queue();
        queue.add(&"a", at(0));
        queue.next(at(0));
        queue.done(&"a", at(0), Outcome::Later { at: at(7) });
        assert_eq!((queue.next_due(), queue.failures(&"a")), (Some(at(7)), 0));
    }

    #[test]
    fn what_is_gone_is_forgotten_also_in_the_middle_of_a_pass() {
        let mut queue = queue();
        queue.add(&"a", at(0));
        queue.forget(&"a");
        assert_eq!(queue.next_due(), None);
        queue.add(&"a", at(0));
        queue.next(at(0));
        queue.add(&"a", at(1));
        queue.forget(&"a");
        queue.done(&"a", at(2), SETTLED);
        assert_eq!((queue.next_due(), queue.entries.len()), (None, 0));
    }

    #[test]
    fn the_number_of_waiting_objects_counts_only_those_whose_time_has_come() {
        let mut queue = queue();
        for (key, ms) in [("a", 1), ("b", 2), ("c", 900)] {
            queue.add(&key, at(ms));
        }
        assert_eq!(queue.waiting(at(2)), 2);
        queue.add(&"c", at(3));
        assert_eq!((queue.waiting(at(3)), queue.added()), (3, 3));
    }
}
