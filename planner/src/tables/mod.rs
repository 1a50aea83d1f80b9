//! Tables over the four moves: a row a case, named after what the user sees, the answer written by hand.

mod adoption;
mod conditions;
mod endings;
mod fixture;
mod invalid;
mod plugins;
mod pods;
mod promises;
mod refusals;
mod revisions;
mod routed;
mod sentences;
mod sizes;
mod wishes;
mod workload;
