//! A whole cluster in memory, on virtual time.

pub mod kubelet;
