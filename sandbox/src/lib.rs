//! A whole cluster in memory, on virtual time.
//!
//! [`World`] is the state of the cluster, [`api::handle`] the API server as one pure function over it.

pub mod api;
pub mod apply;
pub mod clock;
pub mod doors;
pub mod patch;
pub mod random;
pub mod schema;
pub mod world;

pub use clock::VirtualClock;
pub use random::Random;
pub use world::World;
