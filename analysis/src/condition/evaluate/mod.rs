//! A condition meets what was measured.
//!
//! What is missing (an element that isn't there, a member that isn't there, NaN where a number decides) doesn't become
//! false and doesn't end the evaluation: it is carried upwards as [`Stop::NoData`], and `&&`, `||` and the predicates
//! go on to look whether the rest decides alone. So `len(result) == 0 || result[0] > 0.9` is the user's own policy
//! wherever in the condition it stands.

mod access;
mod arithmetic;
mod arrays;
mod calls;
mod convert;
mod each;
mod layout;
mod logic;
mod numbers;
mod texts;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub(super) use logic::holds;

use super::tree::{Expr, Item, Node};
use super::value::{TooDeep, Value};

/// How many steps one evaluation may take: some tens of milliseconds.
const STEPS: usize = 1_000_000;
/// How many bytes of texts and arrays one evaluation may make.
const BYTES: usize = 16 << 20;

/// Why an expression has no value.
#[derive(Debug)]
pub(super) enum Stop {
    /// What it asks about isn't there.
    NoData(Box<Reason>),
    /// It asks for something that can't be.
    Failed(Box<Reason>),
    /// Nothing stands before a `?.`, so that the whole chain is nil.
    Chained,
}

/// A sentence and the byte that it is about.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) at: usize,
    pub(super) message: String,
}

pub(super) type Evaluated<T = Value> = Result<T, Stop>;

pub(super) fn no_data<T>(at: usize, message: impl Into<String>) -> Evaluated<T> {
    Err(Stop::NoData(Box::new(Reason { at, message: message.into() })))
}

pub(super) fn failed<T>(at: usize, message: impl Into<String>) -> Evaluated<T> {
    Err(Stop::Failed(Box::new(Reason { at, message: message.into() })))
}

/// One evaluation of one condition.
pub(super) struct Evaluation<'a> {
    result: &'a Value,
    now: Timestamp,
    variables: Vec<Value>,
    scopes: Vec<Scope>,
    steps: usize,
    bytes: usize,
}

/// What `#`, `#index` and `#acc` are within a predicate.
struct Scope {
    element: Value,
    index: usize,
    accumulator: Value,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(result: &'a Value, now: Timestamp) -> Self {
        Self { result, now, variables: Vec::new(), scopes: Vec::new(), steps: STEPS, bytes: BYTES }
    }

    /// The value of an expression; nil where there is nothing.
    pub(super) fn value(&mut self, node: &Node) -> Evaluated {
        self.work(node.at(), 1)?;
        match &node.expr {
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Result => Ok(self.result.clone()),
            Expr::Variable(number) => Ok(self.variables.get(*number).cloned().unwrap_or(Value::Nil)),
            Expr::Item(item) => Ok(self.item(*item)),
            Expr::Not(of) => Ok(Value::Bool(!self.truth(of)?)),
            Expr::All(operands) => self.all(operands).map(Value::Bool),
            Expr::Any(operands) => self.any(operands).map(Value::Bool),
            Expr::Ordered { operands, orders } => self.ordered(node.at(), operands, orders).map(Value::Bool),
            Expr::Equal { operands, unequal } => Ok(Value::Bool(self.equal(node.at(), operands)? != *unequal)),
            Expr::In(operands) => self.contained(operands).map(Value::Bool),
            Expr::TextTest(test, operands) => self.text_test(*test, operands).map(Value::Bool),
            Expr::Matches { operands, pattern } => self.matches(operands, pattern.as_ref()).map(Value::Bool),
            Expr::Member { of, key, optional } => Ok(self.member(node.at(), of, key, *optional)?.unwrap_or(Value::Nil)),
            _ => self.rarer(node),
        }
    }

    fn rarer(&mut self, node: &Node) -> Evaluated {
        match &node.expr {
            Expr::Sign { negative, of } => self.signed(node.at(), *negative, of),
            Expr::Arithmetic(arithmetic, operands) => {
                let (left, right) = (self.value(&operands[0])?, self.value(&operands[1])?);
                self.arithmetic(node.at(), *arithmetic, &left, &right)
            }
            Expr::Range(operands) => self.range(operands),
            Expr::Coalesce(operands) => match self.value(&operands[0])? {
                Value::Nil => self.value(&operands[1]),
                value => Ok(value),
            },
            Expr::Conditional(parts) => {
                let chosen = if self.truth(&parts[0])? { &parts[1] } else { &parts[2] };
                self.value(chosen)
            }
            Expr::Otherwise(parts) => {
                if self.truth(&parts[0])? {
                    return Ok(Value::Bool(true));
                }
                self.value(&parts[1])
            }
            Expr::Chain(inner) => match self.value(inner) {
                Err(Stop::Chained) => Ok(Value::Nil),
                other => other,
            },
            Expr::Slice { of, from, to } => self.slice(node.at(), of, from.as_deref(), to.as_deref()),
            Expr::Array(items) => {
                let items = items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>()?;
                self.array(node.at(), items)
            }
            Expr::Map(entries) => self.map(node.at(), entries),
            Expr::Let(parts) => {
                let value = self.value(&parts[0])?;
                self.named(value, |evaluation| evaluation.value(&parts[1]))
            }
            Expr::Sequence(nodes) => {
                let mut last = Value::Nil;
                for node in nodes {
                    last = self.value(node)?;
                }
                Ok(last)
            }
            Expr::Call(builtin, arguments) => self.call(node.at(), *builtin, arguments),
            Expr::Method { of, method, arguments, optional } => match self.value(of)? {
                Value::Nil if *optional => Err(Stop::Chained),
                of => self.method(node.at(), &of, *method, arguments),
            },
            Expr::Each { predicate, over, body, extra } => {
                self.each(node.at(), *predicate, over, body.as_deref(), extra.as_deref())
            }
            // All others are worked out by the caller.
            _ => Ok(Value::Nil),
        }
    }

    /// The value of an expression that something is asked about: where there is nothing, there is no answer, unless
    /// the condition says itself what nothing shall mean (`?.`, `??`, a choice, `default`).
    pub(super) fn operand(&mut self, node: &Node) -> Evaluated {
        match &node.expr {
            Expr::Member { of, key, optional } => match self.member(node.at(), of, key, *optional)? {
                Some(value) => Ok(value),
                None => no_data(node.at(), access::nothing_named(key)),
            },
            Expr::Constant(_)
            | Expr::Chain(_)
            | Expr::Coalesce(_)
            | Expr::Conditional(_)
            | Expr::Otherwise(_)
            | Expr::Call(super::names::Builtin::Default, _) => self.value(node),
            _ => match self.value(node)? {
                Value::Nil => no_data(node.at(), nothing(node)),
                value => Ok(value),
            },
        }
    }

    /// Does something while a value is a variable.
    fn named<T>(&mut self, value: Value, rest: impl FnOnce(&mut Self) -> T) -> T {
        self.variables.push(value);
        let outcome = rest(self);
        self.variables.pop();
        outcome
    }

    /// The same for the value of an expression, if it has one.
    pub(super) fn with_variable<T>(&mut self, node: &Node, rest: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let value = self.value(node).ok()?;
        self.named(value, rest)
    }

    fn item(&self, item: Item) -> Value {
        let Some(scope) = self.scopes.last() else {
            return Value::Nil;
        };
        match item {
            Item::Element => scope.element.clone(),
            Item::Index => Value::Int(scope.index as i64),
            Item::Accumulator => scope.accumulator.clone(),
        }
    }

    /// Takes note of work that takes about so many steps.
    fn work(&mut self, at: usize, steps: usize) -> Evaluated<()> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => failed(at, format!("this takes more than {STEPS} steps")),
        }
    }

    /// Takes note of memory before it is taken.
    fn memory(&mut self, at: usize, bytes: usize) -> Evaluated<()> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                self.work(at, bytes / 64)
            }
            None => failed(at, format!("this makes more than {} MiB of values", BYTES >> 20)),
        }
    }

    fn text(&mut self, at: usize, text: String) -> Evaluated {
        self.memory(at, text.len())?;
        Ok(Value::from(text))
    }

    fn array(&mut self, at: usize, items: Vec<Value>) -> Evaluated {
        self.memory(at, items.len().saturating_mul(size_of::<Value>()))?;
        Value::array(items).or_else(|TooDeep| failed(at, TooDeep.to_string()))
    }

    fn entries(&mut self, at: usize, entries: BTreeMap<Arc<str>, Value>) -> Evaluated {
        let names: usize = entries.keys().map(|name| name.len()).sum();
        self.memory(at, names + entries.len() * 64)?;
        Value::map(entries).or_else(|TooDeep| failed(at, TooDeep.to_string()))
    }

    fn map(&mut self, at: usize, entries: &[(Node, Node)]) -> Evaluated {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let name = match self.operand(key)? {
                Value::Text(name) => name,
                other => return failed(key.at(), format!("the keys of a map are texts, and this is {}", other.kind())),
            };
            let value = self.value(value)?;
            map.insert(name, value);
        }
        self.entries(at, map)
    }
}

/// The sentence for an expression that is nil.
fn nothing(node: &Node) -> &'static str {
    match node.expr {
        Expr::Result => "nothing was measured",
        _ => "there is nothing here",
    }
}
