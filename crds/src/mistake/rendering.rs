//! Values as they are shown in a sentence: escaped, on one line, and never longer than a reader wants.

use std::fmt;

use serde_json::Value;

use crate::values::quoted;

/// A value in the form in which a sentence shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown(String);

impl Shown {
    /// Stands for a value that must not be repeated.
    pub(crate) fn hidden() -> Shown {
        Shown("(hidden)".to_owned())
    }

    /// The rendering.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Shown {
        Shown(quoted(text))
    }
}

impl From<&String> for Shown {
    fn from(text: &String) -> Shown {
        Shown(quoted(text))
    }
}

impl From<i32> for Shown {
    fn from(number: i32) -> Shown {
        Shown(number.to_string())
    }
}

impl From<i64> for Shown {
    fn from(number: i64) -> Shown {
        Shown(number.to_string())
    }
}

impl From<bool> for Shown {
    fn from(answer: bool) -> Shown {
        Shown(answer.to_string())
    }
}

impl From<&Value> for Shown {
    fn from(value: &Value) -> Shown {
        Shown(match value {
            Value::Null => "null".to_owned(),
            Value::Bool(answer) => answer.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(text),
            Value::Array(items) if items.is_empty() => "[]".to_owned(),
            Value::Array(_) => "[…]".to_owned(),
            Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
            Value::Object(_) => "{…}".to_owned(),
        })
    }
}

/// A user's own text inside a sentence, such as the label to write: as it is where it is one plain word, otherwise
/// quoted like any value.
pub(crate) fn word(text: &str) -> String {
    const LONGEST: usize = 64;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '%' | '+');
    if (1..=LONGEST).contains(&text.len()) && text.chars().all(is_plain) { text.to_owned() } else { quoted(text) }
}

/// The quoted value at the beginning of a sentence, if it begins with one, and the rest of the sentence.
pub(super) fn leading_value(sentence: &str) -> (Option<Shown>, &str) {
    let Some(inside) = sentence.strip_prefix('"') else {
        return (None, sentence);
    };
    let mut escaped = false;
    for (position, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let rest = &inside[position + 1..];
                let rest = rest.strip_prefix('…').unwrap_or(rest);
                let value = &sentence[..sentence.len() - rest.len()];
                return (Some(Shown(value.to_owned())), rest.trim_start());
            }
            _ => {}
        }
    }
    (None, sentence)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_short_and_escaped() {
        let rows = [
            (json!("10x"), r#""10x""#),
            (json!("two\nlines\tand \u{1b}[31m red"), r#""two\nlines\tand \u{1b}[31m red""#),
            (json!("it's"), r#""it's""#),
            (json!(3), "3"),
            (json!(1.5), "1.5"),
            (json!(null), "null"),
            (json!({}), "{}"),
            (json!({"a": 1}), "{…}"),
            (json!([1]), "[…]"),
        ];
        for (value, expected) in rows {
            assert_eq!(Shown::from(&value).as_str(), expected);
        }
    }

    #[test]
    fn the_value_at_the_beginning_of_a_sentence_is_found() {
        let rows = [
            (r#""10x" is bad; mend it"#, Some(r#""10x""#), "is bad; mend it"),
            (r#""a \" b" is bad"#, Some(r#""a \" b""#), "is bad"),
            (r#""long"… is bad"#, Some(r#""long"…"#), "is bad"),
            ("In takes values", None, "In takes values"),
            (r#""unclosed"#, None, r#""unclosed"#),
        ];
        for (sentence, value, rest) in rows {
            let found = leading_value(sentence);
            assert_eq!((found.0.as_ref().map(Shown::as_str), found.1), (value, rest));
        }
    }

    #[test]
    fn a_megabyte_of_text_is_cut() {
        let shown = Shown::from("ä".repeat(1_000_000).as_str());
        assert_eq!(shown.as_str(), format!("\"{}\"…", "ä".repeat(64)));
    }
}
