//! The objects of one resource, and the log of what happened to them.
//!
//! Watches are positions in the log, so a write costs the same whether nobody or everybody watches.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::object::Object;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One entry of the log.
#[derive(Debug, Clone)]
pub struct Change {
    pub revision: u64,
    pub kind: ChangeKind,
    /// The object after the change; for a deletion the last state, stamped with the deletion's revision.
    pub object: Arc<Object>,
    /// The object before the change.
    pub previous: Option<Arc<Object>>,
}

/// A list or watch asked for a revision that the log no longer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// The oldest revision that can still be asked for.
    pub oldest: u64,
}

/// All objects of one resource, ordered as the real store orders them: by `namespace/name`.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    objects: BTreeMap<Arc<str>, Arc<Object>>,
    log: VecDeque<Arc<Change>>,
    compacted: u64,
}

/// The key of an object within its collection.
pub fn key_of(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

impl Collection {
    pub fn get(&self, key: &str) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects of one namespace, or all of them for an empty name; in key order.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<Object>> + use<'_> {
        self.starting_at(namespace, None).map(|(_, object)| object)
    }

    /// The objects of one namespace (all for an empty name) with keys from `start` on.
    fn starting_at(
        &self,
        namespace: &str,
        start: Option<&str>,
    ) -> impl Iterator<Item = (&Arc<str>, &Arc<Object>)> + use<'_> {
        let (low, high) = namespace_range(namespace, start);
        self.objects.range::<str, _>((as_str(&low), as_str(&high)))
    }

    /// The objects as they were at a past revision, from key `start` on, in key order.
    pub fn at_revision(
        &self,
        revision: u64,
        namespace: &str,
        start: Option<&str>,
    ) -> Result<impl Iterator<Item = Arc<Object>> + use<'_>, Compacted> {
        if revision < self.compacted {
            return Err(Compacted { oldest: self.compacted });
        }
        let (low, high) = namespace_range(namespace, start);
        let mut undone: BTreeMap<String, Option<Arc<Object>>> = BTreeMap::new();
        for change in self.changes_after(revision).rev() {
            let key = key_of(change.object.namespace(), change.object.name());
            if in_range(&key, &low, &high) {
                undone.insert(key, change.previous.clone());
            }
        }
        let mut present = self.starting_at(namespace, start).peekable();
        let mut past = undone.into_iter().peekable();
        Ok(std::iter::from_fn(move || {
            loop {
                let order = match (present.peek(), past.peek()) {
                    (Some((now, _)), Some((then, _))) => now.as_ref().cmp(then.as_str()),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => return None,
                };
                if order == Ordering::Less {
                    return present.next().map(|(_, object)| Arc::clone(object));
                }
                if order == Ordering::Equal {
                    present.next();
                }
                if let Some((_, Some(object))) = past.next() {
                    return Some(object);
                }
            }
        }))
    }

    /// The log after a revision, oldest first.
    pub fn changes_after(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Arc<Change>> {
        let first = self.log.partition_point(|change| change.revision <= revision);
        self.log.range(first..)
    }

    /// The oldest revision from which a watch can resume.
    pub fn oldest_revision(&self) -> u64 {
        self.compacted
    }

    pub(crate) fn put(&mut self, key: &str, object: &Arc<Object>) -> Option<Arc<Object>> {
        self.objects.insert(key.into(), Arc::clone(object))
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Arc<Object>> {
        self.objects.remove(key)
    }

    pub(crate) fn record(&mut self, change: Change, capacity: usize) {
        self.log.push_back(Arc::new(change));
        while self.log.len() > capacity {
            if let Some(dropped) = self.log.pop_front() {
                self.compacted = dropped.revision;
            }
        }
    }

    /// Forgets the log up to a revision, as etcd's compaction does.
    pub(crate) fn compact(&mut self, revision: u64) {
        let keep = self.log.partition_point(|change| change.revision <= revision);
        self.log.drain(..keep);
        self.compacted = self.compacted.max(revision);
    }
}

/// `'/'` is followed by `'0'`, so this bound ends just behind the namespace's last key.
fn namespace_range(namespace: &str, start: Option<&str>) -> (Bound<String>, Bound<String>) {
    let (first, high) = if namespace.is_empty() {
        (Bound::Unbounded, Bound::Unbounded)
    } else {
        (Bound::Included(format!("{namespace}/")), Bound::Excluded(format!("{namespace}0")))
    };
    let low = match (start, first) {
        (Some(start), Bound::Included(first)) => Bound::Included(first.max(start.to_owned())),
        (Some(start), _) => Bound::Included(start.to_owned()),
        (None, first) => first,
    };
    // An inverted range makes the map panic; a token that points behind the namespace means "nothing left".
    if let (Bound::Included(from), Bound::Excluded(to)) = (&low, &high)
        && from > to
    {
        return (Bound::Included(to.clone()), high);
    }
    (low, high)
}

fn in_range(key: &str, low: &Bound<String>, high: &Bound<String>) -> bool {
    std::ops::RangeBounds::<str>::contains(&(as_str(low), as_str(high)), key)
}

fn as_str(bound: &Bound<String>) -> Bound<&str> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}
