//! Members, elements and slices.

use super::super::tree::{Key, Node};
use super::super::value::Value;
use super::{Evaluated, Evaluation, Stop, failed, no_data};

impl Evaluation<'_> {
    /// What a key names; nothing where a map doesn't have it. An index beyond an array is no data, as the language
    /// calls it an error.
    pub(super) fn member(&mut self, at: usize, of: &Node, key: &Key, optional: bool) -> Evaluated<Option<Value>> {
        let of = self.value(of)?;
        if of == Value::Nil {
            return if optional { Err(Stop::Chained) } else { no_data(at, "there is nothing to look into") };
        }
        match key {
            Key::Name(name) => match &of {
                Value::Map(map) => Ok(map.entries().get(name).cloned()),
                other => failed(at, format!("{} has no member {name:?}", other.kind())),
            },
            Key::Computed(key) => {
                let key_value = self.value(key)?;
                element(at, &of, &key_value)
            }
        }
    }

    pub(super) fn slice(&mut self, at: usize, of: &Node, from: Option<&Node>, to: Option<&Node>) -> Evaluated {
        let of = self.value(of)?;
        let length = match &of {
            Value::Array(array) => array.items().len(),
            Value::Text(text) => text.len(),
            Value::Nil => return no_data(at, "there is nothing to take a slice of"),
            other => return failed(at, format!("{} has no slices", other.kind())),
        };
        let to = self.side(to, length, length)?;
        let from = self.side(from, length, 0)?.min(to);
        match &of {
            Value::Text(text) => match text.get(from..to) {
                Some(part) => self.text(at, part.to_owned()),
                None => failed(at, "this slice cuts through a letter"),
            },
            Value::Array(array) => {
                let items = array.items()[from..to].to_vec();
                self.array(at, items)
            }
            _ => Ok(of),
        }
    }

    /// A side of a slice, within what there is.
    fn side(&mut self, node: Option<&Node>, length: usize, missing: usize) -> Evaluated<usize> {
        let Some(node) = node else {
            return Ok(missing);
        };
        let value = self.value(node)?;
        let side = whole(node.at(), &value, "a side of a slice")?;
        let from_start = if side < 0 { side.saturating_add_unsigned(length as u64) } else { side };
        Ok(usize::try_from(from_start.max(0)).unwrap_or(length).min(length))
    }
}

/// The sentence for a member that a map doesn't have.
pub(super) fn nothing_named(key: &Key) -> String {
    match key {
        Key::Name(name) => format!("there is no {name:?}"),
        Key::Computed(_) => "there is no member of this name".to_owned(),
    }
}

fn index(at: usize, key: &Value, length: usize) -> Evaluated<usize> {
    let wanted = whole(at, key, "an index")?;
    let from_start = if wanted < 0 { wanted.saturating_add_unsigned(length as u64) } else { wanted };
    match usize::try_from(from_start) {
        Ok(index) if index < length => Ok(index),
        _ if length == 0 => no_data(at, format!("there is no element {wanted}: there is none at all")),
        _ => no_data(at, format!("there is no element {wanted}: there are {length}")),
    }
}

/// A whole number; of a float its whole part.
pub(super) fn whole(at: usize, value: &Value, what: &str) -> Evaluated<i64> {
    match value {
        Value::Int(whole) => Ok(*whole),
        Value::Float(float) if float.is_nan() => no_data(at, format!("{what} can't be NaN")),
        // Beyond the whole numbers this is the last of them, which no array reaches.
        Value::Float(float) => Ok(*float as i64),
        Value::Nil => no_data(at, format!("there is nothing where {what} is wanted")),
        other => failed(at, format!("{what} is a whole number, and this is {}", other.kind())),
    }
}

/// What an index or a computed name names.
pub(super) fn element(at: usize, of: &Value, key: &Value) -> Evaluated<Option<Value>> {
    match (of, key) {
        (Value::Array(array), _) => {
            let index = index(at, key, array.items().len())?;
            Ok(array.items().get(index).cloned())
        }
        (Value::Text(text), _) => {
            let index = index(at, key, text.len())?;
            Ok(text.as_bytes().get(index).map(|byte| Value::Int(i64::from(*byte))))
        }
        (Value::Map(map), Value::Text(name)) => Ok(map.entries().get(name).cloned()),
        (_, Value::Nil) => no_data(at, "there is nothing to look up"),
        (Value::Map(_), other) => failed(at, format!("the keys of a map are texts, and this is {}", other.kind())),
        (other, _) => failed(at, format!("{} has no elements", other.kind())),
    }
}
