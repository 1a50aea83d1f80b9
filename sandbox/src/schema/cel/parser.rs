//! From words to a tree.

use super::lexer::{Kind, Token, syntax_error, tokens};

/// Deeper expressions are refused; the walk over the tree is as deep as the tree.
const MAX_DEPTH: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Literal),
    Name(String),
    /// `operand.field`; optional: `operand.?field`.
    Select {
        operand: Box<Expr>,
        field: String,
        optional: bool,
    },
    Index {
        operand: Box<Expr>,
        index: Box<Expr>,
        optional: bool,
    },
    /// `f(args)` or `target.f(args)`.
    Call {
        target: Option<Box<Expr>>,
        function: String,
        args: Vec<Expr>,
    },
    Unary(char, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    List(Vec<(bool, Expr)>),
    Map(Vec<(bool, Expr, Expr)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Operators from the loosest to the tightest.
const LEVELS: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, next: 0, depth: 0 };
    let expr = parser.conditional()?;
    match parser.tokens.get(parser.next) {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Kind::Symbol(found)) if *found == symbol)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        match self.tokens.get(self.next) {
            None => syntax_error(self.text, self.text.len(), "Syntax error: mismatched input '<EOF>'"),
            Some(token) => {
                let end = self.tokens.get(self.next + 1).map_or(self.text.len(), |next| next.at);
                let shown = self.text.get(token.at..end).unwrap_or_default().trim();
                syntax_error(self.text, token.at, &format!("Syntax error: mismatched input '{shown}'"))
            }
        }
    }

    /// Runs one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= MAX_DEPTH {
            return Err(syntax_error(self.text, 0, "expression recursion limit exceeded"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn conditional(&mut self) -> Result<Expr, String> {
        self.deeper(|parser| {
            let condition = parser.binary(0)?;
            if !parser.take_symbol("?") {
                return Ok(condition);
            }
            let yes = parser.binary(0)?;
            parser.expect(":")?;
            let no = parser.conditional()?;
            Ok(Expr::Conditional(Box::new(condition), Box::new(yes), Box::new(no)))
        })
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut chain = 0;
        while let Some(operator) = self.operator(operators) {
            // A chain makes a tree that is as deep as the chain is long.
            chain += 1;
            if chain > 16 * MAX_DEPTH {
                return Err(syntax_error(self.text, 0, "expression recursion limit exceeded"));
            }
            let right = self.binary(level + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let found = match self.peek()? {
            Kind::Symbol(symbol) => operators.iter().find(|operator| *operator == symbol),
            Kind::Name(name) => operators.iter().find(|operator| *operator == name),
            _ => None,
        }?;
        self.next += 1;
        Some(found)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take_symbol("!") {
            return self.deeper(|parser| Ok(Expr::Unary('!', Box::new(parser.unary()?))));
        }
        if self.take_symbol("-") {
            return self.deeper(|parser| {
                Ok(match parser.unary()? {
                    Expr::Literal(Literal::Int(value)) => Expr::Literal(Literal::Int(value.wrapping_neg())),
                    Expr::Literal(Literal::Double(value)) => Expr::Literal(Literal::Double(-value)),
                    other => Expr::Unary('-', Box::new(other)),
                })
            });
        }
        self.member()
    }

    fn member(&mut self) -> Result<Expr, String> {
        let mut operand = self.primary()?;
        let mut chain = 0;
        loop {
            chain += 1;
            if chain > 4 * MAX_DEPTH {
                return Err(syntax_error(self.text, 0, "expression recursion limit exceeded"));
            }
            let optional_field = self.at_symbol(".?");
            let optional_index = self.at_symbol("[?");
            if self.take_symbol(".") || self.take_symbol(".?") {
                let field = self.name()?;
                operand = if !optional_field && self.take_symbol("(") {
                    let args = self.arguments(")")?;
                    Expr::Call { target: Some(Box::new(operand)), function: field, args }
                } else {
                    Expr::Select { operand: Box::new(operand), field, optional: optional_field }
                };
            } else if self.take_symbol("[") || self.take_symbol("[?") {
                let index = Box::new(self.conditional()?);
                self.expect("]")?;
                operand = Expr::Index { operand: Box::new(operand), index, optional: optional_index };
            } else {
                return Ok(operand);
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Kind::Name(name)) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut args = Vec::new();
        while !self.take_symbol(end) {
            args.push(self.conditional()?);
            if !self.take_symbol(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(args)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let kind = self.peek().cloned().ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(match kind {
            Kind::Int(value) => Expr::Literal(Literal::Int(value)),
            Kind::Uint(value) => Expr::Literal(Literal::Uint(value)),
            Kind::Double(value) => Expr::Literal(Literal::Double(value)),
            Kind::Text(text) => Expr::Literal(Literal::Text(text)),
            Kind::Bytes(bytes) => Expr::Literal(Literal::Bytes(bytes)),
            Kind::Name(name) => match name.as_str() {
                "true" => Expr::Literal(Literal::Bool(true)),
                "false" => Expr::Literal(Literal::Bool(false)),
                "null" => Expr::Literal(Literal::Null),
                _ if self.take_symbol("(") => Expr::Call { target: None, function: name, args: self.arguments(")")? },
                _ => Expr::Name(name),
            },
            Kind::Symbol("(") => {
                let inner = self.conditional()?;
                self.expect(")")?;
                inner
            }
            Kind::Symbol("[") => Expr::List(self.list()?),
            // A list that begins with an optional item.
            Kind::Symbol("[?") => {
                self.next -= 1;
                self.tokens[self.next].kind = Kind::Symbol("?");
                Expr::List(self.list()?)
            }
            Kind::Symbol("{") => Expr::Map(self.map()?),
            Kind::Symbol("{?") => {
                self.next -= 1;
                self.tokens[self.next].kind = Kind::Symbol("?");
                Expr::Map(self.map()?)
            }
            Kind::Symbol(_) => {
                self.next -= 1;
                return Err(self.unexpected());
            }
        })
    }

    fn list(&mut self) -> Result<Vec<(bool, Expr)>, String> {
        let mut items = Vec::new();
        while !self.take_symbol("]") {
            let optional = self.take_symbol("?");
            items.push((optional, self.conditional()?));
            if !self.take_symbol(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(items)
    }

    fn map(&mut self) -> Result<Vec<(bool, Expr, Expr)>, String> {
        let mut entries = Vec::new();
        while !self.take_symbol("}") {
            let optional = self.take_symbol("?");
            let key = self.conditional()?;
            self.expect(":")?;
            entries.push((optional, key, self.conditional()?));
            if !self.take_symbol(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }
}

/// Whether an expression speaks of a name anywhere.
pub(super) fn mentions(expr: &Expr, name: &str) -> bool {
    let inside = |expr: &Expr| mentions(expr, name);
    match expr {
        Expr::Literal(_) => false,
        Expr::Name(found) => found == name,
        Expr::Select { operand, .. } | Expr::Unary(_, operand) => inside(operand),
        Expr::Index { operand, index, .. } => inside(operand) || inside(index),
        Expr::Call { target, args, .. } => target.as_deref().is_some_and(inside) || args.iter().any(inside),
        Expr::Binary(_, left, right) => inside(left) || inside(right),
        Expr::Conditional(condition, yes, no) => inside(condition) || inside(yes) || inside(no),
        Expr::List(items) => items.iter().any(|(_, item)| inside(item)),
        Expr::Map(entries) => entries.iter().any(|(_, key, value)| inside(key) || inside(value)),
    }
}
