//! Random releases under random faults, each from a seed.
//!
//! A [`Story`] says in advance what people, nodes and the network do to one Rollout; [`play`] lets it happen to a cluster
//! in memory, with the product's own queue, gate, planner and judge of analyses in it. Every write is judged by the
//! promises; then faults stop, and everything must come to its end and to rest.
#![warn(missing_docs)]

pub mod cache;
mod controller;
mod draw;
mod history;
mod many;
mod oaths;
mod play;
mod quiet;
mod run;
mod runs;
#[cfg(feature = "sabotage")]
pub mod sabotage;
mod shrink;
mod story;

pub use draw::draw;
pub use many::{Total, many, one};
pub use play::{Played, play};
pub use run::{Broken, Figures};
pub use shrink::shrink;
pub use story::{Answers, Fault, Happening, RequestFault, Story, What};
