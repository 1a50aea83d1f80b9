//! Objects as people read them. Everything in here is a function of the objects and the time.

pub(crate) mod ages;
pub(crate) mod difference;
pub(crate) mod evidence;
pub(crate) mod experiment;
pub(crate) mod history;
pub(crate) mod page;
pub(crate) mod rows;
pub(crate) mod runs;
pub(crate) mod standing;
pub(crate) mod text;
mod tree;
pub(crate) mod why;
