//! Judging: what was measured becomes verdicts.
//!
//! [`args`] makes a run out of templates, [`run`] says what to measure when and what the measurements come to,
//! [`provider`] says what is asked and what an answer means, and [`check`] finds what is wrong with a template before
//! anybody runs it.
#![warn(missing_docs)]

pub mod address;
pub mod args;
pub mod check;
pub mod condition;
pub mod names;
pub mod provider;
pub mod run;
pub mod secrets;
pub mod signals;
mod verdict;
