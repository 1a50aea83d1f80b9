//! A whole cluster in memory, on virtual time.

pub mod apply;
pub mod patch;
pub mod schema;
