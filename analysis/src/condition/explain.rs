//! Which comparison decided.

use std::fmt;

use super::evaluate::{Evaluation, holds};
use super::names::Predicate;
use super::tree::{Expr, Node, Order};
use super::value::Value;

/// A comparison with the values that met in it. Its `Display` is `0.91 is not >= 0.95` or `2.7 > 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What stood on the left.
    pub left: Value,
    /// How the two were compared.
    pub operator: Operator,
    /// What stood on the right.
    pub right: Value,
    /// Whether the comparison held.
    pub holds: bool,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl From<Order> for Operator {
    fn from(order: Order) -> Self {
        match order {
            Order::Less => Self::Less,
            Order::LessOrEqual => Self::LessOrEqual,
            Order::Greater => Self::Greater,
            Order::GreaterOrEqual => Self::GreaterOrEqual,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.holds { "" } else { "is not " };
        let Self { left, operator, right, .. } = self;
        write!(f, "{} {not}{} {}", Side(left), operator.sign(), Side(right))
    }
}

/// A side of a comparison as people write it, and no longer than fits a sentence.
struct Side<'v>(&'v Value);

impl fmt::Display for Side<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Nil => f.write_str("nil"),
            Value::Float(float) => write!(f, "{float}"),
            Value::Text(text) => write!(f, "{:?}", super::token::shortened(text)),
            Value::Array(array) => write!(f, "an array of {}", array.items().len()),
            Value::Map(map) => write!(f, "a map of {}", map.entries().len()),
            Value::Date(date) => write!(f, "{date}"),
            value @ (Value::Bool(_) | Value::Int(_) | Value::Duration(_)) => write!(f, "{value}"),
        }
    }
}

impl Evaluation<'_> {
    /// Goes down to the comparison on which the whole depended: through `||` to the part that held, through `&&` to
    /// the part that didn't, and to the last part where they all agree, because guards stand first.
    pub(super) fn deciding(&mut self, node: &Node) -> Option<Comparison> {
        match &node.expr {
            Expr::Ordered { operands, orders } => self.order(node.at(), operands, orders),
            Expr::Equal { operands, unequal } => {
                let (left, right) = (self.value(&operands[0]).ok()?, self.value(&operands[1]).ok()?);
                let holds = matches!(self.value(node).ok()?, Value::Bool(true));
                let operator = if *unequal { Operator::Unequal } else { Operator::Equal };
                Some(Comparison { left, operator, right, holds })
            }
            Expr::Not(of) => self.deciding(of),
            Expr::All(operands) => self.among(operands, false),
            Expr::Any(operands) => self.among(operands, true),
            Expr::Conditional(parts) => {
                let chosen = if self.truth(&parts[0]).ok()? { &parts[1] } else { &parts[2] };
                self.deciding(chosen)
            }
            Expr::Otherwise(parts) => {
                let chosen = if self.truth(&parts[0]).ok()? { &parts[0] } else { &parts[1] };
                self.deciding(chosen)
            }
            Expr::Let(parts) => self.with_variable(&parts[0], |evaluation| evaluation.deciding(&parts[1])),
            Expr::Sequence(nodes) => self.deciding(nodes.last()?),
            Expr::Each { predicate: Predicate::All, over, body: Some(body), .. } => self.of_element(over, body, false),
            Expr::Each { predicate: Predicate::Any | Predicate::None, over, body: Some(body), .. } => {
                self.of_element(over, body, true)
            }
            _ => None,
        }
    }

    /// The part whose answer is `decisive`, else the last that compares something, provided that all are known.
    fn among(&mut self, operands: &[Node], decisive: bool) -> Option<Comparison> {
        let mut undecided = false;
        let mut last = None;
        for operand in operands {
            match self.truth(operand) {
                Ok(truth) if truth == decisive => return self.deciding(operand),
                Ok(_) => last = self.deciding(operand).or(last),
                Err(_) => undecided = true,
            }
        }
        last.filter(|_| !undecided)
    }

    /// Of `a < b < c` the part that doesn't hold, else the first.
    fn order(&mut self, at: usize, operands: &[Node], orders: &[Order]) -> Option<Comparison> {
        let values = operands.iter().map(|operand| self.value(operand).ok()).collect::<Option<Vec<_>>>()?;
        let mut first = None;
        for (pair, order) in values.windows(2).zip(orders) {
            let [left, right] = pair else {
                return None;
            };
            let holds = holds(at, *order, left, right).ok()?;
            let part = Comparison { left: left.clone(), operator: (*order).into(), right: right.clone(), holds };
            if !holds {
                return Some(part);
            }
            first.get_or_insert(part);
        }
        first
    }

    /// The comparison for the first element whose answer is `decisive`.
    fn of_element(&mut self, over: &Node, body: &Node, decisive: bool) -> Option<Comparison> {
        self.at_each(over, |evaluation| {
            let truth = evaluation.truth(body).ok()?;
            if truth == decisive { evaluation.deciding(body) } else { None }
        })
    }
}
