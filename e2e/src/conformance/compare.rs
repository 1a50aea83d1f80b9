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

/// The checks of one case by name, and those that differ. Each side has its own namespace.
#[must_use]
pub fn compare(case: &Case, real: (&[Answer], &str), sandbox: (&[Answer], &str)) -> Vec<(String, Option<Difference>)> {
    let (mut real_names, mut sandbox_names) = (Names::default(), Names::default());
    case.steps
        .iter()
        .zip(real.0.iter().zip(sandbox.0))
        .enumerate()
        .map(|(index, (step, (in_real, in_sandbox)))| {
            let in_real = real_names.normalise(in_real, real.1);
            let in_sandbox = sandbox_names.normalise(in_sandbox, sandbox.1);
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
