//! Function calls: those of instant vectors and numbers here, the others in files of their own.

use promql_parser::parser::{Call, Expr};

use super::error::QueryError;
use super::evaluate::Evaluation;
use super::numeric::{nan_first, seconds};
use super::select::Selector;
use super::value::{Sample, Value, distinct};
use super::{calendar, histogram, over_time};
use crate::metrics::labels::Labels;

/// Functions that belong to none of the families.
const OTHERS: [&str; 15] = [
    "absent",
    "absent_over_time",
    "clamp",
    "clamp_max",
    "clamp_min",
    "histogram_quantile",
    "label_join",
    "label_replace",
    "round",
    "scalar",
    "sort",
    "sort_desc",
    "time",
    "timestamp",
    "vector",
];

pub(super) fn is_known(function: &str) -> bool {
    OTHERS.contains(&function)
        || function == "pi"
        || of_number(function).is_some()
        || calendar::part(function).is_some()
        || over_time::window_argument(function).is_some()
}

/// Functions from number to number.
fn of_number(function: &str) -> Option<fn(f64) -> f64> {
    Some(match function {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sgn" => |value| if value == 0.0 || value.is_nan() { value } else { value.signum() },
        "deg" => f64::to_degrees,
        "rad" => f64::to_radians,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        _ => return None,
    })
}

impl Evaluation<'_> {
    pub(super) fn call(&self, call: &Call, at_ms: i64) -> Result<Value, QueryError> {
        let function = call.func.name;
        match function {
            "time" => return Ok(Value::Scalar(seconds(at_ms))),
            "pi" => return Ok(Value::Scalar(std::f64::consts::PI)),
            "scalar" => {
                let samples = self.vector_at(call, 0, at_ms)?;
                let value = if let [only] = samples.as_slice() { only.value } else { f64::NAN };
                return Ok(Value::Scalar(value));
            }
            _ => {}
        }
        let samples = if let Some(window_at) = over_time::window_argument(function) {
            self.over_time(call, window_at, at_ms)?
        } else if let Some(apply) = of_number(function) {
            self.mapped(call, at_ms, apply)?
        } else if let Some(part) = calendar::part(function) {
            if call.args.is_empty() {
                vec![Sample { labels: Labels::default(), value: calendar::of(seconds(at_ms), part) }]
            } else {
                self.mapped(call, at_ms, |value| calendar::of(value, part))?
            }
        } else {
            self.other(call, at_ms)?
        };
        Ok(Value::Vector(samples))
    }

    fn other(&self, call: &Call, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        match call.func.name {
            "absent" => {
                let there = self.vector_at(call, 0, at_ms)?;
                Ok(absent(call, there.is_empty()))
            }
            "absent_over_time" => {
                let windows = self.windows(argument(call, 0)?, at_ms)?;
                Ok(absent(call, windows.series.is_empty()))
            }
            "clamp" => self.clamped(call, at_ms, Some(1), Some(2)),
            "clamp_min" => self.clamped(call, at_ms, Some(1), None),
            "clamp_max" => self.clamped(call, at_ms, None, Some(1)),
            "histogram_quantile" => {
                let part = self.number_at(call, 0, at_ms)?;
                Ok(histogram::quantiles(part, self.vector_at(call, 1, at_ms)?))
            }
            "label_join" => self.label_join(call, at_ms),
            "label_replace" => self.label_replace(call, at_ms),
            "round" => {
                let to = if call.args.len() > 1 { self.number_at(call, 1, at_ms)? } else { 1.0 };
                // Dividing by the inverse is exact for 0.1 and its like, where multiplying is not.
                let inverse = 1.0 / to;
                self.mapped(call, at_ms, |value| (value * inverse + 0.5).floor() / inverse)
            }
            "sort" => {
                let mut samples = self.vector_at(call, 0, at_ms)?;
                samples.sort_by(|a, b| a.value.is_nan().cmp(&b.value.is_nan()).then(nan_first(a.value, b.value)));
                Ok(samples)
            }
            "sort_desc" => {
                let mut samples = self.vector_at(call, 0, at_ms)?;
                samples.sort_by(|a, b| nan_first(b.value, a.value));
                Ok(samples)
            }
            "timestamp" => self.timestamps(call, at_ms),
            "vector" => Ok(vec![Sample { labels: Labels::default(), value: self.number_at(call, 0, at_ms)? }]),
            unknown => Err(QueryError::BadData(format!("unknown function with name {unknown:?}"))),
        }
    }

    fn vector_at(&self, call: &Call, index: usize, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        self.value(argument(call, index)?, at_ms)?.vector()
    }

    fn number_at(&self, call: &Call, index: usize, at_ms: i64) -> Result<f64, QueryError> {
        self.value(argument(call, index)?, at_ms)?.scalar()
    }

    fn mapped(&self, call: &Call, at_ms: i64, apply: impl Fn(f64) -> f64) -> Result<Vec<Sample>, QueryError> {
        let samples = self.vector_at(call, 0, at_ms)?.into_iter();
        let mapped =
            samples.map(|Sample { labels, value }| Sample { labels: labels.without_name(), value: apply(value) });
        distinct(mapped.collect())
    }

    fn clamped(
        &self,
        call: &Call,
        at_ms: i64,
        least: Option<usize>,
        most: Option<usize>,
    ) -> Result<Vec<Sample>, QueryError> {
        let bound =
            |index: Option<usize>, none: f64| index.map_or(Ok(none), |index| self.number_at(call, index, at_ms));
        let (least, most) = (bound(least, f64::NEG_INFINITY)?, bound(most, f64::INFINITY)?);
        if most < least {
            return Ok(Vec::new());
        }
        self.mapped(call, at_ms, |value| larger(least, smaller(most, value)))
    }

    /// When each sample was taken; of anything that is calculated, now.
    fn timestamps(&self, call: &Call, at_ms: i64) -> Result<Vec<Sample>, QueryError> {
        if let Expr::VectorSelector(selector) = argument(call, 0)? {
            let samples = self.instant(selector, at_ms)?.into_iter();
            let taken = samples.map(|(labels, point)| (labels.without_name(), seconds(point.at_ms)));
            return distinct(taken.map(|(labels, value)| Sample { labels, value }).collect());
        }
        self.mapped(call, at_ms, |_| seconds(at_ms))
    }
}

/// "Not a number" wins over every number, but not over the infinity that nothing is smaller than.
fn smaller(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

fn larger(a: f64, b: f64) -> f64 {
    -smaller(-a, -b)
}

fn without_parens(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

fn argument(call: &Call, index: usize) -> Result<&Expr, QueryError> {
    let missing = || QueryError::BadData(format!("{} has too few arguments", call.func.name));
    call.args.args.get(index).map(|argument| without_parens(argument)).ok_or_else(missing)
}

/// One sample with the labels that are certain, where nothing is there.
fn absent(call: &Call, nothing_there: bool) -> Vec<Sample> {
    if !nothing_there {
        return Vec::new();
    }
    let selector = match argument(call, 0) {
        Ok(Expr::VectorSelector(selector)) => Some(selector),
        Ok(Expr::MatrixSelector(matrix)) => Some(&matrix.vs),
        _ => None,
    };
    let labels = selector.map(|selector| Selector::of(selector).certain_labels()).unwrap_or_default();
    vec![Sample { labels, value: 1.0 }]
}
