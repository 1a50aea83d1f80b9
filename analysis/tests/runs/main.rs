//! Runs from their first to their last measurement.

mod endings;
mod jobs;
mod no_data;
mod schedule;
mod secrets;
mod support;
mod verdicts;
