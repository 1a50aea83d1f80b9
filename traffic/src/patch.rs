//! JSON Patches that fail as a whole where the object is not the one that was seen.

use std::fmt::{Display, Write};

use serde_json::{Map, Value};

use crate::edit::Operation;

/// A patch in the making: what was read is tested first, what is changed comes behind.
pub(crate) struct Patch {
    tests: Vec<Operation>,
    changes: Vec<Operation>,
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
        self.tests.push(Operation::Test(text(path), value));
    }

    /// Sets a member, whether or not it is there; into a list it inserts.
    pub(crate) fn set(&mut self, path: impl Display, value: impl Into<Value>) {
        self.changes.push(Operation::Add(text(path), value.into()));
    }

    /// Replaces what is there, also an item of a list.
    pub(crate) fn replace(&mut self, path: impl Display, value: impl Into<Value>) {
        self.changes.push(Operation::Replace(text(path), value.into()));
    }

    /// Removes a member that is there.
    pub(crate) fn remove(&mut self, path: impl Display) {
        self.changes.push(Operation::Remove(text(path)));
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
        } else if !self
            .tests
            .iter()
            .any(|test| matches!(test, Operation::Test(path, _) if path == "/metadata/annotations"))
        {
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
    pub(crate) fn operations(mut self) -> Vec<Operation> {
        self.tests.append(&mut self.changes);
        self.tests
    }
}

/// A path, in one piece of memory: a route of many rules has hundreds of them.
fn text(path: impl Display) -> String {
    const USUAL: usize = 48;
    let mut text = String::with_capacity(USUAL);
    // A String takes whatever is written to it.
    let _ = write!(text, "{path}");
    text
}

/// A key as one part of a JSON Pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
