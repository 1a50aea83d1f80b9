//! The engine's decisions: which object is looked at when, and whether this process may write at all.
//!
//! None of it waits, reads a clock or draws a random number by itself: the shell hands in the [`Moment`], and the
//! seed of the [`Jitter`].

mod backoff;
mod gate;
mod jitter;
mod leadership;
mod pace;
mod queue;
mod watch_health;

pub use backoff::Backoff;
pub use gate::{Gate, Seen};
pub use jitter::Jitter;
pub use leadership::{Decision, Leadership, Record, Times};
pub use pace::Pace;
pub use queue::{Outcome, Queue};
pub use watch_health::WatchHealth;

/// A point in time, as the span since the process started. Clocks on the wall are set back and differ from machine
/// to machine; this one only goes forward.
pub type Moment = std::time::Duration;
