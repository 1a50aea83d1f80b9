//! Whether a value shows what is expected of it.

use serde_json::Value;

/// What of `expected` is not so in `actual`, one line each. Maps may hold more than is expected, lists may not;
/// `null` means absent; `*` in a text stands for any text.
pub(crate) fn differences(path: &str, expected: &Value, actual: &Value) -> Vec<String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => expected
            .iter()
            .flat_map(|(key, value)| {
                differences(&format!("{path}.{key}"), value, actual.get(key).unwrap_or(&Value::Null))
            })
            .collect(),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => expected
            .iter()
            .zip(actual)
            .enumerate()
            .flat_map(|(index, (expected, actual))| differences(&format!("{path}[{index}]"), expected, actual))
            .collect(),
        (Value::String(expected), Value::String(actual)) if is_like(expected, actual) => Vec::new(),
        _ if expected == actual => Vec::new(),
        _ => vec![format!("{path}: {actual} instead of {expected}")],
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or((None, rest), |(middle, last)| (Some(middle), last));
    for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("*b*", "abc", true),
            ("ab*b", "ab", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_map_may_hold_more_and_a_list_may_not() {
        let actual = json!({"a": 1, "b": [{"c": "text", "d": 2}]});
        assert!(differences("", &json!({"b": [{"c": "te*"}], "e": null}), &actual).is_empty());
        let expected = json!({"a": null, "b": [], "e": 1});
        let told = differences("x", &expected, &actual);
        assert_eq!(
            told,
            ["x.a: 1 instead of null", r#"x.b: [{"c":"text","d":2}] instead of []"#, "x.e: null instead of 1",]
        );
    }
}
