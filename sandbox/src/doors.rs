//! Ways into the cluster for asynchronous clients. The only part of this crate that knows a runtime.

mod clock;
mod https;
mod kubeconfig;
mod metrics;
mod service;

pub use clock::Clock;
pub use https::HttpsDoor;
pub use kubeconfig::kubeconfig;
pub use metrics::{MetricsDoor, MetricsServer};
pub use service::{Door, DoorBody};
