//! True, false, or not known: what `&&`, `||`, comparisons and `in` make of values.

use std::cmp::Ordering;

use regex::Regex;

use super::super::check::known_kind;
use super::super::names::Kind;
use super::super::parser::pattern;
use super::super::tree::{Expr, Node, Order, TextTest};
use super::super::value::Value;
use super::{Evaluated, Evaluation, Reason, Stop, failed, no_data};

/// What is known after some of several parts were asked.
#[derive(Default)]
pub(super) struct Gathered {
    gap: Option<Box<Reason>>,
}

impl Gathered {
    /// The answer of the next part, or nothing where it isn't known. What a part asks wrongly after data were missing
    /// isn't told: it may be wrong because they were.
    pub(super) fn known<T>(&mut self, part: Evaluated<T>) -> Evaluated<Option<T>> {
        match part {
            Ok(value) => Ok(Some(value)),
            Err(Stop::NoData(gap)) => {
                self.gap.get_or_insert(gap);
                Ok(None)
            }
            Err(other) => Err(self.gap.take().map_or(other, Stop::NoData)),
        }
    }

    /// The answer when no part decided: `otherwise`, if every part was known.
    pub(super) fn undecided<T>(self, otherwise: T) -> Evaluated<T> {
        self.gap.map_or(Ok(otherwise), |gap| Err(Stop::NoData(gap)))
    }
}

impl Evaluation<'_> {
    pub(in super::super) fn truth(&mut self, node: &Node) -> Evaluated<bool> {
        match self.operand(node)? {
            Value::Bool(truth) => Ok(truth),
            Value::Nil => no_data(node.at(), "there is nothing here that could be true or false"),
            other => failed(node.at(), format!("this has to be true or false, and it is {}", other.kind())),
        }
    }

    pub(super) fn all(&mut self, operands: &[Node]) -> Evaluated<bool> {
        let mut gathered = Gathered::default();
        for operand in operands {
            let truth = self.truth(operand);
            if gathered.known(truth)? == Some(false) {
                return Ok(false);
            }
        }
        gathered.undecided(true)
    }

    pub(super) fn any(&mut self, operands: &[Node]) -> Evaluated<bool> {
        let mut gathered = Gathered::default();
        for operand in operands {
            let truth = self.truth(operand);
            if gathered.known(truth)? == Some(true) {
                return Ok(true);
            }
        }
        gathered.undecided(false)
    }

    pub(super) fn ordered(&mut self, at: usize, operands: &[Node], orders: &[Order]) -> Evaluated<bool> {
        let Some((first, others)) = operands.split_first() else {
            return Ok(true);
        };
        let mut left = self.value(first)?;
        let mut gathered = Gathered::default();
        for (operand, order) in others.iter().zip(orders) {
            let right = self.value(operand)?;
            if gathered.known(holds(at, *order, &left, &right))? == Some(false) {
                return Ok(false);
            }
            left = right;
        }
        gathered.undecided(true)
    }

    pub(super) fn equal(&mut self, at: usize, operands: &[Node; 2]) -> Evaluated<bool> {
        let [left, right] = operands;
        let is_nil = |node: &Node| matches!(node.expr, Expr::Constant(Value::Nil));
        let asks_for_nil = is_nil(left) || is_nil(right);
        let (left_value, right_value) = if asks_for_nil {
            (self.value(left)?, self.value(right)?)
        } else {
            (self.operand(left)?, self.operand(right)?)
        };
        if is_nan(&left_value) || is_nan(&right_value) {
            return no_data(at, "NaN is equal to nothing and different from nothing");
        }
        let one_is_nil = left_value == Value::Nil || right_value == Value::Nil;
        if !same_kind(&left_value, &right_value) && !one_is_nil && self.has_one_kind(left) && self.has_one_kind(right) {
            let (left, right) = (left_value.kind(), right_value.kind());
            return failed(at, format!("{left} is never equal to {right}"));
        }
        self.same(at, &left_value, &right_value)
    }

    /// Whether the language knows the kind of this before it looks: what it compares with can't be of another kind
    /// then. Of what a server answered within a map it doesn't.
    fn has_one_kind(&self, node: &Node) -> bool {
        match &node.expr {
            Expr::Result => true,
            Expr::Member { of, .. } if matches!(of.expr, Expr::Result) => match self.result {
                Value::Array(array) => array.items().iter().all(|item| matches!(item, Value::Float(_))),
                _ => false,
            },
            _ => known_kind(node) != Kind::Any,
        }
    }

    /// Whether two values are equal, all that lies within them included.
    pub(super) fn same(&mut self, at: usize, left: &Value, right: &Value) -> Evaluated<bool> {
        self.work(at, 1)?;
        match (left, right) {
            (Value::Int(left), Value::Int(right)) => Ok(left == right),
            (Value::Array(left), Value::Array(right)) => {
                if left.items().len() != right.items().len() {
                    return Ok(false);
                }
                for (left, right) in left.items().iter().zip(right.items()) {
                    if !self.same(at, left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(left), Value::Map(right)) => {
                if left.entries().len() != right.entries().len() {
                    return Ok(false);
                }
                for ((left_name, left), (right_name, right)) in left.entries().iter().zip(right.entries()) {
                    if left_name != right_name || !self.same(at, left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Text(left), Value::Text(right)) => {
                self.work(at, left.len().min(right.len()) / 64)?;
                Ok(left == right)
            }
            _ => match (left.number(), right.number()) {
                (Some(left), Some(right)) => Ok(left == right),
                _ => Ok(left == right),
            },
        }
    }

    pub(super) fn contained(&mut self, operands: &[Node; 2]) -> Evaluated<bool> {
        let [needle, haystack] = operands;
        let wanted = if matches!(needle.expr, Expr::Constant(_)) { self.value(needle)? } else { self.operand(needle)? };
        let at = haystack.at();
        match self.operand(haystack)? {
            Value::Array(array) => {
                let mut unknown = is_nan(&wanted);
                for item in array.items() {
                    unknown |= is_nan(item) && wanted.number().is_some();
                    if self.same(at, item, &wanted)? {
                        return Ok(true);
                    }
                }
                if unknown {
                    return no_data(at, "whether NaN is among these numbers can't be said");
                }
                let lists = matches!(haystack.expr, Expr::Array(_) | Expr::Range(_) | Expr::Result);
                let none_like_it = array.items().iter().all(|item| !same_kind(item, &wanted) && *item != Value::Nil);
                if lists && none_like_it && !array.items().is_empty() && self.has_one_kind(needle) {
                    return failed(at, format!("none of these can be equal to {}", wanted.kind()));
                }
                Ok(false)
            }
            Value::Map(map) => match wanted {
                Value::Text(name) => Ok(map.entries().contains_key(&name)),
                other => failed(needle.at(), format!("the keys of a map are texts, and this is {}", other.kind())),
            },
            Value::Nil => no_data(at, "there is nothing to look into"),
            other => failed(at, format!("in looks into an array or a map, not into {}", other.kind())),
        }
    }

    pub(super) fn text_test(&mut self, test: TextTest, operands: &[Node; 2]) -> Evaluated<bool> {
        let [left, right] = operands;
        let (whole, part) = (self.tested_text(left, test.word())?, self.tested_text(right, test.word())?);
        self.work(left.at(), whole.len() / 64)?;
        Ok(match test {
            TextTest::Contains => whole.contains(&*part),
            TextTest::StartsWith => whole.starts_with(&*part),
            TextTest::EndsWith => whole.ends_with(&*part),
        })
    }

    pub(super) fn matches(&mut self, operands: &[Node; 2], known: Option<&Regex>) -> Evaluated<bool> {
        let [left, right] = operands;
        let text = self.tested_text(left, "matches")?;
        self.work(left.at(), text.len() / 16)?;
        if let Some(known) = known {
            return Ok(known.is_match(&text));
        }
        // A pattern that is made anew each time costs as much as thousands of comparisons.
        self.work(right.at(), 20_000)?;
        match pattern(&self.tested_text(right, "matches")?) {
            Ok(pattern) => Ok(pattern.is_match(&text)),
            Err(why) => failed(right.at(), why),
        }
    }

    fn tested_text(&mut self, node: &Node, test: &str) -> Evaluated<std::sync::Arc<str>> {
        match self.operand(node)? {
            Value::Text(text) => Ok(text),
            Value::Nil => no_data(node.at(), "there is no text here"),
            other => failed(node.at(), format!("{test} wants a text, and this is {}", other.kind())),
        }
    }
}

fn same_kind(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right) || left.number().is_some() && right.number().is_some()
}

pub(super) fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(float) if float.is_nan())
}

/// Whether an order holds between two values.
pub(in super::super) fn holds(at: usize, order: Order, left: &Value, right: &Value) -> Evaluated<bool> {
    let Some(ordering) = compared(left, right) else {
        return incomparable(at, order, left, right);
    };
    Ok(match order {
        Order::Less => ordering == Ordering::Less,
        Order::LessOrEqual => ordering != Ordering::Greater,
        Order::Greater => ordering == Ordering::Greater,
        Order::GreaterOrEqual => ordering != Ordering::Less,
    })
}

/// How two values of one kind lie to one another; nothing where they have no order.
pub(super) fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        _ => left.number()?.partial_cmp(&right.number()?),
    }
}

#[cold]
fn incomparable(at: usize, order: Order, left: &Value, right: &Value) -> Evaluated<bool> {
    let sign = order.sign();
    if *left == Value::Nil || *right == Value::Nil {
        return no_data(
            at,
            format!("there is nothing on the {} of {sign}", if *left == Value::Nil { "left" } else { "right" }),
        );
    }
    if left.number().is_some() && right.number().is_some() {
        return no_data(at, format!("{sign} can't be answered for NaN"));
    }
    failed(at, format!("{sign} doesn't go with {} and {}", left.kind(), right.kind()))
}
