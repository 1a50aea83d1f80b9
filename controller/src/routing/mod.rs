//! Around the routers of Rollouts: their objects are watched while they are needed, and where a router can't say
//! whether a weight is in force, requests through it find out.

mod discovery;
mod prober;
mod watches;

pub(crate) use discovery::served_version;
pub(crate) use prober::Prober;
pub(crate) use watches::{RouteWatches, find, run};
