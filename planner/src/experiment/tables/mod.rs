//! Experiments by themselves: what is written when, and what is said.

mod endings;
mod fixture;
mod mistakes;
mod pods;
mod runs;
