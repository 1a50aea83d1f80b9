//! Reading a map field by field, so that all mistakes of a file are told at once, each with its path.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A map, and what was wrong with it so far.
pub(crate) struct Fields<'a> {
    path: String,
    map: Map<String, Value>,
    known: BTreeSet<&'static str>,
    mistakes: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    /// Nothing, where the value is no map; that is noted.
    pub(crate) fn of(path: &str, value: Value, mistakes: &'a mut Vec<String>) -> Option<Self> {
        if let Value::Object(map) = value {
            return Some(Self { path: path.to_owned(), map, known: BTreeSet::new(), mistakes });
        }
        mistakes.push(format!("{path}: {value} is not a map"));
        None
    }

    /// The field, if it is there and can be read.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        self.known.insert(name);
        let value = self.map.remove(name)?;
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            Err(problem) => {
                self.mistakes.push(format!("{}{name}: {problem}", self.path));
                None
            }
        }
    }

    /// The field, which must be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        if !self.map.contains_key(name) {
            self.mistakes.push(format!("{}{name}: is missing", self.path));
        }
        self.optional(name)
    }

    /// Where to note what is wrong with a field that could be read.
    pub(crate) fn mistakes(&mut self) -> &mut Vec<String> {
        self.mistakes
    }

    /// Whatever was not asked for is a mistake too.
    pub(crate) fn end(self) {
        let known: Vec<&str> = self.known.iter().copied().collect();
        for name in self.map.keys() {
            self.mistakes.push(format!("{}{name}: no such field; write one of {}", self.path, known.join(", ")));
        }
    }
}
