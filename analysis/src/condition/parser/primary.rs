//! One value with what hangs behind it: `result[0]`, `-x`, `(a + b).c`.

use std::sync::Arc;

use super::super::mistake::Wrong;
use super::super::names::{METHODS, Signature, meant, nearest};
use super::super::token::{Kind, begins_name};
use super::super::tree::{Expr, Item, Key, Node};
use super::super::value::Value;
use super::operator::{NOT, SIGN, is_reserved};
use super::{Parsed, Parser, built};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed {
        let at = self.at();
        match self.word() {
            Kind::Sign("!") => self.negation(at),
            Kind::Word(word) if word == "not" => self.negation(at),
            Kind::Sign(sign @ ("-" | "+")) => {
                let negative = *sign == "-";
                self.skip();
                let of = self.expression(SIGN)?;
                let expr = match of.expr {
                    Expr::Constant(Value::Int(whole)) if negative => Expr::Constant(Value::Int(whole.wrapping_neg())),
                    Expr::Constant(Value::Float(float)) if negative => Expr::Constant(Value::Float(-float)),
                    _ => return built(at, of.depth, Expr::Sign { negative, of: Box::new(of) }),
                };
                built(at, 0, expr)
            }
            Kind::Sign("(") => {
                self.skip();
                let inner = self.sequence()?;
                self.expect(")", "a closing )")?;
                self.behind(inner)
            }
            Kind::Sign("#" | ".") => self.item(at),
            _ => self.secondary(at),
        }
    }

    fn negation(&mut self, at: usize) -> Parsed {
        self.skip();
        let of = self.expression(NOT)?;
        built(at, of.depth, Expr::Not(Box::new(of)))
    }

    /// `#`, `#acc`, `#index`, and `.field` for `#.field`.
    fn item(&mut self, at: usize) -> Parsed {
        let Some(accumulates) = self.predicates.last().copied() else {
            let message = format!("{} has no meaning outside of a predicate", self.word().named());
            return Err(Wrong::with(at, message, "write it as in all(result, {# > 0.5})"));
        };
        if self.is_sign(".") {
            let element = built(at, 0, Expr::Item(Item::Element))?;
            return self.behind(element);
        }
        self.skip();
        let item = match self.word() {
            Kind::Word(name) if name == "acc" && accumulates => Item::Accumulator,
            Kind::Word(name) if name == "index" => Item::Index,
            Kind::Word(name) if !is_reserved(name) => {
                let message = format!("#{name} has no meaning here");
                return Err(Wrong::with(at, message, "there are # and #index, and within reduce also #acc"));
            }
            _ => Item::Element,
        };
        self.next += usize::from(!matches!(item, Item::Element));
        let node = built(at, 0, Expr::Item(item))?;
        self.behind(node)
    }

    fn secondary(&mut self, at: usize) -> Parsed {
        let word = self.word().clone();
        match &word {
            Kind::Number(text) => {
                self.skip();
                let number = super::literal::number(text, at)?;
                built(at, 0, Expr::Constant(number))
            }
            Kind::Text(text) => {
                self.skip();
                let node = built(at, 0, Expr::Constant(Value::from(text.as_str())))?;
                self.behind(node)
            }
            Kind::Word(name) if name == "true" || name == "false" || name == "nil" => {
                self.skip();
                let value = if name == "nil" { Value::Nil } else { Value::Bool(name == "true") };
                built(at, 0, Expr::Constant(value))
            }
            Kind::Word(name) if !is_reserved(name) => self.name(at, name),
            Kind::Sign("[") => {
                let array = self.array(at)?;
                self.behind(array)
            }
            Kind::Sign("{") => {
                let map = self.map(at)?;
                self.behind(map)
            }
            _ => Err(Wrong::with(
                at,
                format!("expected a value, found {}", word.named()),
                "write a number, a text, result, a function or a bracket",
            )),
        }
    }

    fn name(&mut self, at: usize, name: &str) -> Parsed {
        if matches!(self.following(), Kind::Sign("(")) {
            self.skip();
            let call = self.call(at, name, None)?;
            return self.behind(call);
        }
        let expr = if name == "result" {
            Expr::Result
        } else if let Some(number) = self.variables.iter().position(|known| known == name) {
            Expr::Variable(number)
        } else {
            return Err(self.unknown(at, name));
        };
        self.skip();
        let node = built(at, 0, expr)?;
        self.behind(node)
    }

    fn unknown(&self, at: usize, name: &str) -> Wrong {
        let shown = super::super::token::shortened(name);
        if super::super::names::is_function(name) {
            return Wrong::with(at, format!("{shown} is a function"), format!("call it: {shown}(result)"));
        }
        let message = format!("there is no {shown:?} here");
        let mend = meant(name, self.variables.iter().map(String::as_str), false)
            .map_or_else(|| "what was measured is called result".to_owned(), |meant| format!("did you mean {meant}?"));
        Wrong::with(at, message, mend)
    }

    /// Members, indices, slices and methods behind a value.
    pub(super) fn behind(&mut self, mut node: Node) -> Parsed {
        loop {
            let at = self.at();
            node = match self.word() {
                Kind::Sign(".") => {
                    self.skip();
                    self.member(node, false)?
                }
                Kind::Sign("?.") => {
                    self.skip();
                    if self.accept("[") { self.index(at, node, true)? } else { self.member(node, true)? }
                }
                Kind::Sign("[") => {
                    self.skip();
                    self.index(at, node, false)?
                }
                _ => return Ok(node),
            };
        }
    }

    fn member(&mut self, of: Node, optional: bool) -> Parsed {
        let at = self.at();
        let name = match self.word() {
            Kind::Word(name) if name.starts_with(begins_name) => name.clone(),
            _ => return Err(self.missing("the name of a member")),
        };
        self.skip();
        // Behind `a?.b` all further members belong to the same chain: nothing at `a` is nothing at the end.
        let (of, is_chain) = match of.expr {
            Expr::Chain(inner) => (*inner, true),
            expr => (Node { expr, ..of }, false),
        };
        let node = if self.is_sign("(") {
            self.method(at, of, &name, optional)?
        } else {
            let below = of.depth;
            built(at, below, Expr::Member { of: Box::new(of), key: Key::Name(Arc::from(name)), optional })?
        };
        chained(at, node, optional || is_chain)
    }

    fn method(&mut self, at: usize, of: Node, name: &str, optional: bool) -> Parsed {
        let Some(signature) = METHODS.iter().find(|signature| signature.name == name) else {
            let message = format!("dates and durations have no method {:?}", super::super::token::shortened(name));
            let known = nearest(name, METHODS.iter().map(|signature| signature.name));
            return Err(match known {
                Some(known) => Wrong::with(at, message, format!("did you mean {known}?")),
                None => Wrong::new(at, message),
            });
        };
        let arguments = self.arguments(None)?;
        Signature::check(signature, at, arguments.len())?;
        let below = arguments.iter().map(|argument| argument.depth).max().unwrap_or(0).max(of.depth);
        built(at, below, Expr::Method { of: Box::new(of), method: signature.function, arguments, optional })
    }

    /// What follows a `[`.
    fn index(&mut self, at: usize, of: Node, optional: bool) -> Parsed {
        if self.accept(":") {
            return self.slice(at, of, None);
        }
        let key = self.expression(0)?;
        if self.accept(":") {
            return self.slice(at, of, Some(key));
        }
        self.expect("]", "a closing ]")?;
        let below = of.depth.max(key.depth);
        let key = match key.expr {
            Expr::Constant(Value::Text(name)) => Key::Name(name),
            expr => Key::Computed(Box::new(Node { expr, ..key })),
        };
        let node = built(at, below, Expr::Member { of: Box::new(of), key, optional })?;
        chained(at, node, optional)
    }

    fn slice(&mut self, at: usize, of: Node, from: Option<Node>) -> Parsed {
        let to = if self.is_sign("]") { None } else { Some(self.expression(0)?) };
        self.expect("]", "a closing ]")?;
        let depth = |side: &Option<Node>| side.as_ref().map_or(0, |node| node.depth);
        let below = of.depth.max(depth(&from)).max(depth(&to));
        built(at, below, Expr::Slice { of: Box::new(of), from: from.map(Box::new), to: to.map(Box::new) })
    }
}

fn chained(at: usize, node: Node, is_chain: bool) -> Parsed {
    if is_chain { built(at, node.depth, Expr::Chain(Box::new(node))) } else { Ok(node) }
}
