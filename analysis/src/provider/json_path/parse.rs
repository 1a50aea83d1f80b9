//! Reading a path.

use serde_json::Value as Json;

use super::Step;
use super::filter::{Comparison, Filter, Side};

const FILTER: &str = "write one such as [?(@.name==\"a\")]";
/// Filters within filters; deeper ones are nobody's, and each level needs some stack.
const DEEPEST: usize = 8;

pub(super) fn path(text: &str) -> Result<Vec<Step>, String> {
    if text.contains(['{', '}']) {
        return Err("has more than one part in braces; write one path such as {$.data.ok}".to_owned());
    }
    steps(text.strip_prefix(['$', '@']).unwrap_or(text), 0)
}

fn steps(text: &str, level: usize) -> Result<Vec<Step>, String> {
    if level > DEEPEST {
        return Err("has too many filters within one another".to_owned());
    }
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside).ok_or("has a [ that is never closed")?;
            found.push(bracket(inside[..end].trim(), level)?);
            rest = &inside[end + 1..];
            continue;
        }
        let name = if let Some(after) = rest.strip_prefix("..") {
            found.push(Step::Descend);
            if after.starts_with('[') {
                rest = after;
                continue;
            }
            after
        } else {
            rest.strip_prefix('.').unwrap_or(rest)
        };
        let (name, after) = field(name)?;
        found.push(if name == "*" { Step::All } else { Step::Field(name) });
        rest = after;
    }
    Ok(found)
}

/// A name up to the next `.` or `[`; a backslash takes the character behind it as it is.
fn field(text: &str) -> Result<(String, &str), String> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' if at > 0 => return Ok((name, &text[at..])),
            '.' | '[' => return Err("has a dot with nothing behind it".to_owned()),
            c if c.is_whitespace() => return Err("has a blank where . or [ belongs".to_owned()),
            c => name.push(c),
        }
    }
    if name.is_empty() { Err("ends with a dot".to_owned()) } else { Ok((name, "")) }
}

/// The characters that stand outside of quotes, with their places, and whether the last quote is closed.
fn unquoted(text: &str) -> (Vec<(usize, char)>, bool) {
    let mut outside = Vec::new();
    let mut quote: Option<char> = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match quote {
            _ if character == '\\' => drop(characters.next()),
            Some(end) if character == end => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => outside.push((at, character)),
        }
    }
    (outside, quote.is_none())
}

/// Where the bracket closes that was open before the text; brackets within it belong together.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, character) in unquoted(text).0 {
        match character {
            '[' => open += 1,
            ']' if open == 0 => return Some(at),
            ']' => open -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str, level: usize) -> Result<Step, String> {
    if let Some(filter) = inside.strip_prefix('?') {
        let within = filter.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let within = within.ok_or_else(|| format!("has a filter without parentheses; {FILTER}"))?;
        return filter_of(within.trim(), level).map(Step::Filter);
    }
    let parts = split(inside, ',');
    if parts.len() > 1 {
        return parts.into_iter().map(|part| bracket(part.trim(), level)).collect::<Result<_, _>>().map(Step::Union);
    }
    if inside == "*" {
        return Ok(Step::All);
    }
    if let Some(name) = quoted(inside) {
        return Ok(Step::Field(name));
    }
    let is_no_index = || format!("has [{inside}], which is no index; write [0], [*] or ['{inside}']");
    if !inside.contains(':') {
        return inside.parse().map(Step::Index).map_err(|_| is_no_index());
    }
    let bounds: Option<Vec<Option<i64>>> = inside
        .split(':')
        .map(|bound| match bound.trim() {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        })
        .collect();
    match bounds.as_deref() {
        Some([start, end]) => Ok(Step::Slice { start: *start, end: *end, step: 1 }),
        Some([start, end, step]) => match step.unwrap_or(1) {
            step @ 1.. => Ok(Step::Slice { start: *start, end: *end, step }),
            _ => Err(format!("has [{inside}], whose step is not 1 or more")),
        },
        _ => Err(is_no_index()),
    }
}

/// Splits at a sign that stands outside of quotes and brackets.
fn split(text: &str, sign: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(sign) {
        if is_outside(&text[start..at]) {
            parts.push(&text[start..at]);
            start = at + sign.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether a text leaves no quote and no bracket open.
fn is_outside(text: &str) -> bool {
    let (characters, is_closed) = unquoted(text);
    let count = |brackets: [char; 2]| characters.iter().filter(|(_, one)| brackets.contains(one)).count();
    is_closed && count(['[', '(']) == count([']', ')'])
}

/// A text in single or double quotes.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut name = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.extend(characters.next()),
            c if c == quote => return None,
            c => name.push(c),
        }
    }
    Some(name)
}

fn filter_of(text: &str, level: usize) -> Result<Filter, String> {
    let starts = text.char_indices().map(|(at, _)| at).filter(|at| is_outside(&text[..*at]));
    for at in starts {
        let sign = Comparison::SIGNS.iter().find(|(sign, _)| text[at..].starts_with(sign));
        if let Some((sign, comparison)) = sign {
            let left = side(text[..at].trim(), level)?;
            let right = side(text[at + sign.len()..].trim(), level)?;
            return Ok(Filter { left, right: Some((*comparison, right)) });
        }
    }
    Ok(Filter { left: side(text, level)?, right: None })
}

fn side(text: &str, level: usize) -> Result<Side, String> {
    if let Some(path) = text.strip_prefix('@') {
        return steps(path, level + 1).map(Side::OfItem);
    }
    if let Some(path) = text.strip_prefix('$') {
        return steps(path, level + 1).map(Side::OfRoot);
    }
    if let Some(word) = quoted(text) {
        return Ok(Side::Literal(Json::from(word)));
    }
    match serde_json::from_str::<Json>(text) {
        Ok(literal @ (Json::Number(_) | Json::Bool(_) | Json::Null)) => Ok(Side::Literal(literal)),
        _ => Err(format!("has a filter without a value; {FILTER}")),
    }
}
