//! A release that follows a script, and the metrics by which it is seen: what templates are shown to judge.

mod behaviour;
mod exporter;
mod page;

pub use behaviour::Behaviour;
pub use exporter::Exporter;
