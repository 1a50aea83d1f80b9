//! Functions of numbers.

use super::super::names::{Bits, Builtin};
use super::super::value::Value;
use super::calls::Call;
use super::logic::is_nan;
use super::{Evaluated, Evaluation, failed, no_data};

impl Call<'_> {
    pub(super) fn rounded(&self, builtin: Builtin) -> Evaluated {
        if let (Builtin::Abs, Value::Int(whole)) = (builtin, self.value(0)) {
            return Ok(Value::Int(whole.wrapping_abs()));
        }
        let number = self.number(0)?;
        Ok(Value::Float(match builtin {
            Builtin::Abs => number.abs(),
            Builtin::Ceil => number.ceil(),
            Builtin::Floor => number.floor(),
            // Halves away from zero.
            _ => number.round(),
        }))
    }

    pub(super) fn as_float(&self) -> Evaluated {
        if let Value::Text(text) = self.value(0) {
            return match text.parse() {
                Ok(float) => Ok(Value::Float(float)),
                Err(_) => self.not_a_number(text),
            };
        }
        self.number(0).map(Value::Float)
    }

    pub(super) fn as_int(&self) -> Evaluated {
        match self.value(0) {
            Value::Int(whole) => Ok(Value::Int(*whole)),
            Value::Text(text) => match text.parse() {
                Ok(whole) => Ok(Value::Int(whole)),
                Err(_) => self.not_a_number(text),
            },
            value if is_nan(value) => no_data(self.at, format!("{} can't make a whole number of NaN", self.name)),
            _ => match self.number(0)? {
                float if float.abs() < i64::MAX as f64 => Ok(Value::Int(float as i64)),
                float => failed(self.at, format!("{} can't make a whole number of {float}", self.name)),
            },
        }
    }

    fn not_a_number(&self, text: &str) -> Evaluated {
        let text = super::super::token::shortened(text);
        failed(self.at, format!("{} can't make a number of the text {text:?}", self.name))
    }

    pub(super) fn bits(&self, bits: Bits) -> Evaluated {
        let left = self.whole(0)?;
        if bits == Bits::Not {
            return Ok(Value::Int(!left));
        }
        let right = self.whole(1)?;
        let shifts = matches!(bits, Bits::Left | Bits::Right | Bits::UnsignedRight);
        if shifts && right < 0 {
            return failed(self.at, format!("{} can't shift by {right}", self.name));
        }
        // What is shifted by 64 and more has no bits left but its sign.
        let by = u32::try_from(right).unwrap_or(u32::MAX);
        Ok(Value::Int(match bits {
            Bits::And => left & right,
            Bits::Or => left | right,
            Bits::Xor => left ^ right,
            Bits::AndNot => left & !right,
            Bits::Not => !left,
            Bits::Left => left.checked_shl(by).unwrap_or(0),
            Bits::Right => left >> by.min(63),
            Bits::UnsignedRight => left.cast_unsigned().checked_shr(by).unwrap_or(0).cast_signed(),
        }))
    }
}

impl Evaluation<'_> {
    /// The largest or smallest of all numbers, also of those in arrays; NaN if one is. Of none it is nil.
    pub(super) fn extreme(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let numbers = self.numbers(call)?;
        let beats = |candidate: f64, best: f64| {
            candidate.is_nan() || if builtin == Builtin::Max { candidate > best } else { candidate < best }
        };
        let mut best: Option<&Value> = None;
        for number in &numbers {
            let is_better = match best {
                None => true,
                Some(best) if is_nan(best) => false,
                Some(best) => beats(number.number().unwrap_or(f64::NAN), best.number().unwrap_or(f64::NAN)),
            };
            if is_better {
                best = Some(number);
            }
        }
        Ok(best.cloned().unwrap_or(Value::Nil))
    }

    /// The language calls the mean of nothing 0; a condition that judged by that would take silence for health.
    pub(super) fn mean(&mut self, call: &Call<'_>) -> Evaluated {
        let floats = self.floats(call)?;
        Ok(Value::Float(floats.iter().sum::<f64>() / floats.len() as f64))
    }

    pub(super) fn median(&mut self, call: &Call<'_>) -> Evaluated {
        let mut floats = self.floats(call)?;
        if floats.iter().any(|float| float.is_nan()) {
            return Ok(Value::Float(f64::NAN));
        }
        floats.sort_by(f64::total_cmp);
        let middle = floats.len() / 2;
        let median = if floats.len() % 2 == 1 { floats[middle] } else { (floats[middle - 1] + floats[middle]) / 2.0 };
        Ok(Value::Float(median))
    }

    fn floats(&mut self, call: &Call<'_>) -> Evaluated<Vec<f64>> {
        let floats: Vec<f64> = self.numbers(call)?.iter().filter_map(Value::number).collect();
        if floats.is_empty() {
            return no_data(call.at, format!("there is nothing to take the {} of", call.name));
        }
        Ok(floats)
    }

    /// All numbers among the arguments and in the arrays among them.
    fn numbers(&mut self, call: &Call<'_>) -> Evaluated<Vec<Value>> {
        let mut numbers = Vec::new();
        self.gather_numbers(call, call.values, &mut numbers)?;
        Ok(numbers)
    }

    fn gather_numbers(&mut self, call: &Call<'_>, values: &[Value], numbers: &mut Vec<Value>) -> Evaluated<()> {
        self.memory(call.at, size_of_val(values))?;
        for value in values {
            match value {
                Value::Int(_) | Value::Float(_) => numbers.push(value.clone()),
                Value::Array(array) => self.gather_numbers(call, array.items(), numbers)?,
                other => return call.mismatch("numbers", other),
            }
        }
        Ok(())
    }
}
