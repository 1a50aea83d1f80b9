//! The real controller on a cluster in memory: what a user sees happen, and what keeps happening when parts fail.

mod court;
mod faults;
#[path = "../../../planner/tests/releases/invariants.rs"]
mod invariants;
mod leaders;
mod line;
mod pods;
mod providers;
mod releases;
mod rivals;
mod runs;
mod support;
