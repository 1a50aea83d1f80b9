//! Pod templates: what is kept, what is hashed, what counts as the same, and what the schema lets through.

mod access;
mod any_shape;
mod defaulted;
mod equality;
mod go_json;
mod hashes;
mod schema;
mod vectors;

#[path = "../values_tables/seeded.rs"]
mod seeded;
