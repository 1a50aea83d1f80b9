//! Operators between two numbers.

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE, T_MOD, T_MUL, T_NEQ, T_POW, T_SUB, TokenId, TokenType,
};

/// A number, or whether a comparison holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Number(f64),
    Holds(bool),
}

pub(super) fn apply(op: TokenType, left: f64, right: f64) -> Outcome {
    let id: TokenId = op.id();
    match id {
        T_ADD => Outcome::Number(left + right),
        T_SUB => Outcome::Number(left - right),
        T_MUL => Outcome::Number(left * right),
        T_DIV => Outcome::Number(left / right),
        T_MOD => Outcome::Number(left % right),
        T_POW => Outcome::Number(left.powf(right)),
        T_ATAN2 => Outcome::Number(left.atan2(right)),
        T_EQLC => Outcome::Holds(left == right),
        T_NEQ => Outcome::Holds(left != right),
        T_GTR => Outcome::Holds(left > right),
        T_GTE => Outcome::Holds(left >= right),
        T_LSS => Outcome::Holds(left < right),
        T_LTE => Outcome::Holds(left <= right),
        _ => Outcome::Number(f64::NAN),
    }
}

/// Whether the result is another quantity than the operands, so that their name no longer fits.
pub(super) fn drops_name(op: TokenType) -> bool {
    matches!(op.id(), T_ADD | T_SUB | T_MUL | T_DIV | T_MOD | T_POW)
}

pub(super) fn one_if(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
