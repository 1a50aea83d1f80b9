//! What providers are asked, and what their answers mean.

mod hostile;
mod prometheus;
mod support;
mod web;
