//! A watch as a client sees it on a bad network.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Weather;
use crate::api::watch::WatchCursor;
use crate::api::watch_poll;
use crate::random::Random;
use crate::world::World;

/// A watch whose events may come late, twice, or not at all because it broke.
#[derive(Clone, Debug)]
pub struct FaultyWatch {
    cursor: WatchCursor,
    /// Events that are on their way, and when they arrive.
    held: Vec<Value>,
    held_until: Option<Timestamp>,
    last: Option<Value>,
    broken: bool,
}

impl FaultyWatch {
    pub(super) fn new(cursor: WatchCursor) -> Self {
        Self { cursor, held: Vec::new(), held_until: None, last: None, broken: false }
    }

    /// Nothing more will come; the client has to begin anew.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.broken || (self.cursor.has_ended() && self.held.is_empty())
    }

    /// When to look again although nothing was written.
    #[must_use]
    pub fn next_wake(&self) -> Timestamp {
        self.held_until.unwrap_or_else(|| self.cursor.next_wake())
    }

    pub(super) fn poll(
        &mut self,
        world: &World,
        now: Timestamp,
        weather: &Weather,
        random: &mut Random,
        out: bool,
    ) -> Vec<Value> {
        let cut = random.chance(weather.watches_cut);
        if out || cut || self.broken {
            // What was on its way is lost with the connection.
            self.broken = true;
            self.held.clear();
            return Vec::new();
        }
        let fresh = watch_poll(world, &mut self.cursor, now);
        self.held.extend(fresh.iter().filter_map(|line| serde_json::from_slice::<Value>(line).ok()));
        if self.held_until.is_none() && !self.held.is_empty() && random.chance(weather.watches_delayed) {
            let most = u64::try_from(weather.longest_delay.as_nanos()).unwrap_or(0);
            let by = i64::try_from(random.below(most.saturating_add(1))).unwrap_or(0);
            self.held_until = now.checked_add(SignedDuration::from_nanos(by)).ok();
        }
        if self.held_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        self.held_until = None;
        let mut arrived = std::mem::take(&mut self.held);
        if let Some(last) = self.last.clone().filter(|_| random.chance(weather.watches_repeated)) {
            arrived.insert(0, last);
        }
        // Bookmarks and errors are never repeated: they are about the stream, not about an object.
        if let Some(event) = arrived.iter().rev().find(|event| is_about_an_object(event)) {
            self.last = Some(event.clone());
        }
        arrived
    }
}

fn is_about_an_object(event: &Value) -> bool {
    matches!(event["type"].as_str(), Some("ADDED" | "MODIFIED" | "DELETED"))
}
