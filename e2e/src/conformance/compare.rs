//! Comparing the answers of two servers to the same case.

use std::fmt;

use serde_json::Value;

use super::case::Case;
use super::normalise::Names;
use super::send::Answer;

/// One place in which the sandbox answers otherwise than the real server.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The case, and the step by its number and request.
    pub check: String,
    /// What differs, a line each.
    pub lines: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.check)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

/// The checks of one case by name, and those that differ.
#[must_use]
pub fn compare(case: &Case, real: &[Answer], sandbox: &[Answer], namespace: &str) -> Vec<(String, Option<Difference>)> {
    let (mut real_names, mut sandbox_names) = (Names::default(), Names::default());
    case.steps
        .iter()
        .zip(real.iter().zip(sandbox))
        .enumerate()
        .map(|(index, (step, (in_real, in_sandbox)))| {
            let mut in_real = real_names.normalise(in_real, namespace, step.controllers);
            let mut in_sandbox = sandbox_names.normalise(in_sandbox, namespace, step.controllers);
            if step.subset {
                in_sandbox.body = without_other_cases(&in_sandbox.body);
                in_real.body = only_what_is_in(&in_real.body, &in_sandbox.body);
            }
            let check = format!("{} / {}: {}", case.case, index + 1, step.title());
            let lines = differences(&in_real, &in_sandbox);
            let difference = (!lines.is_empty()).then(|| Difference { check: check.clone(), lines });
            (check, difference)
        })
        .collect()
}

fn differences(real: &Answer, sandbox: &Answer) -> Vec<String> {
    let mut lines = Vec::new();
    if real.status != sandbox.status {
        lines.push(format!("status: real {}, sandbox {}", real.status, sandbox.status));
    }
    if real.content_type != sandbox.content_type {
        lines.push(format!("content type: real {:?}, sandbox {:?}", real.content_type, sandbox.content_type));
    }
    if real.warnings != sandbox.warnings {
        lines.push(format!("warnings: real {:?}, sandbox {:?}", real.warnings, sandbox.warnings));
    }
    walk("", &real.body, &sandbox.body, &mut lines);
    lines
}

/// The real answer without the named items that the sandbox doesn't have, in the sandbox's order.
fn only_what_is_in(real: &Value, sandbox: &Value) -> Value {
    match (real, sandbox) {
        (Value::Object(real), Value::Object(sandbox)) => {
            let known = |key: &String| !key.starts_with("api") || sandbox.contains_key(key) || !key.contains('/');
            let shared = real.iter().filter(|(key, _)| known(key));
            Value::Object(
                shared
                    .map(|(key, value)| (key.clone(), only_what_is_in(value, sandbox.get(key).unwrap_or(&Value::Null))))
                    .collect(),
            )
        }
        (Value::Array(real), Value::Array(sandbox)) => {
            let twin = |item: &Value| real.iter().find(|one| item_name(one) == item_name(item));
            let pairs = sandbox.iter().filter_map(|item| Some(only_what_is_in(twin(item)?, item)));
            Value::Array(pairs.collect())
        }
        _ => real.clone(),
    }
}

/// Without the groups that cases running beside this one have defined.
fn without_other_cases(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), without_other_cases(value))).collect())
        }
        Value::Array(items) => {
            let of_a_case = |item: &&Value| item_name(item).is_some_and(|name| name.contains(".example.com"));
            Value::Array(items.iter().filter(|item| !of_a_case(item)).map(without_other_cases).collect())
        }
        other => other.clone(),
    }
}

/// By what an item of a list of groups, versions or resources is known.
fn item_name(item: &Value) -> Option<String> {
    let named = ["name", "groupVersion", "resource", "subresource", "version"];
    let by_field = named.iter().find_map(|field| item[*field].as_str());
    let named = by_field.or_else(|| item["metadata"]["name"].as_str()).or_else(|| item.as_str());
    named.map(ToOwned::to_owned)
}

fn walk(path: &str, real: &Value, sandbox: &Value, lines: &mut Vec<String>) {
    match (real, sandbox) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let here = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => walk(&here, a, b, lines),
                    (Some(a), None) => lines.push(format!("{here}: real {a}, sandbox has none")),
                    (None, Some(b)) => lines.push(format!("{here}: real has none, sandbox {b}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}[{index}]"), a, b, lines);
            }
        }
        _ if real != sandbox => lines.push(format!("{path}: real {real}, sandbox {sandbox}")),
        _ => {}
    }
}
