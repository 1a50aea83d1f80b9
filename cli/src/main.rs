//! The one binary, `sluice`.
fn main() {}
