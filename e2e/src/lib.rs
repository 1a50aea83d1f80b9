//! Harness for tests against a real Kubernetes control plane.
//!
//! The control plane has no kubelet of its own: [`kubelets`] drives the sandbox's model of one. A test works in a
//! [`Namespace`] of its own, waits with [`eventually`], and reads from a [`History`] what it would be too slow to
//! catch by asking.

pub mod binomial;
mod cluster;
pub mod conformance;
pub mod crds;
pub mod dataplane;
mod eventually;
mod exchange;
mod history;
pub mod kubectl;
pub mod kubelets;
pub mod load;
mod namespace;
pub mod promql;
pub mod release;
pub mod scenario;
pub mod sight;
pub mod trial;

pub use cluster::{Cluster, Kind, connect};
pub use eventually::eventually;
pub use exchange::text_at;
pub use history::History;
pub use namespace::{Namespace, in_namespace};
