//! The JSON paths of printer columns: fields, indexes, slices of everything, and simple filters.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    /// `[1:3]`, `[1:]`, `[:-1]`
    Slice(Option<i64>, Option<i64>),
    Every,
    /// `[?(@.type=="Ready")]`
    Filter {
        path: Vec<Step>,
        comparison: Comparison,
        wanted: Value,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
}

/// All values at a path like `.status.conditions[?(@.type=="Ready")].status`. A path that can't be read finds nothing.
pub(crate) fn find<'a>(path: &str, value: &'a Value) -> Vec<&'a Value> {
    match steps(path) {
        Some(steps) => walk(&steps, value),
        None => Vec::new(),
    }
}

/// Whether a path can be read at all.
pub(crate) fn is_valid(path: &str) -> bool {
    path.starts_with('.') && steps(path).is_some()
}

fn walk<'a>(steps: &[Step], value: &'a Value) -> Vec<&'a Value> {
    steps.iter().fold(vec![value], |found, step| found.into_iter().flat_map(|one| take(step, one)).collect())
}

fn take<'a>(step: &Step, value: &'a Value) -> Vec<&'a Value> {
    match (step, value) {
        (Step::Field(name), value) => value.get(name).into_iter().collect(),
        (Step::Index(index), Value::Array(items)) => {
            let at = if *index < 0 { index.saturating_add_unsigned(items.len() as u64) } else { *index };
            usize::try_from(at).ok().and_then(|at| items.get(at)).into_iter().collect()
        }
        (Step::Slice(from, to), Value::Array(items)) => {
            let from = place(from.unwrap_or(0), items.len());
            let to = to.map_or(items.len(), |to| place(to, items.len()));
            items.get(from..to).unwrap_or_default().iter().collect()
        }
        (Step::Every, Value::Array(items)) => items.iter().collect(),
        (Step::Every, Value::Object(fields)) => fields.values().collect(),
        (Step::Filter { path, comparison, wanted }, Value::Array(items)) => items
            .iter()
            .filter(|item| {
                let equal = walk(path, item).first() == Some(&wanted);
                equal == (*comparison == Comparison::Equal)
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A bound within a list; negative ones count from its end.
fn place(bound: i64, count: usize) -> usize {
    let at = if bound < 0 { bound.saturating_add_unsigned(count as u64) } else { bound };
    usize::try_from(at).unwrap_or(0).min(count)
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let (step, behind) = next_step(rest)?;
        steps.extend(step);
        rest = behind;
    }
    Some(steps)
}

fn next_step(rest: &str) -> Option<(Option<Step>, &str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let end = closing_bracket(inner)?;
        return Some((Some(bracket(&inner[..end])?), &inner[end + 1..]));
    }
    let rest = rest.strip_prefix('.')?;
    if let Some(behind) = rest.strip_prefix('*') {
        return Some((Some(Step::Every), behind));
    }
    // A backslash protects a dot, as in `.metadata.annotations.example\.com/name`.
    let mut name = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, protected)| protected)),
            '.' | '[' => return Some((named(name), &rest[at..])),
            other => name.push(other),
        }
    }
    Some((named(name), ""))
}

/// `.[0]` has an empty name before its bracket, which is no step.
fn named(name: String) -> Option<Step> {
    (!name.is_empty()).then_some(Step::Field(name))
}

/// The bracket that closes this one; quoted ones and inner pairs don't count.
fn closing_bracket(inner: &str) -> Option<usize> {
    let mut quote = None;
    let mut open = 0;
    for (at, letter) in inner.char_indices() {
        match (quote, letter) {
            (Some(mark), letter) if letter == mark => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => open += 1,
            (None, ']') if open == 0 => return Some(at),
            (None, ']') => open -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Option<Step> {
    let inner = inner.trim();
    if inner == "*" {
        return Some(Step::Every);
    }
    if inner.is_empty() {
        // kubectl reads empty brackets as the first item.
        return Some(Step::Index(0));
    }
    if let Some(name) = unquoted(inner) {
        return Some(Step::Field(name.to_owned()));
    }
    if let Some(condition) = inner.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        return filter(condition);
    }
    if let Some((from, to)) = inner.split_once(':') {
        return Some(Step::Slice(bound(from)?, bound(to)?));
    }
    inner.parse().ok().map(Step::Index)
}

/// An absent bound is none; one that is no number can't be read.
fn bound(text: &str) -> Option<Option<i64>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn filter(condition: &str) -> Option<Step> {
    let (operator, comparison) =
        if condition.contains("==") { ("==", Comparison::Equal) } else { ("!=", Comparison::Unequal) };
    let (path, wanted) = condition.split_once(operator)?;
    let path = steps(path.trim().strip_prefix('@')?)?;
    let wanted = wanted.trim();
    let wanted = match unquoted(wanted) {
        Some(text) => Value::String(text.to_owned()),
        None => serde_json::from_str(wanted).ok()?,
    };
    Some(Step::Filter { path, comparison, wanted })
}

fn unquoted(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|mark| text.strip_prefix(mark)?.strip_suffix(mark))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn printer_columns_find_what_users_mean() {
        let value = json!({
            "spec": {"replicas": 3, "parts": [{"n": "a"}, {"n": "b"}]},
            "metadata": {"annotations": {"example.com/x": "yes"}},
            "status": {"conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "Other", "status": "False"},
            ]},
        });
        let table = [
            (".spec.replicas", vec![json!(3)]),
            (".spec.parts[1].n", vec![json!("b")]),
            (".spec.parts[-1].n", vec![json!("b")]),
            (".spec.parts[-9].n", vec![]),
            (".spec.parts[].n", vec![json!("a")]),
            (".spec.parts[1:].n", vec![json!("b")]),
            (".spec.parts[:-1].n", vec![json!("a")]),
            (".spec.parts[5:1].n", vec![]),
            (".spec.parts[*].n", vec![json!("a"), json!("b")]),
            (".status.conditions[?(@.type==\"Ready\")].status", vec![json!("True")]),
            (".status.conditions[?(@.type!='Ready')].status", vec![json!("False")]),
            (".metadata.annotations.example\\.com/x", vec![json!("yes")]),
            (".metadata.annotations['example.com/x']", vec![json!("yes")]),
            (".spec.missing.deep", vec![]),
            (".spec.parts[", vec![]),
            ("spec", vec![]),
        ];
        for (path, wanted) in table {
            let found: Vec<Value> = find(path, &value).into_iter().cloned().collect();
            assert_eq!(found, wanted, "{path}");
        }
        assert!(!is_valid("spec") && !is_valid(".a[?(@.b)]") && is_valid(".a.b[0]"));
    }
}
