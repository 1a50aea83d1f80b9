//! What counts as the same answer.

use serde_json::Value;

/// How far apart two numbers may be, relative to the larger one.
const TOLERANCE: f64 = 1e-9;

/// What differs, in words; `None` where nothing does. Of errors the status and the type are compared, not the words.
#[must_use]
pub fn difference(real: &(u16, Value), ours: &(u16, Value), in_order: bool) -> Option<String> {
    if real.0 != ours.0 || real.1["status"] != ours.1["status"] || real.1["errorType"] != ours.1["errorType"] {
        return Some(format!("real {} {}\n     ours {} {}", real.0, real.1, ours.0, ours.1));
    }
    if real.1["status"] == "error" {
        return None;
    }
    let (mut first, mut second) = (real.1["data"].clone(), ours.1["data"].clone());
    if !in_order {
        sort(&mut first);
        sort(&mut second);
    }
    (!same(&first, &second)).then(|| format!("real {first}\n     ours {second}"))
}

fn sort(data: &mut Value) {
    if let Some(result) = data["result"].as_array_mut() {
        result.sort_by_cached_key(|entry| entry["metric"].to_string());
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::String(a), Value::String(b)) => a == b || same_number(a.parse().ok(), b.parse().ok()),
        (Value::Number(a), Value::Number(b)) => same_number(a.as_f64(), b.as_f64()),
        (a, b) => a == b,
    }
}

fn same_number(a: Option<f64>, b: Option<f64>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    // The distance to an infinity is infinite, and so is a billionth of it.
    let near = a.is_finite() && b.is_finite() && (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    a == b || (a.is_nan() && b.is_nan()) || near
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(value: &str) -> (u16, Value) {
        (200, json!({"status": "success", "data": {"result": [{"metric": {"a": "1"}, "value": [1, value]}]}}))
    }

    #[test]
    fn numbers_may_differ_by_a_billionth_and_not_by_more() {
        assert_eq!(difference(&answer("1000000000"), &answer("1000000000.5"), false), None);
        assert_eq!(difference(&answer("NaN"), &answer("NaN"), false), None);
        assert_eq!(difference(&answer("+Inf"), &answer("+Inf"), false), None);
        for (real, ours) in [("1", "1.00000001"), ("NaN", "1"), ("+Inf", "-Inf"), ("+Inf", "1e300"), ("0", "1e-12")] {
            assert!(difference(&answer(real), &answer(ours), false).is_some(), "{real} and {ours}");
        }
    }

    #[test]
    fn errors_are_compared_by_status_and_type() {
        let error = |status, kind| (status, json!({"status": "error", "errorType": kind, "error": "words"}));
        assert_eq!(difference(&error(400, "bad_data"), &error(400, "bad_data"), false), None);
        assert!(difference(&error(400, "bad_data"), &error(422, "execution"), false).is_some());
        assert!(difference(&error(400, "bad_data"), &answer("1"), false).is_some());
    }
}
