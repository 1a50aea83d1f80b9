//! The three ways in which a client describes a change to an object that it need not know in full.

pub mod json;
pub mod merge;
pub mod strategic;

/// Why a patch did not work, by the answer that a client gets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// 400: the patch itself makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// 422. The real server keeps the reason to itself: its message is only that it rejected the request.
    #[error("{0}")]
    Unprocessable(String),
    /// 413.
    #[error("{0}")]
    TooLarge(String),
    /// 500: what the real server does for patches that contradict themselves.
    #[error("{0}")]
    Internal(String),
}

#[cfg(test)]
mod robustness;
