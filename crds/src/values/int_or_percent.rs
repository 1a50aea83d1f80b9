//! A number that may be a share of the whole: `2` or `25%`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::quoted;

/// Where a share does not come out even: which whole number stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards more, as for `maxSurge`.
    Up,
    /// Towards less, as for `maxUnavailable`.
    Down,
}

/// A count or a percentage, kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IntOrText", into = "IntOrText")]
pub enum IntOrPercent {
    /// `2`
    Int(i64),
    /// `25%`, or whatever else stands there as text.
    Text(String),
}

/// Why a value is neither a count nor a percentage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntOrPercentError {
    /// The text is not a whole percentage.
    #[error("{} is not a number or percentage; write 2 or \"25%\"", quoted(.0))]
    Malformed(String),
    /// The value, or what it comes to, does not fit a count.
    #[error("{} is too large; write at most 2147483647", quoted(.0))]
    TooLarge(String),
}

impl IntOrPercent {
    /// The count that the value stands for, of so many in all.
    ///
    /// A percentage is a whole number with `%` behind it; `-5%` reads as Go reads it, and is for validation to
    /// refuse.
    ///
    /// # Errors
    /// The text is not a whole percentage, or the count does not fit.
    pub fn resolve(&self, total: i32, rounding: Rounding) -> Result<i32, IntOrPercentError> {
        match self {
            Self::Int(count) => i32::try_from(*count).map_err(|_| IntOrPercentError::TooLarge(count.to_string())),
            Self::Text(_) => self.share_of(self.percent()?, total, rounding),
        }
    }

    /// As [`IntOrPercent::resolve`], but a text without `%` is a percentage too: `"25"` means 25 %. That is how
    /// `maxSurge` and `maxUnavailable` are read.
    ///
    /// # Errors
    /// The text is not a whole number, with or without `%`, or the count does not fit.
    pub fn resolve_bare_as_percent(&self, total: i32, rounding: Rounding) -> Result<i32, IntOrPercentError> {
        match self {
            Self::Text(text) if !text.ends_with('%') => self.share_of(whole_number(text, text)?, total, rounding),
            _ => self.resolve(total, rounding),
        }
    }

    /// Whether the value is a text that ends in `%`.
    pub fn is_percent(&self) -> bool {
        matches!(self, Self::Text(text) if text.ends_with('%'))
    }

    fn percent(&self) -> Result<i64, IntOrPercentError> {
        match self {
            Self::Int(count) => Err(IntOrPercentError::Malformed(count.to_string())),
            Self::Text(text) => {
                let number = text.strip_suffix('%').ok_or_else(|| IntOrPercentError::Malformed(text.clone()))?;
                whole_number(number, text)
            }
        }
    }

    fn share_of(&self, percent: i64, total: i32, rounding: Rounding) -> Result<i32, IntOrPercentError> {
        let hundredfold = i128::from(percent) * i128::from(total);
        let floor = hundredfold.div_euclid(100);
        let count = match rounding {
            Rounding::Up if hundredfold.rem_euclid(100) != 0 => floor + 1,
            Rounding::Up | Rounding::Down => floor,
        };
        i32::try_from(count).map_err(|_| IntOrPercentError::TooLarge(self.to_string()))
    }
}

/// A whole number as Go's `Atoi` reads it: an optional sign and digits. `text` is what the error shows.
fn whole_number(number: &str, text: &str) -> Result<i64, IntOrPercentError> {
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(IntOrPercentError::Malformed(text.to_owned()));
    }
    number.parse().map_err(|_| IntOrPercentError::TooLarge(text.to_owned()))
}

impl From<IntOrText> for IntOrPercent {
    fn from(value: IntOrText) -> Self {
        match value {
            IntOrText::Int(count) => Self::Int(count),
            IntOrText::Text(text) => Self::Text(text),
        }
    }
}

impl From<IntOrPercent> for IntOrText {
    fn from(value: IntOrPercent) -> Self {
        match value {
            IntOrPercent::Int(count) => Self::Int(count),
            IntOrPercent::Text(text) => Self::Text(text),
        }
    }
}

impl From<i32> for IntOrPercent {
    fn from(count: i32) -> Self {
        Self::Int(i64::from(count))
    }
}

impl From<&str> for IntOrPercent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(count) => write!(f, "{count}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl JsonSchema for IntOrPercent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IntOrPercent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        int_or_string_schema()
    }
}

/// The schema of every field that takes a number or a text.
pub(super) fn int_or_string_schema() -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true })
}

/// What an int-or-string field holds on the wire.
///
/// The schema keeps other things out, but an object stored under an older schema must still be readable: a
/// float without a fraction counts as the integer that it is, as the API server itself counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IntOrText {
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

impl Serialize for IntOrText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntOrTextVisitor;

        impl Visitor<'_> for IntOrTextVisitor {
            type Value = IntOrText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer or a string")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<IntOrText, E> {
                Ok(IntOrText::Int(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<IntOrText, E> {
                i64::try_from(number).map(IntOrText::Int).map_err(|_| E::custom(format!("{number} is too large")))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<IntOrText, E> {
                // 2^53: up to here every whole number has a float of its own.
                if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                    Ok(IntOrText::Int(number as i64))
                } else {
                    Err(E::custom(format!("{number} is not an integer")))
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<IntOrText, E> {
                Ok(IntOrText::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(IntOrTextVisitor)
    }
}
