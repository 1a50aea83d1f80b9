//! Judging: what was measured becomes verdicts.
#![warn(missing_docs)]
pub mod condition;
