//! The one-line form of a selector: `app=web,tier in (a,b),!legacy`.

use std::fmt;
use std::str::FromStr;

use super::{Operator, Requirement, Selector, label_key_mistake, label_value_mistake};
use crate::values::quoted;

/// Why a text is not a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a label selector: {reason}; write one like app=web,tier in (a,b),!legacy", quoted(.text))]
pub struct SelectorParseError {
    /// The whole text.
    pub text: String,
    /// What is wrong in it.
    pub reason: String,
}

impl FromStr for Selector {
    type Err = SelectorParseError;

    fn from_str(text: &str) -> Result<Self, SelectorParseError> {
        let parser = Parser { rest: tokens(text).into_iter().peekable() };
        match parser.selector() {
            Ok(requirements) => Ok(Self::new(requirements)),
            Err(reason) => Err(SelectorParseError { text: text.to_owned(), reason }),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A key, a value, or one of the words `in` and `notin`, which the place decides.
    Word(&'a str),
    Comma,
    Open,
    Close,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let is_symbol = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '=' if rest.starts_with("==") => (Token::DoubleEquals, 2),
            '!' if rest.starts_with("!=") => (Token::NotEquals, 2),
            '=' => (Token::Equals, 1),
            '!' => (Token::Not, 1),
            '>' => (Token::Greater, 1),
            '<' => (Token::Less, 1),
            ',' => (Token::Comma, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            _ => {
                let end = rest.find(|c| is_symbol(c) || is_blank(c)).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), end)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start_matches(is_blank);
    }
    tokens
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(&quoted(word)),
            Self::Comma => f.write_str("\",\""),
            Self::Open => f.write_str("\"(\""),
            Self::Close => f.write_str("\")\""),
            Self::Not => f.write_str("\"!\""),
            Self::Equals => f.write_str("\"=\""),
            Self::DoubleEquals => f.write_str("\"==\""),
            Self::NotEquals => f.write_str("\"!=\""),
            Self::Greater => f.write_str("\">\""),
            Self::Less => f.write_str("\"<\""),
        }
    }
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::vec::IntoIter<Token<'a>>>,
}

impl<'a> Parser<'a> {
    fn selector(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        if self.rest.peek().is_none() {
            return Ok(requirements);
        }
        loop {
            requirements.push(self.requirement()?);
            match self.rest.next() {
                None => return Ok(requirements),
                Some(Token::Comma) => {}
                Some(other) => return Err(format!("{other} stands where a comma belongs")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.rest.next_if_eq(&Token::Not).is_some();
        let key = match self.rest.next() {
            Some(Token::Word(word)) => word.to_owned(),
            other => return Err(format!("{} stands where a label key belongs", shown(other))),
        };
        if let Some(mistake) = label_key_mistake(&key) {
            return Err(mistake);
        }
        if matches!(self.rest.peek(), None | Some(Token::Comma)) {
            let operator = if negated { Operator::DoesNotExist } else { Operator::Exists };
            return Ok(Requirement { key, operator, values: Vec::new() });
        }
        if negated {
            return Err(format!("behind !{key} stands a comparison"));
        }
        let operator = match self.rest.next() {
            Some(Token::Equals) => Operator::Equals,
            Some(Token::DoubleEquals) => Operator::DoubleEquals,
            Some(Token::NotEquals) => Operator::NotEquals,
            Some(Token::Greater) => Operator::GreaterThan,
            Some(Token::Less) => Operator::LessThan,
            Some(Token::Word("in")) => Operator::In,
            Some(Token::Word("notin")) => Operator::NotIn,
            other => {
                return Err(format!("{} stands where a comparison belongs", shown(other)));
            }
        };
        let values = match operator {
            Operator::In | Operator::NotIn => self.value_list()?,
            _ => vec![self.single_value()?],
        };
        for value in &values {
            if let Some(mistake) = label_value_mistake(value) {
                return Err(mistake);
            }
            let is_ordered = matches!(operator, Operator::GreaterThan | Operator::LessThan);
            if is_ordered && value.parse::<i64>().is_err() {
                return Err(format!("{} is not an integer", quoted(value)));
            }
        }
        Ok(Requirement { key, operator, values })
    }

    /// The word behind a comparison, which may be missing: `a=` asks for the empty value.
    fn single_value(&mut self) -> Result<String, String> {
        if matches!(self.rest.peek(), None | Some(Token::Comma)) {
            return Ok(String::new());
        }
        match self.rest.next() {
            Some(Token::Word(word)) => Ok(word.to_owned()),
            other => Err(format!("{} stands where a value belongs", shown(other))),
        }
    }

    /// `(a,b)`, sorted and without repetitions; an empty place between commas is the empty value.
    fn value_list(&mut self) -> Result<Vec<String>, String> {
        match self.rest.next() {
            Some(Token::Open) => {}
            other => return Err(format!("{} stands where \"(\" belongs", shown(other))),
        }
        let mut values = Vec::new();
        loop {
            values.push(match self.rest.next_if(|token| matches!(token, Token::Word(_))) {
                Some(Token::Word(word)) => word.to_owned(),
                _ => String::new(),
            });
            match self.rest.next() {
                Some(Token::Comma) => {}
                Some(Token::Close) => break,
                other => {
                    return Err(format!("{} stands where \",\" or \")\" belongs", shown(other)));
                }
            }
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }
}

fn shown(token: Option<Token<'_>>) -> String {
    token.map_or_else(|| "the end".to_owned(), |token| token.to_string())
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let mut values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        match self.operator {
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}
