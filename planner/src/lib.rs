//! Deciding: what is observed of a release, and the time, become the next safe writes.
//!
//! [`plan`] is a pure function. It is called again after every change, so a plan never has to finish anything: it
//! says what is safe to do now, and what the release waits for.
#![warn(missing_docs)]

mod plan;
mod snapshot;

pub use plan::{Action, Event, EventType, Kind, Plan, Target, Write};
pub use snapshot::{Metadata, Pod, ReplicaSet, Service, Snapshot};

/// What is to be done now for one Rollout.
pub fn plan(snapshot: &Snapshot, now: jiff::Timestamp) -> Plan {
    let _ = (snapshot, now);
    Plan::default()
}
