//! What is to be done about an object, as pure functions of what was observed and what time it is.

pub mod engine;
