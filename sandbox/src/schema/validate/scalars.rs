//! Strings, numbers and enumerations.

use serde_json::{Number, Value};

use super::super::{FieldError, Schema, Type, go_text};
use super::{Outcome, formats, wrong_type};

pub(super) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|f| f.fract() == 0.0)
}

/// The schema's format if it means something for its type.
pub(super) fn effective_format(schema: &Schema) -> &str {
    let known = match schema.types {
        None | Some(Type::String) => formats::is_known(&schema.format),
        Some(Type::Integer) => matches!(schema.format.as_str(), "int32" | "int64"),
        Some(Type::Number) => matches!(schema.format.as_str(), "float" | "double"),
        _ => false,
    };
    if known { &schema.format } else { "" }
}

/// The first rule that a string breaks: length, pattern; beside it its format.
pub(super) fn check_string(schema: &Schema, text: &str, path: &str, outcome: &mut Outcome) {
    let limits = &schema.limits;
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(max) = limits.max_length.filter(|max| length > *max) {
        outcome.errors.push(FieldError::too_long(path, max));
    } else if let Some(min) = limits.min_length.filter(|min| length < *min) {
        let detail = format!("{path} in body should be at least {min} chars long");
        outcome.errors.push(FieldError::invalid(path, text, detail));
    } else if let Some((pattern, compiled)) = &limits.pattern
        && compiled.as_ref().is_none_or(|regex| !regex.is_match(text))
    {
        let detail = format!("{path} in body should match '{pattern}'");
        outcome.errors.push(FieldError::invalid(path, text, detail));
    } else {
        outcome.passed();
    }
    let format = effective_format(schema);
    if !format.is_empty() && matches!(schema.types, None | Some(Type::String)) {
        if formats::is_valid(format, text) {
            outcome.passed();
        } else {
            let mut error = wrong_type(path, format, text);
            error.detail = format!("{path} in body must be of type {format}: {}", go_text::quote(text));
            outcome.errors.push(error);
        }
    }
}

pub(super) fn check_number(schema: &Schema, number: &Number, path: &str, outcome: &mut Outcome) {
    let before = outcome.errors.len();
    let Some(value) = number.as_f64() else { return };
    let limits = &schema.limits;
    let format = effective_format(schema);
    let whole_float = number.is_f64() && value.fract() == 0.0;
    let in_range = match (schema.types, format) {
        (Some(Type::Integer), "int32") => {
            number.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok())
                || whole_float && (-2_147_483_648.0..=2_147_483_647.0).contains(&value)
        }
        (Some(Type::Integer), _) => number.is_i64() || whole_float,
        (Some(Type::Number), "float") => value.abs() <= f64::from(f32::MAX),
        _ => true,
    };
    if !in_range {
        let kind = schema.types.map_or("", Type::as_str);
        let with = if format.is_empty() { "(default format)".to_owned() } else { format!("with format {format}") };
        let detail = format!("Checked value must be of type {kind} {with} in {path}");
        outcome.errors.push(FieldError::invalid("", "", detail));
    }
    let whole = number.is_i64() || number.is_u64();
    // An integer is compared with the whole part of the bound, and the message shows that.
    let bound = |limit: f64| if whole { limit.trunc() } else { limit };
    let mut complain = |text: &str, limit: f64| {
        let detail = format!("{path} in body should be {text} {}", go_text::float(limit));
        outcome.errors.push(FieldError::invalid(path, Value::Number(number.clone()), detail));
    };
    if let Some(factor) = limits.multiple_of.map(bound)
        && factor > 0.0
        && (value / factor).fract() != 0.0
    {
        complain("a multiple of", factor);
    }
    if let Some(min) = limits.minimum.map(bound) {
        if limits.exclusive_minimum && value <= min {
            complain("greater than", min);
        } else if value < min {
            complain("greater than or equal to", min);
        }
    }
    if let Some(max) = limits.maximum.map(bound) {
        if limits.exclusive_maximum && value >= max {
            complain("less than", max);
        } else if value > max {
            complain("less than or equal to", max);
        }
    }
    if outcome.errors.len() == before {
        outcome.passed();
    }
}

pub(super) fn check_enumeration(schema: &Schema, value: &Value, path: &str, outcome: &mut Outcome) {
    if schema.enumeration.is_empty() || schema.enumeration.contains(value) {
        return;
    }
    let supported: Vec<String> = schema
        .enumeration
        .iter()
        .map(|allowed| match allowed {
            Value::String(text) => text.clone(),
            other => go_text::json(other),
        })
        .collect();
    outcome.errors.push(FieldError::not_supported(path, value.clone(), &supported));
}
