//! Stories of releases, written in files under `e2e/scenarios`: what is there, what people do, what they must see.
//!
//! A [`Scenario`] is read once and told anywhere. Here it is told to the sandbox on virtual time, where every write is
//! judged by the promises ([`Judge`]); `sluice-e2e` tells the same files to a real control plane.

mod action;
mod calls;
mod expect;
mod fields;
mod file;
mod gateways;
mod judge;
mod observed;
mod requests;
mod routing;
mod sandbox;
mod site;
mod subset;
mod trials;

pub use action::{Action, Promotion, Skipping};
pub use calls::{Call, Doing, ROUTING_KINDS, WORKLOAD_KINDS, applied, collection, doing, given};
pub use expect::{Before, Expect};
pub use file::{Door, Requests, Scenario, Step};
pub use gateways::{gateways_accept, unaccepted_routes};
pub use judge::{Judge, Scene, Seen};
pub use observed::Observed;
pub use sandbox::told_in_the_sandbox;
pub use site::{Crashes, GATEWAY_LAG, Site, empty_cluster, is_failed_test};
