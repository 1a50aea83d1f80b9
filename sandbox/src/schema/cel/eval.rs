//! Evaluating a tree, within a budget.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::functions;
use super::parser::{Expr, Literal};
use super::value::{Cel, Key};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    /// The expression is wrong for this value: `no such key: x`, `division by zero`, …
    Error(String),
    /// It cost too much.
    OverBudget,
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self::Error(text.to_owned())
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Error(text)
    }
}

pub(super) type Outcome = Result<Cel, Failure>;

/// What names mean, and what may still be spent.
pub(super) struct Scope {
    names: Vec<(String, Cel)>,
    pub(super) left: u64,
}

impl Scope {
    pub(super) fn new(names: Vec<(String, Cel)>, left: u64) -> Self {
        Self { names, left }
    }

    pub(super) fn spend(&mut self, cost: usize) -> Result<(), Failure> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Failure::OverBudget)
            }
        }
    }

    fn lookup(&self, name: &str) -> Option<Cel> {
        self.names.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Outcome {
        self.spend(1)?;
        match expr {
            Expr::Literal(literal) => Ok(match literal {
                Literal::Null => Cel::Null,
                Literal::Bool(flag) => Cel::Bool(*flag),
                Literal::Int(number) => Cel::Int(*number),
                Literal::Uint(number) => Cel::Uint(*number),
                Literal::Double(number) => Cel::Double(*number),
                Literal::Text(text) => Cel::text(text),
                Literal::Bytes(bytes) => Cel::Bytes(Rc::from(bytes.as_slice())),
            }),
            Expr::Name(name) => self
                .lookup(name)
                .or_else(|| functions::type_named(name).map(Cel::Kind))
                .ok_or_else(|| format!("undeclared reference to '{name}' (in container '')").into()),
            Expr::Select { operand, field, optional } => {
                let operand = self.eval(operand)?;
                select(&operand, field, *optional)
            }
            Expr::Index { operand, index, optional } => {
                let (operand, index) = (self.eval(operand)?, self.eval(index)?);
                index_into(&operand, &index, *optional)
            }
            Expr::Call { target, function, args } => self.call(target.as_deref(), function, args),
            Expr::Unary(operator, operand) => {
                let operand = self.eval(operand)?;
                match (operator, operand) {
                    ('!', Cel::Bool(flag)) => Ok(Cel::Bool(!flag)),
                    ('-', Cel::Int(number)) => {
                        number.checked_neg().map(Cel::Int).ok_or_else(|| "integer overflow".into())
                    }
                    ('-', Cel::Double(number)) => Ok(Cel::Double(-number)),
                    _ => Err("no such overload".into()),
                }
            }
            Expr::Binary(operator @ ("&&" | "||"), left, right) => self.logical(operator, left, right),
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                self.spend(left.size() + right.size())?;
                let result = binary(operator, &left, &right)?;
                self.weighed(result)
            }
            Expr::Conditional(condition, yes, no) => match self.eval(condition)? {
                Cel::Bool(true) => self.eval(yes),
                Cel::Bool(false) => self.eval(no),
                _ => Err("no such overload".into()),
            },
            Expr::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (optional, item) in items {
                    let value = self.eval(item)?;
                    list.extend(present(*optional, value)?);
                }
                self.weighed(Cel::list(list))
            }
            Expr::Map(entries) => {
                let mut map = BTreeMap::new();
                for (optional, key, value) in entries {
                    let key = self.eval(key)?;
                    let key = Key::of(&key).ok_or("unsupported key type")?;
                    let value = self.eval(value)?;
                    if let Some(value) = present(*optional, value)? {
                        map.insert(key, value);
                    }
                }
                self.weighed(Cel::Map(Rc::new(map)))
            }
        }
    }

    /// Charges for everything inside of a new compound value. Shared parts count each time: that is what whoever
    /// compares or prints the value will pay.
    fn weighed(&mut self, value: Cel) -> Outcome {
        self.weigh(&value)?;
        Ok(value)
    }

    fn weigh(&mut self, value: &Cel) -> Result<(), Failure> {
        match value {
            Cel::List(items) => items.iter().try_for_each(|item| {
                self.spend(1)?;
                self.weigh(item)
            }),
            Cel::Map(map) => map.values().try_for_each(|item| {
                self.spend(1)?;
                self.weigh(item)
            }),
            Cel::Optional(Some(inner)) => self.weigh(inner),
            other => self.spend(other.size()),
        }
    }

    /// One side can decide alone, even if the other one fails.
    fn logical(&mut self, operator: &str, left: &Expr, right: &Expr) -> Outcome {
        let decisive = operator == "||";
        let left = self.eval(left);
        if let Ok(Cel::Bool(flag)) = left
            && flag == decisive
        {
            return Ok(Cel::Bool(flag));
        }
        if left == Err(Failure::OverBudget) {
            return Err(Failure::OverBudget);
        }
        let right = self.eval(right)?;
        match (left, right) {
            (_, Cel::Bool(flag)) if flag == decisive => Ok(Cel::Bool(flag)),
            (Ok(Cel::Bool(_)), Cel::Bool(flag)) => Ok(Cel::Bool(flag)),
            (Err(failure), _) => Err(failure),
            _ => Err("no such overload".into()),
        }
    }

    fn call(&mut self, target: Option<&Expr>, function: &str, args: &[Expr]) -> Outcome {
        if let Some(outcome) = self.macro_call(target, function, args) {
            return outcome;
        }
        // `optional.of(x)`, `math.greatest(x, y)`, `sets.contains(a, b)`: a namespace, not a value.
        if let Some(Expr::Name(space)) = target
            && self.lookup(space).is_none()
        {
            let args = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
            return functions::global(self, &format!("{space}.{function}"), &args);
        }
        let target = target.map(|target| self.eval(target)).transpose()?;
        let args = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
        match target {
            Some(target) => functions::member(self, &target, function, &args),
            None => functions::global(self, function, &args),
        }
    }

    /// Forms that look like calls and are not: their arguments are evaluated differently, or not at all.
    fn macro_call(&mut self, target: Option<&Expr>, function: &str, args: &[Expr]) -> Option<Outcome> {
        match (target, function, args) {
            (None, "has", [Expr::Select { operand, field, .. }]) => Some(self.has(operand, field)),
            (Some(Expr::Name(space)), "bind", [Expr::Name(name), value, body]) if space == "cel" => {
                Some(self.eval(value).and_then(|value| self.with(vec![(name.clone(), value)], body)))
            }
            (Some(target), "optMap" | "optFlatMap", [Expr::Name(name), body]) => {
                Some(self.eval(target).and_then(|target| match target {
                    Cel::Optional(Some(inner)) => {
                        let value = self.with(vec![(name.clone(), (*inner).clone())], body)?;
                        Ok(if function == "optMap" { Cel::some(value) } else { value })
                    }
                    Cel::Optional(None) => Ok(Cel::Optional(None)),
                    _ => Err("no such overload".into()),
                }))
            }
            (
                Some(target),
                "all" | "exists" | "exists_one" | "existsOne" | "filter" | "map" | "transformList" | "transformMap",
                [Expr::Name(first), rest @ ..],
            ) => {
                let second = match (function, rest) {
                    // With a condition in the middle, `map` has three arguments too.
                    ("filter" | "map", _) => None,
                    (_, [Expr::Name(second), _, ..]) => Some(second.clone()),
                    _ => None,
                };
                let body = if second.is_some() { &rest[1..] } else { rest };
                Some(self.comprehension(target, function, first, second.as_deref(), body))
            }
            _ => None,
        }
    }

    fn has(&mut self, operand: &Expr, field: &str) -> Outcome {
        match self.eval(operand)? {
            Cel::Map(map) => Ok(Cel::Bool(find(&map, field).is_some())),
            Cel::Optional(inner) => Ok(Cel::Bool(match inner.as_deref() {
                Some(Cel::Map(map)) => find(map, field).is_some(),
                _ => false,
            })),
            _ => Err("no such overload".into()),
        }
    }

    fn with(&mut self, names: Vec<(String, Cel)>, body: &Expr) -> Outcome {
        let before = self.names.len();
        self.names.extend(names);
        let outcome = self.eval(body);
        self.names.truncate(before);
        outcome
    }

    fn comprehension(
        &mut self,
        target: &Expr,
        function: &str,
        first: &str,
        second: Option<&str>,
        body: &[Expr],
    ) -> Outcome {
        let target = self.eval(target)?;
        // What the variables stand for in each round: key or item, and the value beside it.
        let rounds: Vec<(Cel, Cel)> = match &target {
            Cel::List(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| match second {
                    Some(_) => (Cel::Int(i64::try_from(i).unwrap_or(i64::MAX)), item.clone()),
                    None => (item.clone(), Cel::Null),
                })
                .collect(),
            Cel::Map(map) => map.iter().map(|(key, value)| (key.value(), value.clone())).collect(),
            _ => return Err("no such overload".into()),
        };
        let (condition, result) = match body {
            [only] => (None, only),
            [condition, result] => (Some(condition), result),
            _ => return Err(format!("found no matching overload for '{function}'").into()),
        };
        let mut collected = Vec::new();
        let mut matches = 0;
        let mut failure = None;
        for (key, value) in rounds {
            let mut names = vec![(first.to_owned(), key.clone())];
            names.extend(second.map(|name| (name.to_owned(), value.clone())));
            if let Some(condition) = condition
                && !matches!(self.with(names.clone(), condition)?, Cel::Bool(true))
            {
                continue;
            }
            let outcome = self.with(names, result);
            match (function, outcome) {
                (_, Err(Failure::OverBudget)) => return Err(Failure::OverBudget),
                ("all", Ok(Cel::Bool(false))) => return Ok(Cel::Bool(false)),
                ("exists", Ok(Cel::Bool(true))) => return Ok(Cel::Bool(true)),
                ("all" | "exists", Err(error)) => failure = Some(error),
                ("all" | "exists", Ok(Cel::Bool(_))) => {}
                ("exists_one" | "existsOne", outcome) => matches += usize::from(is_true(&outcome?)?),
                ("filter", outcome) => {
                    if is_true(&outcome?)? {
                        collected.push((key.clone(), key));
                    }
                }
                (_, Ok(value)) => collected.push((key, value)),
                (_, Err(error)) => return Err(error),
            }
        }
        match function {
            "all" | "exists" => failure.map_or(Ok(Cel::Bool(function == "all")), Err),
            "exists_one" | "existsOne" => Ok(Cel::Bool(matches == 1)),
            "transformMap" => {
                let entries = collected.into_iter().filter_map(|(key, value)| Some((Key::of(&key)?, value)));
                self.weighed(Cel::Map(Rc::new(entries.collect())))
            }
            _ => self.weighed(Cel::list(collected.into_iter().map(|(_, value)| value).collect())),
        }
    }
}

impl PartialEq for Cel {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

fn is_true(value: &Cel) -> Result<bool, Failure> {
    match value {
        Cel::Bool(flag) => Ok(*flag),
        _ => Err("no such overload".into()),
    }
}

fn present(optional: bool, value: Cel) -> Result<Option<Cel>, Failure> {
    match (optional, value) {
        (false, value) => Ok(Some(value)),
        (true, Cel::Optional(inner)) => Ok(inner.map(|inner| (*inner).clone())),
        (true, _) => Err("no such overload".into()),
    }
}

/// A field by its name, or by the name that rules have to use for it when its own is no identifier.
fn find<'m>(map: &'m BTreeMap<Key, Cel>, field: &str) -> Option<&'m Cel> {
    let direct = map.get(&Key::Text(Rc::from(field)));
    direct.or_else(|| field.contains("__").then(|| map.get(&Key::Text(Rc::from(unescape(field).as_str()))))?)
}

fn unescape(field: &str) -> String {
    let plain = field
        .replace("__underscores__", "__")
        .replace("__dot__", ".")
        .replace("__dash__", "-")
        .replace("__slash__", "/");
    match plain.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")) {
        Some(keyword) if !keyword.is_empty() && plain == field => keyword.to_owned(),
        _ => plain,
    }
}

fn select(operand: &Cel, field: &str, optional: bool) -> Outcome {
    let missing = || Failure::Error(format!("no such key: {field}"));
    match operand {
        Cel::Map(map) => match (find(map, field), optional) {
            (Some(value), true) => Ok(Cel::some(value.clone())),
            (None, true) => Ok(Cel::Optional(None)),
            (Some(value), false) => Ok(value.clone()),
            (None, false) => Err(missing()),
        },
        Cel::Optional(None) => Ok(Cel::Optional(None)),
        Cel::Optional(Some(inner)) => match select(inner, field, true)? {
            value @ Cel::Optional(_) => Ok(value),
            value => Ok(Cel::some(value)),
        },
        _ => Err("no such overload".into()),
    }
}

fn index_into(operand: &Cel, index: &Cel, optional: bool) -> Outcome {
    let found = match operand {
        Cel::List(items) => {
            let Some(Key::Int(at)) = Key::of(index) else {
                return Err("no such overload".into());
            };
            let item = usize::try_from(at).ok().and_then(|at| items.get(at));
            item.cloned().ok_or(Failure::Error(format!("index out of bounds: {at}")))
        }
        Cel::Map(map) => {
            let key = Key::of(index).ok_or("no such overload")?;
            map.get(&key).cloned().ok_or_else(|| Failure::Error(format!("no such key: {}", super::value::show(index))))
        }
        Cel::Optional(None) => return Ok(Cel::Optional(None)),
        Cel::Optional(Some(inner)) => return index_into(inner, index, true),
        _ => return Err("no such overload".into()),
    };
    match (found, optional) {
        (Ok(value), true) => Ok(Cel::some(value)),
        (Err(_), true) => Ok(Cel::Optional(None)),
        (found, false) => found,
    }
}

fn binary(operator: &str, left: &Cel, right: &Cel) -> Outcome {
    use std::cmp::Ordering;
    let order = || left.compare(right).ok_or(Failure::Error("no such overload".into()));
    match operator {
        "==" => Ok(Cel::Bool(left.equals(right))),
        "!=" => Ok(Cel::Bool(!left.equals(right))),
        "<" => order().map(|o| Cel::Bool(o == Ordering::Less)),
        "<=" => order().map(|o| Cel::Bool(o != Ordering::Greater)),
        ">" => order().map(|o| Cel::Bool(o == Ordering::Greater)),
        ">=" => order().map(|o| Cel::Bool(o != Ordering::Less)),
        "in" => match right {
            Cel::List(items) => Ok(Cel::Bool(items.iter().any(|item| item.equals(left)))),
            Cel::Map(map) => Ok(Cel::Bool(Key::of(left).is_some_and(|key| map.contains_key(&key)))),
            _ => Err("no such overload".into()),
        },
        _ => arithmetic(operator, left, right),
    }
}

fn arithmetic(operator: &str, left: &Cel, right: &Cel) -> Outcome {
    let overflow = || Failure::Error("integer overflow".into());
    match (left, right) {
        (Cel::Int(a), Cel::Int(b)) => match operator {
            "+" => a.checked_add(*b),
            "-" => a.checked_sub(*b),
            "*" => a.checked_mul(*b),
            _ if *b == 0 => return Err(by_zero(operator)),
            "/" => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Cel::Int)
        .ok_or_else(overflow),
        (Cel::Uint(a), Cel::Uint(b)) => match operator {
            "+" => a.checked_add(*b),
            "-" => a.checked_sub(*b),
            "*" => a.checked_mul(*b),
            _ if *b == 0 => return Err(by_zero(operator)),
            "/" => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Cel::Uint)
        .ok_or_else(|| "unsigned integer overflow".into()),
        (Cel::Double(a), Cel::Double(b)) => match operator {
            "+" => Ok(Cel::Double(a + b)),
            "-" => Ok(Cel::Double(a - b)),
            "*" => Ok(Cel::Double(a * b)),
            "/" => Ok(Cel::Double(a / b)),
            _ => Err("no such overload".into()),
        },
        (Cel::Text(a), Cel::Text(b)) if operator == "+" => Ok(Cel::text(&format!("{a}{b}"))),
        (Cel::Bytes(a), Cel::Bytes(b)) if operator == "+" => Ok(Cel::Bytes(Rc::from([&**a, &**b].concat().as_slice()))),
        (Cel::List(a), Cel::List(b)) if operator == "+" => Ok(Cel::list(a.iter().chain(b.iter()).cloned().collect())),
        (Cel::Duration(a), Cel::Duration(b)) if operator == "+" => Ok(Cel::Duration(a + b)),
        (Cel::Duration(a), Cel::Duration(b)) if operator == "-" => Ok(Cel::Duration(a - b)),
        (Cel::Timestamp(a), Cel::Timestamp(b)) if operator == "-" => {
            Ok(Cel::Duration(a.as_nanosecond() - b.as_nanosecond()))
        }
        (Cel::Timestamp(a), Cel::Duration(b)) if operator == "+" => shifted(*a, *b),
        (Cel::Duration(a), Cel::Timestamp(b)) if operator == "+" => shifted(*b, *a),
        (Cel::Timestamp(a), Cel::Duration(b)) if operator == "-" => shifted(*a, -b),
        _ => Err("no such overload".into()),
    }
}

fn by_zero(operator: &str) -> Failure {
    Failure::Error(if operator == "/" { "division by zero" } else { "modulus by zero" }.into())
}

fn shifted(time: jiff::Timestamp, nanos: i128) -> Outcome {
    time.as_nanosecond()
        .checked_add(nanos)
        .and_then(|at| jiff::Timestamp::from_nanosecond(at).ok())
        .map(Cel::Timestamp)
        .ok_or_else(|| "timestamp overflow".into())
}
