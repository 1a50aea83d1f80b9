//! The API server as its clients see it, asked through the direct door.

mod access;
mod custom_resources;
mod deletions;
mod discovery;
mod lists_and_watches;
mod objects;
mod ownership;
mod robustness;
mod support;
mod tables;
