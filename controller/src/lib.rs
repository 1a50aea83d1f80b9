//! The shell: watches a cluster, has passes planned, and carries plans out.
//!
//! Everything that is decided is decided in `sluice-planner`; here live the clock, the network and the tasks.

mod cache;
mod clock;
mod controller;
mod critic;
mod dispatch;
mod election;
mod experiments;
mod fence;
mod hub;
mod informer;
mod line;
mod metrics;
mod pass;
mod plugins;
mod raw;
mod read;
mod recorder;
mod release_all;
mod requests;
mod routing;
mod runs;
mod send;
mod shutdown;
mod unkept;
mod web;
mod work;

pub use clock::Clock;
pub use controller::{Controller, Pages, RunError, Settings};
pub use election::ElectionSettings;
pub use pass::Decide;
pub use release_all::{GivenBack, ReleaseError, release_all};
pub use runs::{Measuring, Transport, for_probes, over_network};
pub use shutdown::{Shutdown, ShutdownHandle};
