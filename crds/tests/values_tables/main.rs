//! The small value types, by tables of what users write and by inputs drawn from seeds.

mod durations;
mod quantities;
mod seeded;
mod selectors;
mod shares;
mod times;
