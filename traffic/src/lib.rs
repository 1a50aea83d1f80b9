//! Routing: a wanted split and the routing objects as they are become edits.
#![warn(missing_docs)]
