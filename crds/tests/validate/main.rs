//! What is said about every kind of object: tables of a change in a good manifest and the sentences that it earns.

mod accepted;
mod analysis;
mod pod_template;
mod rollout;
mod steps;
mod support;
mod wrong_types;
