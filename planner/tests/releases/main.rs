//! Releases in a whole cluster on virtual time: every write of every plan is judged, and each story is told once
//! more with the controller dying after every single write.

mod analyses;
mod blue_green;
mod commands;
mod facts;
mod pods;
mod stories;
mod trials;
mod upsets;
