//! The real controller on a cluster in memory: what a user sees happen, and what keeps happening when parts fail.

mod faults;
mod leaders;
mod releases;
mod rights;
mod support;
