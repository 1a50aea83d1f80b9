//! One expression at one instant.

use std::cell::Cell;

use promql_parser::parser::{Expr, UnaryExpr};

use super::error::QueryError;
use super::value::{Sample, Value, distinct};
use crate::metrics::store::Store;

/// The most samples that one query may look at; subqueries could ask for any number.
const MOST_SAMPLES: usize = 10_000_000;

/// A query under way.
pub(super) struct Evaluation<'a> {
    pub(super) store: &'a Store,
    /// What `start()` means.
    pub(super) from_ms: i64,
    /// What `end()` means.
    pub(super) until_ms: i64,
    left: Cell<usize>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(store: &'a Store, from_ms: i64, until_ms: i64) -> Self {
        Self { store, from_ms, until_ms, left: Cell::new(MOST_SAMPLES) }
    }

    /// Counts samples that were looked at.
    pub(super) fn spend(&self, samples: usize) -> Result<(), QueryError> {
        let left = self.left.get().checked_sub(samples).ok_or_else(|| {
            QueryError::Execution(
                "query processing would load too many samples into memory in query execution".to_owned(),
            )
        })?;
        self.left.set(left);
        Ok(())
    }

    pub(super) fn value(&self, expr: &Expr, at_ms: i64) -> Result<Value, QueryError> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Value::Scalar(number.val)),
            Expr::StringLiteral(text) => Ok(Value::Text(text.val.clone())),
            Expr::Paren(paren) => self.value(&paren.expr, at_ms),
            Expr::Unary(unary) => self.negated(unary, at_ms),
            Expr::Binary(binary) => self.binary(binary, at_ms),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, at_ms).map(Value::Vector),
            Expr::Call(call) => self.call(call, at_ms),
            Expr::VectorSelector(selector) => Ok(Value::Vector(
                self.instant(selector, at_ms)?
                    .into_iter()
                    .map(|(labels, point)| Sample { labels, value: point.value })
                    .collect(),
            )),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => Ok(Value::Matrix(self.windows(expr, at_ms)?.series)),
            Expr::Extension(_) => Err(QueryError::BadData("extensions are not supported".to_owned())),
        }
    }

    fn negated(&self, unary: &UnaryExpr, at_ms: i64) -> Result<Value, QueryError> {
        match self.value(&unary.expr, at_ms)? {
            Value::Scalar(value) => Ok(Value::Scalar(-value)),
            other => {
                let negated = other
                    .vector()?
                    .into_iter()
                    .map(|Sample { labels, value }| Sample { labels: labels.without_name(), value: -value })
                    .collect();
                distinct(negated).map(Value::Vector)
            }
        }
    }
}
