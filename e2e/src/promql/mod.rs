//! The sandbox's metrics backend beside a real Prometheus: the same samples, the same requests, the answers compared.

pub mod compare;
pub mod generate;
pub mod samples;
pub mod server;
mod write;
