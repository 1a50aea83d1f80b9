//! What a strategy wants at a step. It moves nothing itself: that is `transition`'s.

pub(crate) mod canary;
