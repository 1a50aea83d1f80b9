//! What a condition calculates with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use sluice_crds::values::GoDuration;

/// How deep arrays and maps may lie within one another. JSON readers stop at about the same depth; what a condition
/// builds itself stops there too, so that nothing which walks through a value needs more stack than this.
const DEEPEST: u16 = 160;

/// A value: what a provider measured, or what a condition made of it.
///
/// Cheap to clone: texts, arrays and maps are shared.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, JSON's `null`.
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number, as conditions write them; JSON's and Prometheus' numbers are all [`Value::Float`].
    Int(i64),
    /// A number, NaN and the infinities included.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// Values in a row.
    Array(Arc<Array>),
    /// Values by name.
    Map(Arc<Map>),
    /// A span of time.
    Duration(GoDuration),
    /// A point in time.
    Date(Timestamp),
}

/// Values in a row, never nested deeper than can be walked through.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    items: Vec<Value>,
    depth: u16,
}

/// Values by name, never nested deeper than can be walked through.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    entries: BTreeMap<Arc<str>, Value>,
    depth: u16,
}

/// A value is nested so deeply that it isn't looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("arrays and maps lie within one another more than {DEEPEST} deep")]
pub struct TooDeep;

impl Array {
    /// The values in their order.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

impl Map {
    /// The values, by their names.
    pub fn entries(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.entries
    }
}

impl Value {
    /// An array of these values.
    pub fn array(items: Vec<Value>) -> Result<Self, TooDeep> {
        let depth = depth_over(items.iter())?;
        Ok(Self::Array(Arc::new(Array { items, depth })))
    }

    /// A map of these values.
    pub fn map(entries: BTreeMap<Arc<str>, Value>) -> Result<Self, TooDeep> {
        let depth = depth_over(entries.values())?;
        Ok(Self::Map(Arc::new(Map { entries, depth })))
    }

    /// What this is, in a word for a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
            Self::Duration(_) => "a duration",
            Self::Date(_) => "a date",
        }
    }

    /// The value as a float, if it is a number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(whole) => Some(*whole as f64),
            Self::Float(float) => Some(*float),
            Self::Nil
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Array(_)
            | Self::Map(_)
            | Self::Duration(_)
            | Self::Date(_) => None,
        }
    }

    fn depth(&self) -> u16 {
        match self {
            Self::Array(array) => array.depth,
            Self::Map(map) => map.depth,
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Duration(_)
            | Self::Date(_) => 0,
        }
    }
}

fn depth_over<'a>(values: impl Iterator<Item = &'a Value>) -> Result<u16, TooDeep> {
    let depth = 1 + values.map(Value::depth).max().unwrap_or(0);
    if depth > DEEPEST { Err(TooDeep) } else { Ok(depth) }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

impl From<f64> for Value {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<f64>> for Value {
    fn from(floats: Vec<f64>) -> Self {
        let items = floats.into_iter().map(Self::Float).collect();
        Self::Array(Arc::new(Array { items, depth: 1 }))
    }
}

impl TryFrom<&serde_json::Value> for Value {
    type Error = TooDeep;

    /// Every number of JSON is a float, however it is written: `type(result.count)` is `float`.
    fn try_from(json: &serde_json::Value) -> Result<Self, TooDeep> {
        from_json(json, 0)
    }
}

fn from_json(json: &serde_json::Value, level: u16) -> Result<Value, TooDeep> {
    if level > DEEPEST {
        return Err(TooDeep);
    }
    match json {
        serde_json::Value::Null => Ok(Value::Nil),
        serde_json::Value::Bool(truth) => Ok(Value::Bool(*truth)),
        serde_json::Value::Number(number) => Ok(Value::Float(number.as_f64().unwrap_or(f64::NAN))),
        serde_json::Value::String(text) => Ok(Value::from(text.as_str())),
        serde_json::Value::Array(items) => {
            Value::array(items.iter().map(|item| from_json(item, level + 1)).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(entries) => {
            let entry = |(name, value): (&String, _)| Ok((Arc::from(name.as_str()), from_json(value, level + 1)?));
            Value::map(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
    }
}

impl fmt::Display for Value {
    /// The way Go prints values, which is also what `string(…)` gives: `0.95`, `1e+06`, `[1 2]`, `map[a:1]`, `<nil>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<nil>"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(whole) => write!(f, "{whole}"),
            Self::Float(float) => f.write_str(&go_float(*float)),
            Self::Text(text) => f.write_str(text),
            Self::Array(array) => {
                f.write_str("[")?;
                for (nth, item) in array.items.iter().enumerate() {
                    write!(f, "{}{item}", if nth > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("map[")?;
                for (nth, (name, value)) in map.entries.iter().enumerate() {
                    write!(f, "{}{name}:{value}", if nth > 0 { " " } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Duration(duration) => write!(f, "{duration}"),
            Self::Date(date) => {
                write!(f, "{} +0000 UTC", date.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.f"))
            }
        }
    }
}

/// A float by Go's `%v`: as few digits as name it, with an exponent below 0.0001 and from a million on.
fn go_float(float: f64) -> String {
    if float.is_nan() {
        return "NaN".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{float}"),
    }
}
