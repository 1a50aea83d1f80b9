//! Why a query has no result, in the kinds that Prometheus' HTTP API tells apart.

use thiserror::Error;

/// Why a query has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The query itself is wrong.
    #[error("{0}")]
    BadData(String),
    /// The query can't be carried out on these samples.
    #[error("{0}")]
    Execution(String),
}
