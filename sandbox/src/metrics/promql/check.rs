//! From text to an expression that the evaluator knows all of.

use promql_parser::parser::{self, Expr, VectorSelector};

use super::error::QueryError;
use super::functions;

/// Longer queries are refused: their expressions could be nested deeper than a thread's stack allows.
const LONGEST_BYTES: usize = 8 * 1024;

/// Deeper nested queries are refused, for the same reason.
const DEEPEST: usize = 100;

pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    if text.len() > LONGEST_BYTES {
        return Err(refused(&format!("the query has {} bytes, {LONGEST_BYTES} are allowed", text.len())));
    }
    // The parser panics at durations that no `Duration` holds, such as `up[1e300]`.
    let parsed = std::panic::catch_unwind(|| parser::parse(text));
    let parsed = parsed.unwrap_or_else(|_| Err("a duration is out of range".to_owned()));
    let expr = parsed.map_err(|reason| refused(&reason))?;
    check(&expr, 0)?;
    Ok(expr)
}

fn refused(reason: &str) -> QueryError {
    QueryError::BadData(format!("parse error: {reason}"))
}

/// Refuses what can be parsed but not evaluated, before anything is evaluated.
fn check(expr: &Expr, depth: usize) -> Result<(), QueryError> {
    if depth > DEEPEST {
        return Err(refused(&format!("the query is nested more than {DEEPEST} deep")));
    }
    let deeper = |expr: &Expr| check(expr, depth + 1);
    match expr {
        Expr::Aggregate(aggregate) => {
            if super::aggregate::Aggregation::of(aggregate.op).is_none() {
                return Err(refused(&format!("the aggregation {} is not supported", aggregate.op)));
            }
            if let Some(param) = &aggregate.param {
                deeper(param)?;
            }
            deeper(&aggregate.expr)
        }
        Expr::Unary(unary) => deeper(&unary.expr),
        Expr::Binary(binary) => {
            let fill = binary.modifier.as_ref().map(|modifier| &modifier.fill_values);
            if fill.is_some_and(|fill| fill.lhs.is_some() || fill.rhs.is_some()) {
                return Err(refused("fill modifiers are not supported"));
            }
            deeper(&binary.lhs)?;
            deeper(&binary.rhs)
        }
        Expr::Paren(paren) => deeper(&paren.expr),
        Expr::Subquery(subquery) => {
            if subquery.step.is_some_and(|step| step.is_zero()) || subquery.range.is_zero() {
                return Err(refused("duration must be greater than 0"));
            }
            deeper(&subquery.expr)
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(()),
        Expr::VectorSelector(selector) => check_selector(selector),
        Expr::MatrixSelector(matrix) => {
            if matrix.range.is_zero() {
                return Err(refused("duration must be greater than 0"));
            }
            check_selector(&matrix.vs)
        }
        Expr::Call(call) => {
            if !functions::is_known(call.func.name) {
                return Err(refused(&format!("unknown function with name {:?}", call.func.name)));
            }
            call.args.args.iter().try_for_each(|arg| deeper(arg))
        }
        Expr::Extension(_) => Err(refused("extensions are not supported")),
    }
}

fn check_selector(selector: &VectorSelector) -> Result<(), QueryError> {
    if selector.matchers.or_matchers.is_empty() {
        Ok(())
    } else {
        Err(refused("label matchers are joined by commas; `or` between them is not supported"))
    }
}
