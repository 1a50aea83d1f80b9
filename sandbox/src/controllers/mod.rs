//! The controllers that Kubernetes itself runs, as pure decisions: the objects as they are and the
//! time go in, an ordered list of writes and the next moment to look again come out.

pub mod deployment;
pub mod disruption;
pub mod endpoints;
mod garbage;
pub mod job;
mod namespaces;
mod object;
mod ownership;
mod pods;
pub mod replica_set;
mod run;
pub mod scheduler;
mod write;

pub use run::Controllers;
pub use write::{Decision, Kind, Write};
