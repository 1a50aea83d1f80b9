//! Functions of texts.

use super::eval::{Failure, Outcome, Scope};
use super::value::{Cel, show};

pub(super) fn member(scope: &mut Scope, text: &str, function: &str, args: &[Cel]) -> Option<Outcome> {
    let place = |found: Option<usize>| {
        // Places are counted in characters.
        let at = found.map(|byte| text[..byte].chars().count());
        Ok(Cel::Int(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
    };
    Some(match (function, args) {
        ("startsWith", [Cel::Text(part)]) => Ok(Cel::Bool(text.starts_with(&**part))),
        ("endsWith", [Cel::Text(part)]) => Ok(Cel::Bool(text.ends_with(&**part))),
        ("contains", [Cel::Text(part)]) => Ok(Cel::Bool(text.contains(&**part))),
        ("indexOf", [Cel::Text(part)]) => place(text.find(&**part)),
        ("lastIndexOf", [Cel::Text(part)]) => place(text.rfind(&**part)),
        ("lowerAscii", []) => Ok(Cel::text(&text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Cel::text(&text.to_ascii_uppercase())),
        ("trim", []) => Ok(Cel::text(text.trim())),
        ("reverse", []) => Ok(Cel::text(&text.chars().rev().collect::<String>())),
        ("charAt", [Cel::Int(at)]) => char_at(text, *at),
        ("substring", [Cel::Int(from)]) => substring(text, *from, None),
        ("substring", [Cel::Int(from), Cel::Int(to)]) => substring(text, *from, Some(*to)),
        ("replace", [Cel::Text(from), Cel::Text(to)]) => replace(scope, text, from, to, usize::MAX),
        ("replace", [Cel::Text(from), Cel::Text(to), Cel::Int(limit)]) => {
            replace(scope, text, from, to, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        ("split", [Cel::Text(separator)]) => split(scope, text, separator, usize::MAX),
        ("split", [Cel::Text(separator), Cel::Int(limit)]) => {
            split(scope, text, separator, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        ("format", [Cel::List(values)]) => format(scope, text, values),
        _ => return None,
    })
}

fn char_at(text: &str, at: i64) -> Outcome {
    let index = usize::try_from(at).ok();
    match index.and_then(|at| text.chars().nth(at)) {
        Some(c) => Ok(Cel::text(&c.to_string())),
        // Just behind the end there is nothing, and that is no error.
        None if index == Some(text.chars().count()) => Ok(Cel::text("")),
        None => Err(format!("index out of range: {at}").into()),
    }
}

fn substring(text: &str, from: i64, to: Option<i64>) -> Outcome {
    let length = text.chars().count();
    let end = to.map_or(Some(length), |to| usize::try_from(to).ok());
    match (usize::try_from(from).ok(), end) {
        (Some(from), Some(end)) if from <= end && end <= length => {
            Ok(Cel::text(&text.chars().skip(from).take(end - from).collect::<String>()))
        }
        _ => Err(format!("index out of range: {}", to.unwrap_or(from)).into()),
    }
}

fn replace(scope: &mut Scope, text: &str, from: &str, to: &str, limit: usize) -> Outcome {
    let places = text.matches(from).take(limit).count();
    scope.spend(places.saturating_mul(to.len()) / 10)?;
    Ok(Cel::text(&text.replacen(from, to, limit)))
}

fn split(scope: &mut Scope, text: &str, separator: &str, limit: usize) -> Outcome {
    let parts: Vec<Cel> = match (limit, separator) {
        (0, _) => Vec::new(),
        (limit, "") => {
            let mut chars = text.chars();
            let mut parts: Vec<Cel> = chars.by_ref().take(limit - 1).map(|c| Cel::text(&c.to_string())).collect();
            if !chars.as_str().is_empty() {
                parts.push(Cel::text(chars.as_str()));
            }
            parts
        }
        (limit, separator) => text.splitn(limit, separator).map(Cel::text).collect(),
    };
    scope.spend(parts.len())?;
    Ok(Cel::list(parts))
}

/// `%s`, `%d`, `%f`, `%b`, `%x`, `%%` and a precision such as `%.2f`.
fn format(scope: &mut Scope, pattern: &str, values: &[Cel]) -> Outcome {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let verb_at = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or("could not parse formatting clause")?;
        let precision = rest[..verb_at].strip_prefix('.').and_then(|digits| digits.parse::<usize>().ok());
        let verb = &rest[verb_at..=verb_at];
        let value = values.next().ok_or("index out of range for format arguments")?;
        let shown = match (verb, value) {
            ("s" | "d", value) => show(value),
            ("f", value) => {
                let number = value.as_double().ok_or(Failure::Error("no such overload".into()))?;
                format!("{number:.*}", precision.unwrap_or(6).min(100))
            }
            ("b", Cel::Int(number)) => format!("{number:b}"),
            ("x", Cel::Int(number)) => format!("{number:x}"),
            ("X", Cel::Int(number)) => format!("{number:X}"),
            _ => {
                return Err(
                    format!("could not parse formatting clause: unrecognized formatting clause \"{verb}\"").into()
                );
            }
        };
        scope.spend(shown.len() / 10)?;
        out.push_str(&shown);
        rest = &rest[verb_at + 1..];
    }
    out.push_str(rest);
    Ok(Cel::text(&out))
}
