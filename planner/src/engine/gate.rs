//! Holds an object back until the cache has shown what this process last wrote for it.
//!
//! A plan made from a cache that is older than one's own last write repeats that write, or undoes it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Moment;

/// What a watch has shown of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The object at this resourceVersion.
    Version(&'a str),
    /// That the object is gone.
    Gone,
}

/// The writes that the cache has not shown yet: for each owner `K` (the object that is planned) the objects `O` that
/// were written for it.
#[derive(Clone, Debug)]
pub struct Gate<K, O> {
    /// A write that no watch ever shows (its object left the selection, or was replaced) holds for so long and no
    /// longer: the preconditions of the next writes guard what the gate can't.
    patience: Moment,
    awaited: BTreeMap<O, Awaited<K>>,
    /// How many awaited objects each owner has.
    owners: BTreeMap<K, BTreeMap<O, Moment>>,
}

#[derive(Clone, Debug)]
struct Awaited<K> {
    owner: K,
    version: String,
}

impl<K: Ord + Clone, O: Ord + Clone> Gate<K, O> {
    /// A gate that is open for all.
    pub fn new(patience: Moment) -> Self {
        Self { patience, awaited: BTreeMap::new(), owners: BTreeMap::new() }
    }

    /// A write of ours for `owner` left `object` at `version`. A later write of the same object replaces it. The
    /// watch may have been quicker than the answer: `shown` is the version that the cache has already.
    pub fn wrote(&mut self, owner: &K, object: &O, version: &str, shown: Option<&str>, now: Moment) {
        self.drop_object(object);
        if shown.is_some_and(|shown| compare(shown, version) != Ordering::Less) {
            return;
        }
        self.awaited.insert(object.clone(), Awaited { owner: owner.clone(), version: version.to_owned() });
        let until = now.saturating_add(self.patience);
        self.owners.entry(owner.clone()).or_default().insert(object.clone(), until);
    }

    /// Whether this state of an object is one that this process wrote and has not seen yet, not somebody else's.
    pub fn is_own(&self, object: &O, version: &str) -> bool {
        self.awaited.get(object).is_some_and(|awaited| awaited.version == version)
    }

    /// A watch shows an object. Returns the owner for whom this was the last thing awaited.
    pub fn saw(&mut self, object: &O, seen: Seen<'_>) -> Option<K> {
        let awaited = self.awaited.get(object)?;
        let shown = match seen {
            Seen::Gone => true,
            Seen::Version(version) => compare(version, &awaited.version) != Ordering::Less,
        };
        if !shown {
            return None;
        }
        let owner = awaited.owner.clone();
        self.drop_object(object);
        (!self.owners.contains_key(&owner)).then_some(owner)
    }

    /// Until when the owner must wait at the longest; `None` where nothing holds it.
    pub fn held_until(&mut self, owner: &K, now: Moment) -> Option<Moment> {
        let objects = self.owners.get(owner)?;
        let until = objects.values().copied().max()?;
        if until > now {
            return Some(until);
        }
        self.forget(owner);
        None
    }

    /// The owner is gone, or this process no longer leads.
    pub fn forget(&mut self, owner: &K) {
        for object in self.owners.remove(owner).unwrap_or_default().into_keys() {
            self.awaited.remove(&object);
        }
    }

    fn drop_object(&mut self, object: &O) {
        let Some(awaited) = self.awaited.remove(object) else { return };
        if let Some(objects) = self.owners.get_mut(&awaited.owner) {
            objects.remove(object);
            if objects.is_empty() {
                self.owners.remove(&awaited.owner);
            }
        }
    }
}

/// Resource versions of one kind of objects are whole numbers that grow (without a bound on their digits). One that
/// isn't a number can only be equal or be taken for newer: waiting for it would have no end.
fn compare(seen: &str, written: &str) -> Ordering {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !number(seen) || !number(written) {
        return if seen == written { Ordering::Equal } else { Ordering::Greater };
    }
    let (seen, written) = (seen.trim_start_matches('0'), written.trim_start_matches('0'));
    seen.len().cmp(&written.len()).then_with(|| seen.cmp(written))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secs(seconds: u64) -> Moment {
        Duration::from_secs(seconds)
    }

    fn gate() -> Gate<&'static str, &'static str> {
        Gate::new(secs(30))
    }

    #[test]
    fn an_owner_waits_until_each_of_its_writes_was_seen() {
        let mut gate = gate();
        assert_eq!(gate.held_until(&"web", secs(0)), None);
        gate.wrote(&"web", &"rs-1", "11", None, secs(0));
        gate.wrote(&"web", &"svc", "12", None, secs(1));
        assert_eq!(gate.held_until(&"web", secs(1)), Some(secs(31)));
        assert_eq!(gate.held_until(&"other", secs(1)), None);
        assert_eq!(gate.saw(&"rs-1", Seen::Version("11")), None);
        assert_eq!(gate.saw(&"svc", Seen::Version("12")), Some("web"));
        assert_eq!(gate.held_until(&"web", secs(1)), None);
    }

    #[test]
    fn an_older_state_does_not_open_the_gate_and_a_newer_one_does() {
        // (written, seen, whether that shows the write)
        for (written, seen, open) in [
            ("100", "99", false),
            ("100", "100", true),
            ("100", "101", true),
            ("9", "10", true),
            ("10", "9", false),
            ("18446744073709551616", "18446744073709551615", false),
            ("abc", "abd", true),
            ("", "1", true),
        ] {
            let mut gate = gate();
            gate.wrote(&"web", &"rs", written, None, secs(0));
            let opened = gate.saw(&"rs", Seen::Version(seen));
            assert_eq!(opened.is_some(), open, "{written} written, {seen} seen");
        }
    }

    #[test]
    fn a_watch_that_is_quicker_than_the_answer_leaves_nothing_to_wait_for() {
        // (what the cache shows already, whether the write of version 7 is awaited)
        for (shown, held) in [(None, true), (Some("6"), true), (Some("7"), false), (Some("12"), false)] {
            let mut gate = gate();
            gate.wrote(&"web", &"rs", "7", shown, secs(0));
            assert_eq!(gate.held_until(&"web", secs(1)).is_some(), held, "{shown:?}");
        }
    }

    #[test]
    fn our_own_write_is_told_from_another_of_the_same_object() {
        let mut gate = gate();
        gate.wrote(&"web", &"rs", "7", None, secs(0));
        assert!(gate.is_own(&"rs", "7"));
        assert!(!gate.is_own(&"rs", "8"));
        assert!(!gate.is_own(&"svc", "7"));
    }

    #[test]
    fn a_deletion_shows_every_write_before_it() {
        let mut gate = gate();
        gate.wrote(&"web", &"rs", "7", None, secs(0));
        assert_eq!(gate.saw(&"rs", Seen::Gone), Some("web"));
    }

    #[test]
    fn the_last_write_of_an_object_is_the_one_that_counts() {
        let mut gate = gate();
        gate.wrote(&"web", &"rs", "7", None, secs(0));
        gate.wrote(&"web", &"rs", "9", None, secs(0));
        assert_eq!(gate.saw(&"rs", Seen::Version("8")), None);
        assert_eq!(gate.saw(&"rs", Seen::Version("9")), Some("web"));
    }

    #[test]
    fn a_write_that_is_never_shown_holds_only_so_long() {
        let mut gate = gate();
        gate.wrote(&"web", &"rs", "7", None, secs(0));
        assert_eq!(gate.held_until(&"web", secs(29)), Some(secs(30)));
        assert_eq!(gate.held_until(&"web", secs(30)), None);
        assert_eq!(gate.saw(&"rs", Seen::Version("7")), None);
    }

    #[test]
    fn a_forgotten_owner_waits_for_nothing() {
        let mut gate = gate();
        gate.wrote(&"web", &"rs", "7", None, secs(0));
        gate.forget(&"web");
        assert_eq!(gate.held_until(&"web", secs(0)), None);
        assert_eq!(gate.saw(&"rs", Seen::Version("7")), None);
    }
}
