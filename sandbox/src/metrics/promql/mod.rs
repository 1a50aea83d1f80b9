//! PromQL: parsed by `promql-parser`, evaluated here as Prometheus 2 does it.
//!
//! A query over a range is the same query at each of its steps, so that there is one evaluator. What it does not
//! know (native histograms, what came with Prometheus 3) it refuses, it never guesses.

mod aggregate;
mod arithmetic;
mod binary;
mod calendar;
mod check;
mod error;
mod evaluate;
mod functions;
mod histogram;
mod labelling;
mod numeric;
mod over_time;
mod rate;
mod select;
mod value;

use std::collections::BTreeMap;

use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;

pub use error::QueryError;
pub(crate) use labelling::is_label_name;
pub(crate) use value::{Sample, Series, Value};

use super::labels::Labels;
use super::store::{Point, Store};
use evaluate::Evaluation;

/// The most instants of one range query.
pub(crate) const MOST_STEPS: i64 = 11_000;

/// A query that can be read.
#[derive(Debug)]
pub(crate) struct Query(Expr);

impl Query {
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        check::parse(text).map(Self)
    }

    /// The result at one instant.
    pub(crate) fn at(&self, store: &Store, at_ms: i64) -> Result<Value, QueryError> {
        Evaluation::new(store, at_ms, at_ms).value(&self.0, at_ms)
    }

    /// The results at each step of a range.
    pub(crate) fn over(&self, store: &Store, from: i64, until: i64, step: i64) -> Result<Vec<Series>, QueryError> {
        let value_type = self.0.value_type();
        if !matches!(value_type, ValueType::Scalar | ValueType::Vector) {
            return Err(QueryError::BadData(format!(
                "invalid expression type {:?} for range query, must be Scalar or instant Vector",
                documented(value_type)
            )));
        }
        let evaluation = Evaluation::new(store, from, until);
        let mut series: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
        let mut next = Some(from);
        while let Some(at_ms) = next.filter(|at_ms| *at_ms <= until) {
            let samples = match evaluation.value(&self.0, at_ms)? {
                Value::Scalar(value) => vec![Sample { labels: Labels::default(), value }],
                other => other.vector()?,
            };
            for Sample { labels, value } in samples {
                series.entry(labels).or_default().push(Point { at_ms, value });
            }
            next = at_ms.checked_add(step.max(1));
        }
        Ok(series.into_iter().map(|(labels, points)| Series { labels, points }).collect())
    }

    /// The selector that the whole query is, for the parts of the API that take nothing else.
    pub(crate) fn selector(&self) -> Option<select::Selector<'_>> {
        match &self.0 {
            Expr::VectorSelector(selector) => Some(select::Selector::of(selector)),
            _ => None,
        }
    }
}

fn documented(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Vector => "instant vector",
        ValueType::Scalar => "scalar",
        ValueType::Matrix => "range vector",
        ValueType::String => "string",
    }
}
