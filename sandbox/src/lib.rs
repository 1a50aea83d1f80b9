//! A whole cluster in memory, on virtual time.
//!
//! [`World`] is the state of the cluster, [`api::handle`] the API server as one pure function over it.

pub mod api;
pub mod apply;
pub mod clock;
pub mod cluster;
pub mod controllers;
pub mod dataplane;
pub mod doors;
pub mod faults;
pub mod kubelet;
pub mod metrics;
pub mod patch;
pub mod random;
pub mod schema;
pub mod world;

pub use clock::VirtualClock;
pub use cluster::Cluster;
pub use random::Random;
pub use world::World;
