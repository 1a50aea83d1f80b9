//! JSON exactly as Go's `encoding/json` writes it, because hashes are taken over its bytes.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// The value as Go writes an untyped one: keys sorted by their bytes, no blanks, `<`, `>` and `&` escaped for
/// the benefit of web pages.
pub fn go_json(value: &Value) -> String {
    let mut json = String::new();
    write_value(&mut json, value);
    json
}

pub(super) fn write_value(json: &mut String, value: &Value) {
    match value {
        Value::Null => json.push_str("null"),
        Value::Bool(true) => json.push_str("true"),
        Value::Bool(false) => json.push_str("false"),
        Value::Number(number) => write_number(json, number),
        Value::String(text) => write_text(json, text),
        Value::Array(items) => write_list(json, items, write_value),
        Value::Object(map) => write_map(json, map, write_value),
    }
}

/// A list whose items something else knows how to write.
pub(super) fn write_list<'a>(
    json: &mut String,
    items: &'a [Value],
    mut write_item: impl FnMut(&mut String, &'a Value),
) {
    json.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write_item(json, item);
    }
    json.push(']');
}

/// A map, sorted by key, whose values something else knows how to write.
pub(super) fn write_map<'a>(
    json: &mut String,
    map: &'a Map<String, Value>,
    mut write_item: impl FnMut(&mut String, &'a Value),
) {
    // serde_json's map is sorted, unless some crate in the build switches on its insertion order.
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    if !entries.is_sorted_by_key(|(key, _)| *key) {
        entries.sort_unstable_by_key(|(key, _)| *key);
    }
    json.push('{');
    for (index, (key, item)) in entries.into_iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write_text(json, key);
        json.push(':');
        write_item(json, item);
    }
    json.push('}');
}

/// A text with Go's escapes.
pub(super) fn write_text(json: &mut String, text: &str) {
    json.push('"');
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => "",
            _ => continue,
        };
        json.push_str(&text[plain_from..at]);
        plain_from = at + c.len_utf8();
        if short.is_empty() {
            // Writing into a String can't fail.
            let _ = write!(json, "\\u{:04x}", u32::from(c));
        } else {
            json.push_str(short);
        }
    }
    json.push_str(&text[plain_from..]);
    json.push('"');
}

/// A number: whole ones as they are, others with the fewest digits that name the same float, and with an
/// exponent only where Go writes one.
pub(super) fn write_number(json: &mut String, number: &Number) {
    // Writing into a String can't fail.
    let _ = match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) => write!(json, "{}", go_float(float, &number.to_string())),
        None => write!(json, "{number}"),
    };
}

/// Lays the digits of a float out as Go does. They come from serde_json, which breaks a tie between two equally
/// short texts as Go does, to the even digit; Rust's own printer does not.
fn go_float(float: f64, text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = [whole, fraction].concat();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let leading_zeros = all_digits.len() - all_digits.trim_start_matches('0').len();
    let digits = all_digits.trim_matches('0');
    // Where the point stands, counted from the first digit that is not 0.
    let point = exponent + whole.len() as i64 - leading_zeros as i64;
    if digits.is_empty() {
        return format!("{sign}0");
    }
    if !(1e-6..1e21).contains(&float.abs()) {
        let (first, others) = digits.split_at(1);
        let dot = if others.is_empty() { "" } else { "." };
        return format!("{sign}{first}{dot}{others}e{:+}", point - 1);
    }
    match usize::try_from(point) {
        Ok(0) | Err(_) => format!("{sign}0.{:0>width$}", digits, width = digits.len() + point.unsigned_abs() as usize),
        Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
        Ok(point) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
    }
}
