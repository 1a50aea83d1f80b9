//! One complaint about one field, in the words and with the machine-readable reason of a real API server.

use std::fmt;

use serde_json::{Value, json};

use super::go_text;

/// Why a field was refused; the text form travels in `status.details.causes[].reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    TooFew,
    TypeInvalid,
}

impl Reason {
    /// The cause's `reason` on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong)
    }
}

/// A complaint: which field, what it held, what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    pub reason: Reason,
    /// Dotted path; empty for the object itself, printed as `<nil>`.
    pub field: String,
    pub value: Option<Value>,
    pub detail: String,
}

impl FieldError {
    pub fn new(reason: Reason, field: impl Into<String>, value: Option<Value>, detail: impl Into<String>) -> Self {
        Self { reason, field: field.into(), value, detail: detail.into() }
    }

    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Reason::Required, field, None, detail)
    }

    pub fn invalid(field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(Reason::Invalid, field, Some(value.into()), detail)
    }

    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Reason::Forbidden, field, None, detail)
    }

    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(Reason::Duplicate, field, Some(value.into()), "")
    }

    pub fn not_found(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(Reason::NotFound, field, Some(value.into()), "")
    }

    /// A value outside of an enumeration.
    pub fn not_supported<S: AsRef<str>>(field: impl Into<String>, value: impl Into<Value>, supported: &[S]) -> Self {
        let listed: Vec<String> = supported.iter().map(|s| go_text::quote(s.as_ref())).collect();
        let detail = if listed.is_empty() { String::new() } else { format!("supported values: {}", listed.join(", ")) };
        Self::new(Reason::NotSupported, field, Some(value.into()), detail)
    }

    pub fn too_long(field: impl Into<String>, max: i64) -> Self {
        let unit = if max == 1 { "byte" } else { "bytes" };
        Self::new(Reason::TooLong, field, None, format!("may not be more than {max} {unit}"))
    }

    pub fn too_many(field: impl Into<String>, actual: usize, max: i64) -> Self {
        let unit = if max == 1 { "item" } else { "items" };
        Self::new(Reason::TooMany, field, Some(json!(actual)), format!("must have at most {max} {unit}"))
    }

    /// The message without the field's name, as in `status.details.causes[].message`.
    pub fn body(&self) -> String {
        let mut text = self.reason.title().to_owned();
        if self.reason.shows_value()
            && let Some(value) = &self.value
        {
            text.push_str(": ");
            match value {
                Value::String(s) => text.push_str(&go_text::quote(s)),
                Value::Number(_) => text.push_str(&go_text::plain(value)),
                other => text.push_str(&go_text::json(other)),
            }
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }

    /// One entry of `status.details.causes`.
    pub fn cause(&self) -> Value {
        json!({"reason": self.reason.as_str(), "message": self.body(), "field": self.shown_field()})
    }

    fn shown_field(&self) -> &str {
        if self.field.is_empty() { "<nil>" } else { &self.field }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.shown_field(), self.body())
    }
}

/// All complaints as one message: one alone, several in brackets, repeated ones once.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut messages: Vec<String> = Vec::new();
    for error in errors {
        let message = error.to_string();
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    match messages.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// `parent.name`, or `name` at the root.
pub fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// `parent[key]`: an entry of a map or an item of a list.
pub fn key(parent: &str, key: impl fmt::Display) -> String {
    format!("{parent}[{key}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_read_as_a_real_server_words_them() {
        let rows = [
            (FieldError::required("spec.a", ""), "spec.a: Required value"),
            (FieldError::required("spec.a", "why"), "spec.a: Required value: why"),
            (FieldError::invalid("spec.a", "x", "no"), r#"spec.a: Invalid value: "x": no"#),
            (FieldError::invalid("spec.a", 3, "no"), "spec.a: Invalid value: 3: no"),
            (FieldError::invalid("", Value::Null, "no"), "<nil>: Invalid value: null: no"),
            (FieldError::duplicate("l[1]", json!({"k": "v"})), r#"l[1]: Duplicate value: {"k":"v"}"#),
            (
                FieldError::not_supported("spec.t", "z", &["a", "b"]),
                r#"spec.t: Unsupported value: "z": supported values: "a", "b""#,
            ),
            (FieldError::too_long("s", 5), "s: Too long: may not be more than 5 bytes"),
            (FieldError::too_many("l", 4, 1), "l: Too many: 4: must have at most 1 item"),
            (FieldError::forbidden("s", "no"), "s: Forbidden: no"),
        ];
        for (error, expected) in rows {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn several_complaints_share_one_bracket_and_repeat_nothing() {
        let a = FieldError::required("a", "");
        let b = FieldError::required("b", "");
        assert_eq!(aggregate(std::slice::from_ref(&a)), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), b, a]), "[a: Required value, b: Required value]");
    }
}
