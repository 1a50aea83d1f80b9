//! Conditions as people write them, and what each says. The expected answers are written by hand from the language's
//! published definition, and where that is silent from what its own evaluator answers.

mod absence;
mod arrays;
mod explanations;
mod literals;
mod mistakes;
mod numbers;
mod operators;
mod predicates;
mod random;
mod texts;
mod times;

use jiff::Timestamp;
use sluice_analysis::condition::{Condition, Outcome, Value};

/// Friday, 20 November 2026, 12:30:45 UTC.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:30:45Z".parse().expect("a moment")
}

/// What a provider measured: JSON, or floats with NaN and Inf among them, in brackets or alone.
pub(crate) fn measured(text: &str) -> Value {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        return Value::try_from(&json).expect("no deep values");
    }
    let float = |text: &str| text.trim().parse::<f64>().expect("a float");
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(floats) => Value::from(floats.split(',').map(float).collect::<Vec<_>>()),
        None => Value::from(float(text)),
    }
}

/// The answer in a word: `true`, `false`, `no data: …`, `failure: …` or `mistake: …`.
pub(crate) fn answer(source: &str, result: &str) -> String {
    let condition = match Condition::compile(source) {
        Ok(condition) => condition,
        Err(mistake) => return format!("mistake: {}", mistake.to_string().lines().next().unwrap_or_default()),
    };
    match condition.judge(&measured(result), now()) {
        Ok(Outcome::True) => "true".to_owned(),
        Ok(Outcome::False) => "false".to_owned(),
        Ok(Outcome::NoData(gap)) => format!("no data: {gap}"),
        Err(failure) => format!("failure: {failure}"),
    }
}

/// All of these hold, whatever was measured.
#[track_caller]
pub(crate) fn holds(conditions: &[&str]) {
    holds_for("1", conditions);
}

/// All of these hold for what was measured.
#[track_caller]
pub(crate) fn holds_for(result: &str, conditions: &[&str]) {
    each(result, conditions, "true");
}

/// None of these holds, whatever was measured.
#[track_caller]
pub(crate) fn fails(conditions: &[&str]) {
    each("1", conditions, "false");
}

/// None of these holds for what was measured.
#[track_caller]
pub(crate) fn fails_for(result: &str, conditions: &[&str]) {
    each(result, conditions, "false");
}

#[track_caller]
fn each(result: &str, conditions: &[&str], expected: &str) {
    let odd: Vec<String> = conditions
        .iter()
        .map(|condition| (condition, answer(condition, result)))
        .filter(|(_, answer)| answer != expected)
        .map(|(condition, answer)| format!("  {condition}\n    gives {answer}"))
        .collect();
    assert!(odd.is_empty(), "for {result} these should be {expected}:\n{}", odd.join("\n"));
}

/// For each condition and measurement, the whole answer.
#[track_caller]
pub(crate) fn answers(rows: &[(&str, &str, &str)]) {
    let odd: Vec<String> = rows
        .iter()
        .map(|(condition, result, expected)| (condition, result, expected, answer(condition, result)))
        .filter(|(_, _, expected, answer)| answer != *expected)
        .map(|(condition, result, expected, answer)| {
            format!("  {condition} for {result}\n    {expected}\n    {answer}")
        })
        .collect();
    assert!(odd.is_empty(), "expected, and given:\n{}", odd.join("\n"));
}
