//! What expressions come to.

use std::collections::BTreeSet;

use super::error::QueryError;
use crate::metrics::labels::Labels;
use crate::metrics::store::Point;

/// A value with the labels that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

/// Values over time with the labels that they belong to.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) points: Vec<Point>,
}

/// The result of an expression at one instant.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(f64),
    Text(String),
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
}

impl Value {
    /// The parser has checked the types, so that a mismatch can't come from what users write.
    pub(super) fn vector(self) -> Result<Vec<Sample>, QueryError> {
        match self {
            Self::Vector(samples) => Ok(samples),
            other => Err(other.unexpected("an instant vector")),
        }
    }

    pub(super) fn scalar(self) -> Result<f64, QueryError> {
        match self {
            Self::Scalar(value) => Ok(value),
            other => Err(other.unexpected("a scalar")),
        }
    }

    fn unexpected(&self, wanted: &str) -> QueryError {
        let found = match self {
            Self::Scalar(_) => "a scalar",
            Self::Text(_) => "a string",
            Self::Vector(_) => "an instant vector",
            Self::Matrix(_) => "a range vector",
        };
        QueryError::Execution(format!("expected {wanted}, found {found}"))
    }
}

/// Each series may be there once.
pub(super) fn distinct(samples: Vec<Sample>) -> Result<Vec<Sample>, QueryError> {
    let mut seen = BTreeSet::new();
    if samples.iter().all(|sample| seen.insert(&sample.labels)) {
        Ok(samples)
    } else {
        Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()))
    }
}
