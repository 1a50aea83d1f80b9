//! Watches: positions in the log from which events are pulled.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::negotiate::Form;
use super::options::ListOptions;
use super::status::{Answer, Status};
use super::table::RowObject;
use super::verbs::Target;
use super::verbs::list::Selection;
use crate::world::{Change, ChangeKind, Object, World};

/// How long a watch lasts whose client didn't say.
const DEFAULT_TIMEOUT_SECONDS: i64 = 1_800;

/// How often a client that asked for bookmarks gets one.
const BOOKMARK_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// A client's place in the stream of changes.
#[derive(Debug, Clone)]
pub struct WatchCursor {
    target: Target,
    selection: Selection,
    pub(crate) form: Form,
    pub(crate) rows: RowObject,
    phase: Phase,
    bookmarks: bool,
    next_bookmark: Timestamp,
    deadline: Timestamp,
    /// Tables name their columns in the first event only.
    pub(crate) columns_sent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing sent yet: first everything that is there.
    Initial {
        mark_the_end: bool,
    },
    /// Everything up to this revision has been sent.
    Following(u64),
    Ended,
}

/// One event, before it is encoded.
#[derive(Debug, Clone)]
pub enum WatchEvent {
    Added(Arc<Object>),
    Modified(Arc<Object>),
    Deleted(Arc<Object>),
    Bookmark {
        revision: u64,
        /// The objects that were there at the beginning have all been sent.
        initial_events_end: bool,
    },
    Error(Box<Status>),
}

impl WatchCursor {
    /// Begins a watch.
    pub fn begin(world: &World, target: Target, options: &ListOptions, now: Timestamp) -> Answer<Self> {
        let selection = Selection::parse(&target, options)?;
        let asked = options.resource_version.unwrap_or(0);
        let phase = match options.send_initial_events {
            Some(true) if asked > world.revision() => {
                return Err(Status::revision_in_the_future(asked, world.revision()));
            }
            Some(true) => Phase::Initial { mark_the_end: options.allow_bookmarks },
            Some(false) if asked == 0 => Phase::Following(world.revision()),
            None if asked == 0 => Phase::Initial { mark_the_end: false },
            _ => Phase::Following(asked),
        };
        let seconds =
            options.timeout_seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(DEFAULT_TIMEOUT_SECONDS);
        Ok(Self {
            target,
            selection,
            form: Form::Plain,
            rows: RowObject::Metadata,
            phase,
            bookmarks: options.allow_bookmarks,
            next_bookmark: later(now, BOOKMARK_EVERY),
            deadline: later(now, SignedDuration::from_secs(seconds)),
            columns_sent: false,
        })
    }

    /// Encodes the events in another form than that of plain objects.
    #[must_use]
    pub(crate) fn in_form(mut self, form: Form, rows: RowObject) -> Self {
        self.form = form;
        self.rows = rows;
        self
    }

    /// What is watched.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Nothing more will come.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Ends the watch as a broken connection does.
    pub fn cut(&mut self) {
        self.phase = Phase::Ended;
    }

    /// When to look again although nothing was written.
    pub fn next_wake(&self) -> Timestamp {
        if self.bookmarks { self.next_bookmark.min(self.deadline) } else { self.deadline }
    }

    /// Everything that happened since the last look.
    pub fn poll(&mut self, world: &World, now: Timestamp) -> Vec<WatchEvent> {
        let mut events = Vec::new();
        match self.phase {
            Phase::Ended => return events,
            Phase::Initial { mark_the_end } => {
                self.initial(world, &mut events);
                if mark_the_end {
                    events.push(WatchEvent::Bookmark { revision: world.revision(), initial_events_end: true });
                }
                self.phase = Phase::Following(world.revision());
            }
            Phase::Following(seen) => self.follow(world, seen, &mut events),
        }
        self.keep_time(world, now, &mut events);
        events
    }

    fn initial(&self, world: &World, events: &mut Vec<WatchEvent>) {
        let Some(collection) = world.collection(&self.target.resource.stored_as) else {
            return;
        };
        for object in collection.in_namespace(&self.target.namespace) {
            let object = self.target.shown(object);
            if self.selection.matches(&object) {
                events.push(WatchEvent::Added(object));
            }
        }
    }

    fn follow(&mut self, world: &World, seen: u64, events: &mut Vec<WatchEvent>) {
        let Some(collection) = world.collection(&self.target.resource.stored_as) else {
            return;
        };
        let oldest = collection.oldest_revision();
        if seen < oldest {
            let message = format!("too old resource version: {seen} ({oldest})");
            events.push(WatchEvent::Error(Status::expired(message)));
            self.phase = Phase::Ended;
            return;
        }
        for change in collection.changes_after(seen) {
            events.extend(self.event(change));
        }
        self.phase = Phase::Following(seen.max(world.revision()));
    }

    /// What a change means to this watch: an object may also enter or leave the selection.
    fn event(&self, change: &Change) -> Option<WatchEvent> {
        let elsewhere = !self.target.namespace.is_empty() && change.object.namespace() != self.target.namespace;
        if elsewhere {
            return None;
        }
        let selected =
            |object: &Arc<Object>| Some(self.target.shown(object)).filter(|shown| self.selection.matches(shown));
        let after = (change.kind != ChangeKind::Deleted).then(|| selected(&change.object)).flatten();
        let before = change.previous.as_ref().and_then(selected);
        match (before, after) {
            (None, None) => None,
            (None, Some(object)) => Some(WatchEvent::Added(object)),
            (Some(_), Some(object)) => Some(WatchEvent::Modified(object)),
            (Some(_), None) if change.kind == ChangeKind::Deleted => {
                Some(WatchEvent::Deleted(self.target.shown(&change.object)))
            }
            // It left the selection: its last selected state, at the revision of the change.
            (Some(last), None) => {
                let left = Object::new(last.value().clone(), change.revision);
                Some(WatchEvent::Deleted(Arc::new(left)))
            }
        }
    }

    fn keep_time(&mut self, world: &World, now: Timestamp, events: &mut Vec<WatchEvent>) {
        if self.phase == Phase::Ended {
            return;
        }
        let timed_out = now >= self.deadline;
        if self.bookmarks && (timed_out || now >= self.next_bookmark) {
            self.next_bookmark = later(now, BOOKMARK_EVERY);
            if let Phase::Following(seen) = self.phase
                && seen <= world.revision()
            {
                events.push(WatchEvent::Bookmark { revision: seen, initial_events_end: false });
            }
        }
        if timed_out {
            self.phase = Phase::Ended;
        }
    }
}

fn later(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_add(by).unwrap_or(Timestamp::MAX)
}
