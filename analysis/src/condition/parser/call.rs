//! Calls of functions, with the pipe and the predicates.

use super::super::mistake::Wrong;
use super::super::names::{BUILTINS, PREDICATES, Predicate, Signature, meant};
use super::super::token::{Kind, shortened};
use super::super::tree::{Expr, Node};
use super::{Parsed, Parser, built};

impl Parser<'_> {
    /// `left | name(…)` is `name(left, …)`.
    pub(super) fn piped(&mut self, left: Node) -> Parsed {
        let at = self.at();
        let name = match self.word() {
            Kind::Word(name) => name.clone(),
            _ => return Err(self.missing("the name of a function")),
        };
        self.skip();
        self.call(at, &name, Some(left))
    }

    /// The call of a function whose name was read.
    pub(super) fn call(&mut self, at: usize, name: &str, piped: Option<Node>) -> Parsed {
        if let Some((_, predicate, _)) = PREDICATES.iter().find(|(known, ..)| *known == name) {
            return self.each(at, name, *predicate, piped);
        }
        let Some(signature) = BUILTINS.iter().find(|signature| signature.name == name) else {
            let message = format!("there is no function {:?}", shortened(name));
            return Err(match meant(name, std::iter::empty(), true) {
                Some(meant) => Wrong::with(at, message, format!("did you mean {meant}?")),
                None => Wrong::new(at, message),
            });
        };
        let arguments = self.arguments(piped)?;
        signature.check(at, arguments.len())?;
        let below = arguments.iter().map(|argument| argument.depth).max().unwrap_or(0);
        built(at, below, Expr::Call(signature.function, arguments))
    }

    /// `(a, b)`, with a comma behind the last one if one likes.
    pub(super) fn arguments(&mut self, piped: Option<Node>) -> Result<Vec<Node>, Wrong> {
        self.expect("(", "an opening (")?;
        let mut arguments: Vec<Node> = piped.into_iter().collect();
        while !self.accept(")") {
            arguments.push(self.expression(0)?);
            if !self.accept(",") && !self.is_sign(")") {
                return Err(self.missing("a comma or a closing )"));
            }
        }
        Ok(arguments)
    }

    fn each(&mut self, at: usize, name: &str, predicate: Predicate, piped: Option<Node>) -> Parsed {
        self.expect("(", "an opening (")?;
        let is_piped = piped.is_some();
        let over = match piped {
            Some(left) => left,
            None => self.expression(0)?,
        };
        let optional = matches!(predicate, Predicate::Count | Predicate::Sum);
        let has_body = if is_piped { !self.is_sign(")") } else { self.accept(",") && !self.is_sign(")") };
        if !has_body && !optional {
            let wanted = format!("expected a predicate, found {}", self.word().named());
            return Err(Wrong::with(self.at(), wanted, format!("write it as in {name}(result, {{# > 0.5}})")));
        }
        let body = if has_body { Some(self.predicate(predicate)?) } else { None };
        let has_extra = self.accept(",") && !self.is_sign(")");
        let extra = if has_extra && matches!(predicate, Predicate::Reduce | Predicate::SortBy) {
            let extra = self.expression(0)?;
            self.accept(",");
            Some(extra)
        } else {
            None
        };
        self.expect(")", "a closing )")?;
        let depth = |part: &Option<Node>| part.as_ref().map_or(0, |node| node.depth);
        let below = over.depth.max(depth(&body)).max(depth(&extra));
        let (over, body, extra) = (Box::new(over), body.map(Box::new), extra.map(Box::new));
        built(at, below, Expr::Each { predicate, over, body, extra })
    }

    /// What is asked of each element, in braces or without.
    fn predicate(&mut self, predicate: Predicate) -> Parsed {
        self.predicates.push(predicate == Predicate::Reduce);
        let body = if self.is_sign("{") { self.braced()? } else { self.expression(0)? };
        self.predicates.pop();
        Ok(body)
    }
}

impl<F> Signature<F> {
    /// Whether so many arguments are what the function takes.
    pub(super) fn check(&self, at: usize, given: usize) -> Result<(), Wrong> {
        let most = if self.endless { usize::MAX } else { self.takes.len() };
        if (self.at_least..=most).contains(&given) {
            return Ok(());
        }
        let wanted = match (self.at_least, most) {
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let plural = if wanted == "1" || wanted == "at least 1" { "" } else { "s" };
        Err(Wrong::new(at, format!("{} takes {wanted} argument{plural}, and {given} are given", self.name)))
    }
}
