//! Label selectors: `app=web,tier in (a, b),!old`.

use serde_json::{Map, Value};

use crate::api::status::{Answer, Status};
use crate::schema::names;

/// A label selector; all requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Reads `app=web,tier in (a, b),!old`.
    pub fn parse(text: &str) -> Answer<Self> {
        let mut tokens = Tokens { rest: text };
        let mut requirements = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        if !matches!(tokens.peek(), Token::Word(_) | Token::Not) {
            let found = tokens.peek().text();
            return Err(Status::bad_request(format!("found '{found}', expected: !, identifier, or 'end of string'")));
        }
        loop {
            requirements.push(requirement(&mut tokens)?);
            match tokens.next() {
                Token::End => break,
                Token::Comma if matches!(tokens.peek(), Token::Word(_) | Token::Not) => {}
                Token::Comma => {
                    let found = tokens.peek().text();
                    return Err(Status::bad_request(format!("found '{found}', expected: identifier after ','")));
                }
                other => {
                    return Err(Status::bad_request(format!(
                        "found '{}', expected: ',' or 'end of string'",
                        other.text()
                    )));
                }
            }
        }
        requirements.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(Self { requirements })
    }

    /// Reads the selector of a spec: `matchLabels` and `matchExpressions`. Absent means nothing, empty means all.
    pub fn from_spec(selector: &Value) -> Option<Self> {
        let selector = selector.as_object()?;
        let mut requirements = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
            requirements.push(Requirement { key: key.clone(), test: Test::In(vec![value.as_str()?.to_owned()]) });
        }
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let values = || -> Vec<String> {
                let listed = expression.get("values").and_then(Value::as_array);
                listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let test = match expression.get("operator").and_then(Value::as_str)? {
                "In" => Test::In(values()),
                "NotIn" => Test::NotIn(values()),
                "Exists" => Test::Exists,
                "DoesNotExist" => Test::Missing,
                _ => return None,
            };
            let key = expression.get("key").and_then(Value::as_str)?.to_owned();
            requirements.push(Requirement { key, test });
        }
        requirements.sort_by(|one, other| one.key.cmp(&other.key));
        Some(Self { requirements })
    }

    /// Reads a plain map of labels, as Services have it.
    pub fn from_map(labels: &Map<String, Value>) -> Self {
        let requirements = labels
            .iter()
            .filter_map(|(key, value)| {
                Some(Requirement { key: key.clone(), test: Test::In(vec![value.as_str()?.to_owned()]) })
            })
            .collect();
        Self { requirements }
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub fn matches(&self, labels: Option<&Map<String, Value>>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            requirement.test.holds(value)
        })
    }
}

impl std::fmt::Display for LabelSelector {
    /// The form in which `scale` shows a selector.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                out.write_str(",")?;
            }
            let key = &requirement.key;
            match &requirement.test {
                Test::Exists => write!(out, "{key}")?,
                Test::Missing => write!(out, "!{key}")?,
                Test::In(values) => match values.as_slice() {
                    [one] => write!(out, "{key}={one}")?,
                    many => write!(out, "{key} in ({})", sorted(many))?,
                },
                Test::NotIn(values) => match values.as_slice() {
                    [one] => write!(out, "{key}!={one}")?,
                    many => write!(out, "{key} notin ({})", sorted(many))?,
                },
                Test::GreaterThan(bound) => write!(out, "{key}>{bound}")?,
                Test::LessThan(bound) => write!(out, "{key}<{bound}")?,
            }
        }
        Ok(())
    }
}

fn sorted(values: &[String]) -> String {
    let mut values = values.to_vec();
    values.sort();
    values.join(",")
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Missing => value.is_none(),
            Self::In(wanted) => value.is_some_and(|value| wanted.iter().any(|one| one == value)),
            Self::NotIn(unwanted) => value.is_none_or(|value| unwanted.iter().all(|one| one != value)),
            Self::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Self::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn unable(why: impl AsRef<str>) -> Box<Status> {
    Status::bad_request(format!("unable to parse requirement: {}", why.as_ref()))
}

fn requirement(tokens: &mut Tokens<'_>) -> Answer<Requirement> {
    let mut first = tokens.next();
    let negated = first == Token::Not;
    if negated {
        first = tokens.next();
    }
    let Token::Word(key) = first else {
        return Err(unable(format!("found '{}', expected: !, identifier, or 'end of string'", first.text())));
    };
    check_key(key).map_err(unable)?;
    let key = key.to_owned();
    let unable = |why: String| unable(why.replace(VALUE_PLACE, &format!("values[0][{key}]")));
    if negated {
        return Ok(Requirement { key, test: Test::Missing });
    }
    let test = match tokens.peek() {
        Token::End | Token::Comma => Test::Exists,
        operator => {
            tokens.next();
            match operator {
                Token::Equals => Test::In(vec![single_value(tokens).map_err(unable)?]),
                Token::NotEquals => Test::NotIn(vec![single_value(tokens).map_err(unable)?]),
                Token::Word("in") => Test::In(value_list(tokens).map_err(unable)?),
                Token::Word("notin") => Test::NotIn(value_list(tokens).map_err(unable)?),
                Token::Greater => Test::GreaterThan(bound(tokens).map_err(unable)?),
                Token::Less => Test::LessThan(bound(tokens).map_err(unable)?),
                other => {
                    return Err(unable(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text())));
                }
            }
        }
    };
    Ok(Requirement { key, test })
}

fn single_value(tokens: &mut Tokens<'_>) -> Result<String, String> {
    match tokens.peek() {
        Token::End | Token::Comma | Token::Close => Ok(String::new()),
        Token::Word(value) => {
            tokens.next();
            check_value(value)?;
            Ok(value.to_owned())
        }
        other => Err(format!("found '{}', expected: identifier", other.text())),
    }
}

fn bound(tokens: &mut Tokens<'_>) -> Result<i64, String> {
    let value = single_value(tokens)?;
    value.parse().map_err(|_| {
        format!("values[0]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer")
    })
}

fn value_list(tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    match tokens.next() {
        Token::Open => {}
        other => return Err(format!("found '{}' expected: '('", other.text())),
    }
    // Nothing between the brackets is one empty value.
    if tokens.peek() == Token::Close {
        tokens.next();
        return Ok(vec![String::new()]);
    }
    let mut values = Vec::new();
    loop {
        values.push(single_value(tokens)?);
        match tokens.next() {
            Token::Comma => {}
            Token::Close => return Ok(values),
            other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
        }
    }
}

fn check_key(key: &str) -> Result<(), String> {
    match names::qualified_name(key) {
        problems if problems.is_empty() => Ok(()),
        problems => Err(format!("<nil>: Invalid value: {key:?}: {}", problems.join("; "))),
    }
}

/// The caller knows the key that belongs between the empty brackets.
fn check_value(value: &str) -> Result<(), String> {
    match names::label_value(value) {
        problems if problems.is_empty() => Ok(()),
        problems => Err(format!("{VALUE_PLACE}: Invalid value: {value:?}: {}", problems.join("; "))),
    }
}

const VALUE_PLACE: &str = "values[0][]";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Comma,
    Open,
    Close,
    Not,
    Equals,
    NotEquals,
    Greater,
    Less,
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(word) => word,
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::Not => "!",
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::End => "",
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Token<'a> {
        let rest = self.rest.trim_start();
        let symbols = [
            ("!=", Token::NotEquals),
            ("==", Token::Equals),
            ("=", Token::Equals),
            ("!", Token::Not),
            (",", Token::Comma),
            ("(", Token::Open),
            (")", Token::Close),
            (">", Token::Greater),
            ("<", Token::Less),
        ];
        for (symbol, token) in symbols {
            if let Some(behind) = rest.strip_prefix(symbol) {
                self.rest = behind;
                return token;
            }
        }
        let ends = |letter: char| letter.is_whitespace() || "=!,()<>".contains(letter);
        let end = rest.find(ends).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        self.rest = behind;
        if word.is_empty() { Token::End } else { Token::Word(word) }
    }

    fn peek(&self) -> Token<'a> {
        Tokens { rest: self.rest }.next()
    }
}
