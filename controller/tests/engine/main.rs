//! The real controller on a cluster in memory: what a user sees happen, and what keeps happening when parts fail.

mod court;
mod experiments;
mod faults;
mod leaders;
mod line;
mod plugins;
mod pods;
mod providers;
mod release_all;
mod releases;
mod rights;
mod rivals;
mod router;
mod routing;
mod runs;
mod support;
