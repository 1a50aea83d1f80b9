//! JSON Patches that fail as a whole where the object is not the one that was seen.

use std::fmt::Display;

use serde_json::{Map, Value};

/// A patch in the making: what was read is tested first, what is changed comes behind.
pub(crate) struct Patch {
    tests: Vec<Value>,
    changes: Vec<Value>,
}

impl Patch {
    /// A patch of this object and of no other.
    pub(crate) fn of(object: &Value) -> Self {
        let mut patch = Self { tests: Vec::new(), changes: Vec::new() };
        patch.read("/metadata/uid", object["metadata"]["uid"].clone());
        patch
    }

    /// The decision was made from this value (`null`: from its absence).
    pub(crate) fn read(&mut self, path: impl Display, value: Value) {
        self.tests.push(operation("test", path.to_string(), Some(value)));
    }

    /// Sets a member, whether or not it is there; into a list it inserts.
    pub(crate) fn set(&mut self, path: impl Display, value: impl Into<Value>) {
        self.changes.push(operation("add", path.to_string(), Some(value.into())));
    }

    /// Replaces what is there, also an item of a list.
    pub(crate) fn replace(&mut self, path: impl Display, value: impl Into<Value>) {
        self.changes.push(operation("replace", path.to_string(), Some(value.into())));
    }

    /// Removes a member that is there.
    pub(crate) fn remove(&mut self, path: impl Display) {
        self.changes.push(operation("remove", path.to_string(), None));
    }

    /// Sets or removes (`None`) one annotation of an object.
    pub(crate) fn annotate(&mut self, object: &Value, key: &str, wanted: Option<&str>) {
        let there = &object["metadata"]["annotations"];
        let seen = there[key].as_str();
        if seen == wanted {
            return;
        }
        let path = format!("/metadata/annotations/{}", escaped(key));
        if there.is_object() {
            self.read(&path, there[key].clone());
        } else if !self.tests.iter().any(|test| test["path"] == "/metadata/annotations") {
            self.read("/metadata/annotations", there.clone());
            self.set("/metadata/annotations", Map::new());
        }
        match wanted {
            Some(value) => self.set(&path, value),
            None => self.remove(&path),
        }
    }

    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// All operations, the tests first.
    pub(crate) fn operations(mut self) -> Vec<Value> {
        self.tests.append(&mut self.changes);
        self.tests
    }
}

fn operation(op: &str, path: String, value: Option<Value>) -> Value {
    let mut fields = Map::new();
    fields.insert("op".to_owned(), Value::from(op));
    fields.insert("path".to_owned(), Value::from(path));
    if let Some(value) = value {
        fields.insert("value".to_owned(), value);
    }
    Value::Object(fields)
}

/// A key as one part of a JSON Pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
