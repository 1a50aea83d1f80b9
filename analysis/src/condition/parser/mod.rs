//! Words become a tree, by the language's precedence.

mod call;
mod literal;
mod operator;
mod primary;

use super::mistake::Wrong;
use super::token::{Kind, Token, words};
use super::tree::{Expr, Node, Order};

pub(super) use operator::pattern;

use operator::{COMPARE, Operator, Plain};

/// How deep a condition may be nested. Both this parser and whatever walks through its tree use a few hundred bytes
/// of stack per level, and the controller's threads have two megabytes.
pub(super) const DEEPEST: u16 = 64;

type Parsed = Result<Node, Wrong>;

/// Reads a whole condition.
pub(super) fn parse(source: &str) -> Parsed {
    let words = words(source)?;
    let mut parser = Parser { source, words, next: 0, level: 0, predicates: Vec::new(), variables: Vec::new() };
    let node = parser.sequence()?;
    if *parser.word() != Kind::End {
        return Err(parser.surplus());
    }
    Ok(node)
}

struct Parser<'a> {
    source: &'a str,
    words: Vec<Token>,
    next: usize,
    level: u16,
    /// Of the predicates around this place, whether each has an accumulator.
    predicates: Vec<bool>,
    variables: Vec<String>,
}

impl Parser<'_> {
    fn word(&self) -> &Kind {
        self.words.get(self.next).map_or(&Kind::End, |token| &token.kind)
    }

    fn following(&self) -> &Kind {
        self.words.get(self.next + 1).map_or(&Kind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.words.get(self.next).map_or(self.source.len(), |token| token.at)
    }

    fn skip(&mut self) {
        self.next += 1;
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.word(), Kind::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.word(), Kind::Word(found) if found == word)
    }

    /// Goes behind this sign if it is next.
    fn accept(&mut self, sign: &str) -> bool {
        let is_next = self.is_sign(sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str, wanted: &str) -> Result<(), Wrong> {
        if self.accept(sign) { Ok(()) } else { Err(self.missing(wanted)) }
    }

    fn missing(&self, wanted: &str) -> Wrong {
        Wrong::new(self.at(), format!("expected {wanted}, found {}", self.word().named()))
    }

    fn surplus(&self) -> Wrong {
        let found = self.word().named();
        match self.word() {
            Kind::Sign(closing @ (")" | "]" | "}")) => {
                Wrong::with(self.at(), format!("this {closing} closes nothing"), "take it away or open its bracket")
            }
            Kind::Sign("=") => Wrong::with(self.at(), "= gives a name to a variable", "write == to compare"),
            _ => {
                let wanted = "write an operator such as && between two values";
                Wrong::with(self.at(), format!("expected an operator or the end, found {found}"), wanted)
            }
        }
    }

    /// `a; b`: the last one counts.
    fn sequence(&mut self) -> Parsed {
        let first = self.expression(0)?;
        let (at, mut depth) = (first.at(), first.depth);
        let mut nodes = vec![first];
        while self.accept(";") {
            if *self.word() == Kind::End {
                break;
            }
            let node = self.expression(0)?;
            depth = depth.max(node.depth);
            nodes.push(node);
        }
        match nodes.pop() {
            Some(only) if nodes.is_empty() => Ok(only),
            last => {
                nodes.extend(last);
                built(at, depth, Expr::Sequence(nodes))
            }
        }
    }

    /// An expression of operators that bind at least as tightly as `precedence`.
    fn expression(&mut self, precedence: u16) -> Parsed {
        if self.level >= DEEPEST {
            return Err(too_deep(self.at()));
        }
        self.level += 1;
        let node = match self.word() {
            Kind::Word(word) if precedence == 0 && word == "let" => self.variable()?,
            Kind::Word(word) if precedence == 0 && word == "if" => self.conditional_if()?,
            _ => {
                let node = self.operators(precedence)?;
                if precedence == 0 { self.ternary(node)? } else { node }
            }
        };
        self.level -= 1;
        Ok(node)
    }

    fn operators(&mut self, precedence: u16) -> Parsed {
        let mut left = self.primary()?;
        let mut coalesced = false;
        loop {
            let at = self.at();
            let negated = self.is_word("not") && operator::may_be_negated(self.following());
            let word = if negated { self.following() } else { self.word() };
            let Some(operator) = operator::binary(word).filter(|operator| operator.precedence() >= precedence) else {
                return Ok(left);
            };
            self.next += 1 + usize::from(negated);
            let coalesces = operator == Operator::Plain(Plain::Coalesce);
            if coalesced && !coalesces && operator != Operator::Pipe {
                let mend = "put the ?? and its two sides in parentheses";
                return Err(Wrong::with(at, "it isn't clear what belongs to the ?? before this", mend));
            }
            coalesced = coalesces;
            left = self.binary(at, operator, left)?;
            if negated {
                left = built(at, left.depth, Expr::Not(Box::new(left)))?;
            }
        }
    }

    fn binary(&mut self, at: usize, operator: Operator, left: Node) -> Parsed {
        match operator {
            Operator::Pipe => self.piped(left),
            Operator::Order(order) => self.comparisons(at, order, left),
            Operator::And | Operator::Or => {
                let right = self.expression(operator.right_precedence())?;
                logic(at, operator == Operator::And, left, right)
            }
            Operator::Plain(plain) => {
                let right = self.expression(operator.right_precedence())?;
                let below = left.depth.max(right.depth);
                built(at, below, plain.over(Box::new([left, right]))?)
            }
        }
    }

    /// `a < b < c` means that both comparisons hold, and `b` is worked out once.
    fn comparisons(&mut self, at: usize, order: Order, left: Node) -> Parsed {
        let mut depth = left.depth;
        let mut operands = vec![left];
        let mut orders = vec![order];
        loop {
            let operand = self.expression(COMPARE + 1)?;
            depth = depth.max(operand.depth);
            operands.push(operand);
            let Some(Operator::Order(next)) = operator::binary(self.word()) else {
                break;
            };
            orders.push(next);
            self.skip();
        }
        built(at, depth, Expr::Ordered { operands, orders })
    }

    /// `a ? b : c` and `a ?: c`
    fn ternary(&mut self, mut condition: Node) -> Parsed {
        while self.is_sign("?") {
            let at = self.at();
            self.skip();
            if self.accept(":") {
                let otherwise = self.expression(0)?;
                let below = condition.depth.max(otherwise.depth);
                condition = built(at, below, Expr::Otherwise(Box::new([condition, otherwise])))?;
                continue;
            }
            let then = self.expression(0)?;
            self.expect(":", "the : of this choice")?;
            let otherwise = self.expression(0)?;
            let below = condition.depth.max(then.depth).max(otherwise.depth);
            condition = built(at, below, Expr::Conditional(Box::new([condition, then, otherwise])))?;
        }
        Ok(condition)
    }

    /// `if a { b } else { c }`
    fn conditional_if(&mut self) -> Parsed {
        let at = self.at();
        self.skip();
        let condition = self.expression(0)?;
        let then = self.braced()?;
        if !self.is_word("else") {
            return Err(self.missing("else"));
        }
        self.skip();
        let otherwise = if self.is_word("if") { self.expression(0)? } else { self.braced()? };
        let below = condition.depth.max(then.depth).max(otherwise.depth);
        built(at, below, Expr::Conditional(Box::new([condition, then, otherwise])))
    }

    fn braced(&mut self) -> Parsed {
        self.expect("{", "an opening {")?;
        let node = self.sequence()?;
        self.expect("}", "a closing }")?;
        Ok(node)
    }

    /// `let name = value; rest`
    fn variable(&mut self) -> Parsed {
        self.skip();
        let at = self.at();
        let name = match self.word() {
            Kind::Word(name) if !operator::is_reserved(name) => name.clone(),
            _ => return Err(self.missing("the name of a variable")),
        };
        self.skip();
        if name == "result" || super::names::is_function(&name) {
            return Err(Wrong::with(at, format!("{name} is a name of the language"), "choose another"));
        }
        if self.variables.contains(&name) {
            return Err(Wrong::with(at, format!("there is a variable {name} already"), "choose another name"));
        }
        self.expect("=", "= and a value")?;
        let value = self.expression(0)?;
        self.expect(";", "; behind the value of this variable")?;
        self.variables.push(name);
        let rest = self.sequence()?;
        self.variables.pop();
        built(at, value.depth.max(rest.depth), Expr::Let(Box::new([value, rest])))
    }
}

fn too_deep(at: usize) -> Wrong {
    Wrong::with(
        at,
        format!("brackets and operators lie within one another more than {DEEPEST} deep"),
        "write it flatter",
    )
}

/// How deep the deepest of these is.
fn depth_of<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> u16 {
    nodes.into_iter().map(|node| node.depth).max().unwrap_or(0)
}

/// A node over others, the deepest of which is `below` deep.
fn built(at: usize, below: u16, expr: Expr) -> Parsed {
    if below >= DEEPEST {
        return Err(too_deep(at));
    }
    // A source has at most 8 kB.
    Ok(Node { at: u32::try_from(at).unwrap_or(u32::MAX), depth: below + 1, expr })
}

/// Chains of the same operator stay flat, so that many conditions in a row aren't deep.
fn logic(at: usize, is_and: bool, left: Node, right: Node) -> Parsed {
    let Node { at: left_at, depth: left_depth, expr } = left;
    match expr {
        Expr::All(mut operands) if is_and => {
            operands.push(right);
            let below = depth_of(&operands);
            built(left_at as usize, below, Expr::All(operands))
        }
        Expr::Any(mut operands) if !is_and => {
            operands.push(right);
            let below = depth_of(&operands);
            built(left_at as usize, below, Expr::Any(operands))
        }
        expr => {
            let operands = vec![Node { at: left_at, depth: left_depth, expr }, right];
            let below = depth_of(&operands);
            built(at, below, if is_and { Expr::All(operands) } else { Expr::Any(operands) })
        }
    }
}
