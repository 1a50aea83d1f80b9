//! Calculating.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::values::GoDuration;

use super::super::tree::{Arithmetic, Node};
use super::super::value::Value;
use super::access::whole;
use super::{Evaluated, Evaluation, failed, no_data};

impl Evaluation<'_> {
    pub(super) fn signed(&mut self, at: usize, negative: bool, of: &Node) -> Evaluated {
        match self.value(of)? {
            Value::Int(whole) if negative => Ok(Value::Int(whole.wrapping_neg())),
            Value::Float(float) if negative => Ok(Value::Float(-float)),
            value @ (Value::Int(_) | Value::Float(_)) => Ok(value),
            Value::Nil => no_data(at, "there is no number behind the sign"),
            other => failed(at, format!("a sign wants a number, and this is {}", other.kind())),
        }
    }

    /// Whole numbers stay whole and wrap around at 64 bits, except that `/` and `**` always give a float.
    pub(super) fn arithmetic(&mut self, at: usize, arithmetic: Arithmetic, left: &Value, right: &Value) -> Evaluated {
        if let (Value::Int(left), Value::Int(right)) = (left, right) {
            match arithmetic {
                Arithmetic::Add => return Ok(Value::Int(left.wrapping_add(*right))),
                Arithmetic::Subtract => return Ok(Value::Int(left.wrapping_sub(*right))),
                Arithmetic::Multiply => return Ok(Value::Int(left.wrapping_mul(*right))),
                Arithmetic::Remainder if *right == 0 => return failed(at, "there is no remainder by zero"),
                Arithmetic::Remainder => return Ok(Value::Int(left.wrapping_rem(*right))),
                Arithmetic::Divide | Arithmetic::Power => {}
            }
        }
        match (arithmetic, left.number(), right.number()) {
            (Arithmetic::Add, Some(left), Some(right)) => Ok(Value::Float(left + right)),
            (Arithmetic::Subtract, Some(left), Some(right)) => Ok(Value::Float(left - right)),
            (Arithmetic::Multiply, Some(left), Some(right)) => Ok(Value::Float(left * right)),
            (Arithmetic::Divide, Some(left), Some(right)) => Ok(Value::Float(left / right)),
            (Arithmetic::Power, Some(left), Some(right)) => Ok(Value::Float(left.powf(right))),
            (Arithmetic::Remainder, Some(_), Some(_)) => {
                failed(at, "% wants whole numbers; make them whole with int(…)")
            }
            _ => self.of_other_kinds(at, arithmetic, left, right),
        }
    }

    fn of_other_kinds(&mut self, at: usize, arithmetic: Arithmetic, left: &Value, right: &Value) -> Evaluated {
        let outcome = match (arithmetic, left, right) {
            (Arithmetic::Add, Value::Text(left), Value::Text(right)) => {
                self.memory(at, left.len() + right.len())?;
                return Ok(Value::from(format!("{left}{right}")));
            }
            (Arithmetic::Add, Value::Duration(left), Value::Duration(right)) => {
                left.nanos().checked_add(right.nanos()).map(duration)
            }
            (Arithmetic::Subtract, Value::Duration(left), Value::Duration(right)) => {
                left.nanos().checked_sub(right.nanos()).map(duration)
            }
            (Arithmetic::Add, Value::Date(date), Value::Duration(span))
            | (Arithmetic::Add, Value::Duration(span), Value::Date(date)) => moved(*date, span.nanos()),
            (Arithmetic::Subtract, Value::Date(date), Value::Duration(span)) => {
                span.nanos().checked_neg().and_then(|nanos| moved(*date, nanos))
            }
            (Arithmetic::Subtract, Value::Date(left), Value::Date(right)) => Some(between(*left, *right)),
            (Arithmetic::Multiply, Value::Duration(span), Value::Int(times))
            | (Arithmetic::Multiply, Value::Int(times), Value::Duration(span)) => {
                span.nanos().checked_mul(*times).map(duration)
            }
            (Arithmetic::Multiply, Value::Duration(span), Value::Float(times))
            | (Arithmetic::Multiply, Value::Float(times), Value::Duration(span)) => {
                let nanos = span.nanos() as f64 * times;
                (nanos.abs() < i64::MAX as f64).then(|| duration(nanos as i64))
            }
            (_, Value::Nil, _) => return no_data(at, format!("there is nothing on the left of {}", arithmetic.sign())),
            (_, _, Value::Nil) => {
                return no_data(at, format!("there is nothing on the right of {}", arithmetic.sign()));
            }
            _ => {
                let (sign, left, right) = (arithmetic.sign(), left.kind(), right.kind());
                return failed(at, format!("{sign} doesn't go with {left} and {right}"));
            }
        };
        outcome.map_or_else(|| failed(at, "this is beyond the durations and dates there are"), Ok)
    }

    /// `from..to`, both ends included.
    pub(super) fn range(&mut self, operands: &[Node; 2]) -> Evaluated {
        let (from_value, to_value) = (self.value(&operands[0])?, self.value(&operands[1])?);
        let from = whole(operands[0].at(), &from_value, "an end of a range")?;
        let to = whole(operands[1].at(), &to_value, "an end of a range")?;
        let at = operands[0].at();
        let length = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
        // Noted before the range is made, and once more with what is made of it.
        self.memory(at, length.saturating_mul(size_of::<Value>()))?;
        self.work(at, length)?;
        let items = if length == 0 { Vec::new() } else { (from..=to).map(Value::Int).collect() };
        self.array(at, items)
    }
}

fn duration(nanos: i64) -> Value {
    Value::Duration(GoDuration::from_nanos(nanos))
}

pub(super) fn moved(date: Timestamp, nanos: i64) -> Option<Value> {
    date.checked_add(SignedDuration::from_nanos(nanos)).ok().map(Value::Date)
}

/// The time from `right` to `left`; as in Go the longest there is where it is longer.
pub(super) fn between(left: Timestamp, right: Timestamp) -> Value {
    let nanos = left.as_nanosecond() - right.as_nanosecond();
    let nearest = i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX });
    duration(nearest)
}
