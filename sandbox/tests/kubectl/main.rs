//! kubectl as an everyday user uses it, against the HTTPS door.

mod changing;
mod learning;
mod living;
mod reading;
mod support;
