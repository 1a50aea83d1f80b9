//! Values as texts and as JSON, and back.

use std::fmt::{self, Write};

use serde_json::Number;

use super::super::value::Value;
use super::calls::Call;
use super::{BYTES, Evaluated, Evaluation, failed};

impl Evaluation<'_> {
    /// A value as Go prints it, as long as there is room: parts that a value shares are printed each time.
    pub(super) fn printed(&mut self, at: usize, value: &Value) -> Evaluated<String> {
        let mut printed = Bounded { text: String::new(), most: self.bytes };
        if write!(printed, "{value}").is_err() {
            return failed(at, format!("this makes more than {} MiB of text", BYTES >> 20));
        }
        self.memory(at, printed.text.len())?;
        Ok(printed.text)
    }

    pub(super) fn json_read(&mut self, call: &Call<'_>) -> Evaluated {
        let text = call.text(0)?;
        // A value takes up to some thirty times the room of the two letters `0,`.
        self.memory(call.at, text.len().saturating_mul(32))?;
        let json: serde_json::Value = match serde_json::from_str(text) {
            Ok(json) => json,
            Err(error) => return failed(call.at, format!("this text is not JSON: {error}")),
        };
        Value::try_from(&json).or_else(|error| failed(call.at, error.to_string()))
    }

    pub(super) fn json_written(&mut self, call: &Call<'_>) -> Evaluated {
        let json = self.as_json(call.at, call.value(0))?;
        match serde_json::to_string_pretty(&json) {
            Ok(text) => self.text(call.at, text),
            Err(error) => failed(call.at, error.to_string()),
        }
    }

    fn as_json(&mut self, at: usize, value: &Value) -> Evaluated<serde_json::Value> {
        self.memory(at, size_of::<serde_json::Value>())?;
        Ok(match value {
            Value::Nil => serde_json::Value::Null,
            Value::Bool(truth) => serde_json::Value::Bool(*truth),
            Value::Int(whole) => serde_json::Value::from(*whole),
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 1e15 => serde_json::Value::from(*float as i64),
            Value::Float(float) => match Number::from_f64(*float) {
                Some(number) => serde_json::Value::Number(number),
                None => return failed(at, format!("JSON has no {float}")),
            },
            Value::Text(text) => {
                self.memory(at, text.len())?;
                serde_json::Value::String(text.to_string())
            }
            Value::Array(array) => serde_json::Value::Array(
                array.items().iter().map(|item| self.as_json(at, item)).collect::<Result<_, _>>()?,
            ),
            Value::Map(map) => {
                let mut object = serde_json::Map::new();
                for (name, value) in map.entries() {
                    self.memory(at, name.len())?;
                    object.insert(name.to_string(), self.as_json(at, value)?);
                }
                serde_json::Value::Object(object)
            }
            Value::Duration(duration) => serde_json::Value::from(duration.nanos()),
            Value::Date(date) => serde_json::Value::String(date.to_string()),
        })
    }
}

/// A text that grows no further than it may.
struct Bounded {
    text: String,
    most: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}
