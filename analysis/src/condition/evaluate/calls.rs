//! Which function is which, and how their arguments are taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::names::{BUILTINS, Builtin, signature};
use super::super::tree::Node;
use super::super::value::{Array, Map, Value};
use super::access::element;
use super::logic::is_nan;
use super::{Evaluated, Evaluation, Stop, failed, no_data};

/// A call: its name for sentences, and its arguments.
pub(super) struct Call<'v> {
    pub(super) at: usize,
    pub(super) name: &'static str,
    pub(super) values: &'v [Value],
}

impl Evaluation<'_> {
    pub(super) fn call(&mut self, at: usize, builtin: Builtin, arguments: &[Node]) -> Evaluated {
        match (builtin, arguments) {
            (Builtin::Default, [asked, otherwise]) => {
                return match self.value(asked) {
                    Ok(Value::Nil) | Err(Stop::NoData(_)) => self.value(otherwise),
                    other => other,
                };
            }
            (Builtin::IsNil, [asked]) => {
                return match self.value(asked) {
                    Err(Stop::NoData(_)) => Ok(Value::Bool(true)),
                    other => Ok(Value::Bool(other? == Value::Nil)),
                };
            }
            _ => {}
        }
        let values = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>, _>>()?;
        let name = signature(&BUILTINS, builtin).map_or("this function", |known| known.name);
        self.called(builtin, &Call { at, name, values: &values })
    }

    fn called(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        match builtin {
            Builtin::Abs | Builtin::Ceil | Builtin::Floor | Builtin::Round => call.rounded(builtin),
            Builtin::AsFloat | Builtin::Float => call.as_float(),
            Builtin::AsInt | Builtin::Int => call.as_int(),
            Builtin::IsInf => Ok(Value::Bool(call.number(0)?.is_infinite())),
            Builtin::IsNaN => Ok(Value::Bool(call.number(0)?.is_nan())),
            Builtin::Bits(bits) => call.bits(bits),
            Builtin::Max | Builtin::Min => self.extreme(builtin, call),
            Builtin::Mean => self.mean(call),
            Builtin::Median => self.median(call),
            Builtin::Date => call.date(),
            Builtin::Duration => call.duration(),
            Builtin::Now => Ok(Value::Date(self.now)),
            Builtin::FromJson => self.json_read(call),
            Builtin::ToJson => self.json_written(call),
            Builtin::String => {
                let text = self.printed(call.at, call.value(0))?;
                Ok(Value::from(text))
            }
            Builtin::Type => Ok(Value::from(type_name(call.value(0)))),
            Builtin::Len => self.len(call),
            Builtin::Concat => self.concat(call),
            Builtin::First | Builtin::Last => {
                let array = call.array(0)?;
                let items = array.items();
                let found = if builtin == Builtin::First { items.first() } else { items.last() };
                Ok(found.cloned().unwrap_or(Value::Nil))
            }
            Builtin::Flatten => self.flatten(call),
            Builtin::FromPairs => self.paired(call),
            Builtin::Get => get(call),
            Builtin::Keys | Builtin::Values | Builtin::ToPairs => self.listed(builtin, call),
            Builtin::Reverse => {
                let reversed = call.array(0)?.items().iter().rev().cloned().collect();
                self.array(call.at, reversed)
            }
            Builtin::Sort => {
                let array = call.array(0)?;
                self.sorted(call.at, array.items(), array.items().to_vec(), call.values.get(1))
            }
            Builtin::Take => self.take(call),
            Builtin::Uniq => self.uniq(call),
            Builtin::Join => self.join(call),
            Builtin::Split | Builtin::SplitAfter => self.split(builtin, call),
            Builtin::Repeat => self.repeat(call),
            Builtin::Replace => self.replace(call),
            Builtin::HasPrefix | Builtin::HasSuffix | Builtin::IndexOf | Builtin::LastIndexOf => {
                self.sought(builtin, call)
            }
            Builtin::Lower | Builtin::Upper => self.cased(builtin, call),
            Builtin::Trim | Builtin::TrimPrefix | Builtin::TrimSuffix => self.trimmed(builtin, call),
            // These two look at what isn't there, and are answered before their arguments are.
            Builtin::Default | Builtin::IsNil => Ok(Value::Nil),
        }
    }

    fn len(&mut self, call: &Call<'_>) -> Evaluated {
        let length = match call.value(0) {
            Value::Array(array) => array.items().len(),
            Value::Map(map) => map.entries().len(),
            Value::Text(text) => {
                self.work(call.at, text.len() / 64)?;
                text.chars().count()
            }
            other => return call.mismatch("an array, a map or a text", other),
        };
        Ok(Value::Int(length as i64))
    }

    fn listed(&mut self, builtin: Builtin, call: &Call<'_>) -> Evaluated {
        let map = call.map(0)?;
        let mut listed = Vec::with_capacity(map.entries().len());
        for (name, value) in map.entries() {
            listed.push(match builtin {
                Builtin::Keys => Value::Text(name.clone()),
                Builtin::Values => value.clone(),
                _ => self.array(call.at, vec![Value::Text(name.clone()), value.clone()])?,
            });
        }
        self.array(call.at, listed)
    }

    fn paired(&mut self, call: &Call<'_>) -> Evaluated {
        let mut entries = BTreeMap::new();
        for pair in call.array(0)?.items() {
            let Value::Array(pair) = pair else {
                return call.mismatch("pairs", pair);
            };
            let [Value::Text(name), value] = pair.items() else {
                return failed(call.at, "fromPairs wants pairs of a text and a value");
            };
            entries.insert(name.clone(), value.clone());
        }
        self.entries(call.at, entries)
    }
}

/// An element or member, and nil where there is none: who asks this way knows.
fn get(call: &Call<'_>) -> Evaluated {
    if *call.value(0) == Value::Nil {
        return Ok(Value::Nil);
    }
    match element(call.at, call.value(0), call.value(1)) {
        Err(Stop::NoData(_)) => Ok(Value::Nil),
        found => Ok(found?.unwrap_or(Value::Nil)),
    }
}

/// The name that `type` gives, Go's own for dates and durations.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Text(_) => "string",
        Value::Array(_) => "array",
        Value::Map(_) => "map",
        Value::Duration(_) => "time.Duration",
        Value::Date(_) => "time.Time",
    }
}

impl Call<'_> {
    pub(super) fn value(&self, nth: usize) -> &Value {
        self.values.get(nth).unwrap_or(&Value::Nil)
    }

    pub(super) fn number(&self, nth: usize) -> Evaluated<f64> {
        let value = self.value(nth);
        value.number().map_or_else(|| self.mismatch("a number", value), Ok)
    }

    pub(super) fn whole(&self, nth: usize) -> Evaluated<i64> {
        match self.value(nth) {
            Value::Int(whole) => Ok(*whole),
            Value::Float(float) if is_nan(self.value(nth)) => {
                no_data(self.at, format!("{} can't take {float}", self.name))
            }
            Value::Float(float) if float.fract() == 0.0 => Ok(*float as i64),
            other => self.mismatch("a whole number", other),
        }
    }

    pub(super) fn text(&self, nth: usize) -> Evaluated<&Arc<str>> {
        match self.value(nth) {
            Value::Text(text) => Ok(text),
            other => self.mismatch("a text", other),
        }
    }

    pub(super) fn array(&self, nth: usize) -> Evaluated<&Array> {
        match self.value(nth) {
            Value::Array(array) => Ok(array),
            other => self.mismatch("an array", other),
        }
    }

    fn map(&self, nth: usize) -> Evaluated<&Map> {
        match self.value(nth) {
            Value::Map(map) => Ok(map),
            other => self.mismatch("a map", other),
        }
    }

    /// What is nil is missing; anything else is of the wrong kind.
    pub(super) fn mismatch<T>(&self, wanted: &str, value: &Value) -> Evaluated<T> {
        let Self { at, name, .. } = *self;
        match value {
            Value::Nil => no_data(at, format!("{name} wants {wanted}, and there is nothing")),
            other => failed(at, format!("{name} wants {wanted}, and this is {}", other.kind())),
        }
    }
}
