//! The operators between two values and how tightly each binds.

use regex::{Regex, RegexBuilder};

use super::super::mistake::Wrong;
use super::super::token::Kind;
use super::super::tree::{Arithmetic, Expr, Node, Order, TextTest};
use super::super::value::Value;

pub(super) const AND: u16 = 15;
pub(super) const COMPARE: u16 = 20;
pub(super) const NOT: u16 = 50;
pub(super) const SIGN: u16 = 90;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Pipe,
    Or,
    And,
    Order(Order),
    Plain(Plain),
}

/// The operators that are read as any other: a left side, a right side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Equal,
    Unequal,
    In,
    Matches,
    Text(TextTest),
    Range,
    Arithmetic(Arithmetic),
    Coalesce,
}

/// The operator that a word is, if it is one.
pub(super) fn binary(word: &Kind) -> Option<Operator> {
    match word {
        Kind::Sign(sign) => spelled(sign),
        Kind::Word(word) => spelled(word),
        Kind::Number(_) | Kind::Text(_) | Kind::End => None,
    }
}

fn spelled(word: &str) -> Option<Operator> {
    Some(match word {
        "|" => Operator::Pipe,
        "||" | "or" => Operator::Or,
        "&&" | "and" => Operator::And,
        "==" => Operator::Plain(Plain::Equal),
        "!=" => Operator::Plain(Plain::Unequal),
        "<" => Operator::Order(Order::Less),
        "<=" => Operator::Order(Order::LessOrEqual),
        ">" => Operator::Order(Order::Greater),
        ">=" => Operator::Order(Order::GreaterOrEqual),
        "in" => Operator::Plain(Plain::In),
        "matches" => Operator::Plain(Plain::Matches),
        "contains" => Operator::Plain(Plain::Text(TextTest::Contains)),
        "startsWith" => Operator::Plain(Plain::Text(TextTest::StartsWith)),
        "endsWith" => Operator::Plain(Plain::Text(TextTest::EndsWith)),
        ".." => Operator::Plain(Plain::Range),
        "+" => Operator::Plain(Plain::Arithmetic(Arithmetic::Add)),
        "-" => Operator::Plain(Plain::Arithmetic(Arithmetic::Subtract)),
        "*" => Operator::Plain(Plain::Arithmetic(Arithmetic::Multiply)),
        "/" => Operator::Plain(Plain::Arithmetic(Arithmetic::Divide)),
        "%" => Operator::Plain(Plain::Arithmetic(Arithmetic::Remainder)),
        "**" | "^" => Operator::Plain(Plain::Arithmetic(Arithmetic::Power)),
        "??" => Operator::Plain(Plain::Coalesce),
        _ => return None,
    })
}

/// Whether `not` may stand before this word, as in `not in`.
pub(super) fn may_be_negated(word: &Kind) -> bool {
    matches!(binary(word), Some(Operator::Plain(Plain::In | Plain::Matches | Plain::Text(_))))
}

/// Words that are no names.
pub(super) fn is_reserved(word: &str) -> bool {
    matches!(word, "let" | "if" | "else" | "not" | "true" | "false" | "nil") || spelled(word).is_some()
}

impl Operator {
    pub(super) fn precedence(self) -> u16 {
        match self {
            Self::Pipe => 0,
            Self::Or => 10,
            Self::And => AND,
            Self::Order(_) => COMPARE,
            Self::Plain(plain) => match plain {
                Plain::Equal | Plain::Unequal | Plain::In | Plain::Matches | Plain::Text(_) => COMPARE,
                Plain::Range => 25,
                Plain::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => 30,
                Plain::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder) => 60,
                Plain::Arithmetic(Arithmetic::Power) => 100,
                Plain::Coalesce => 500,
            },
        }
    }

    /// How tightly the right side has to bind: `**` goes on to the right, all others to the left.
    pub(super) fn right_precedence(self) -> u16 {
        self.precedence() + u16::from(self != Self::Plain(Plain::Arithmetic(Arithmetic::Power)))
    }
}

impl Plain {
    /// The operator over its two sides.
    pub(super) fn over(self, operands: Box<[Node; 2]>) -> Result<Expr, Wrong> {
        Ok(match self {
            Self::Equal => Expr::Equal { operands, unequal: false },
            Self::Unequal => Expr::Equal { operands, unequal: true },
            Self::In => Expr::In(operands),
            Self::Matches => {
                let pattern = match &operands[1].expr {
                    Expr::Constant(Value::Text(text)) => {
                        Some(pattern(text).map_err(|why| Wrong::new(operands[1].at(), why))?)
                    }
                    _ => None,
                };
                Expr::Matches { operands, pattern }
            }
            Self::Text(test) => Expr::TextTest(test, operands),
            Self::Range => Expr::Range(operands),
            Self::Arithmetic(arithmetic) => Expr::Arithmetic(arithmetic, operands),
            Self::Coalesce => Expr::Coalesce(operands),
        })
    }
}

/// A pattern that can't eat the machine, however it nests its repetitions.
pub(in super::super) fn pattern(text: &str) -> Result<Regex, String> {
    const LARGEST: usize = 256 * 1024;
    RegexBuilder::new(text).size_limit(LARGEST).nest_limit(50).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this pattern needs too much memory".to_owned(),
        other => {
            let reason = other.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("this is not a pattern, {last}")
        }
    })
}
