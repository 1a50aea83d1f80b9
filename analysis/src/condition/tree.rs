//! A condition as it was understood.

use std::sync::Arc;

use regex::Regex;

use super::names::{Builtin, Method, Predicate};
use super::value::Value;

/// A part of a condition and the byte of the source that a sentence about it points at.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: u32,
    /// How many nodes lie below one another from here; bounded by the parser, so that walking down and dropping
    /// never needs more stack than there is.
    pub(super) depth: u16,
    pub(super) expr: Expr,
}

#[derive(Debug)]
pub(super) enum Expr {
    Constant(Value),
    /// What was measured.
    Result,
    /// A `let` variable, by the number of those around it.
    Variable(usize),
    Item(Item),
    Not(Box<Node>),
    Sign {
        negative: bool,
        of: Box<Node>,
    },
    /// `a && b && c`
    All(Vec<Node>),
    /// `a || b || c`
    Any(Vec<Node>),
    /// `a < b <= c`: an operand more than orders.
    Ordered {
        operands: Vec<Node>,
        orders: Vec<Order>,
    },
    Equal {
        operands: Box<[Node; 2]>,
        unequal: bool,
    },
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    TextTest(TextTest, Box<[Node; 2]>),
    Matches {
        operands: Box<[Node; 2]>,
        pattern: Option<Regex>,
    },
    Range(Box<[Node; 2]>),
    Coalesce(Box<[Node; 2]>),
    /// `a ? b : c`
    Conditional(Box<[Node; 3]>),
    /// `a ?: c`
    Otherwise(Box<[Node; 2]>),
    Member {
        of: Box<Node>,
        key: Key,
        optional: bool,
    },
    /// Where an optional member below finds nothing, the whole is nil.
    Chain(Box<Node>),
    Slice {
        of: Box<Node>,
        from: Option<Box<Node>>,
        to: Option<Box<Node>>,
    },
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Let(Box<[Node; 2]>),
    Sequence(Vec<Node>),
    Call(Builtin, Vec<Node>),
    Method {
        of: Box<Node>,
        method: Method,
        arguments: Vec<Node>,
        optional: bool,
    },
    Each {
        predicate: Predicate,
        over: Box<Node>,
        body: Option<Box<Node>>,
        extra: Option<Box<Node>>,
    },
}

/// What a predicate is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// `#`
    Element,
    /// `#index`
    Index,
    /// `#acc`
    Accumulator,
}

/// What is looked up in an array, a text or a map.
#[derive(Debug)]
pub(super) enum Key {
    Name(Arc<str>),
    Computed(Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

impl Order {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Arithmetic {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }
}

impl TextTest {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
        }
    }
}

impl Node {
    pub(super) fn at(&self) -> usize {
        self.at as usize
    }
}
