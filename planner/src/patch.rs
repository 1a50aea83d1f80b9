//! JSON Patches that fail as a whole where the object is not the one that the plan saw.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::packed_map::PackedMap;

/// A patch in the making: what was read is tested first, what is changed comes behind.
pub(crate) struct Patch {
    tests: Vec<Value>,
    changes: Vec<Value>,
}

impl Patch {
    /// A patch of the object with this uid and of no other.
    pub(crate) fn of(uid: &str) -> Self {
        Self { tests: vec![json!({"op": "test", "path": "/metadata/uid", "value": uid})], changes: Vec::new() }
    }

    /// The decision was made from this value (`null`: from its absence).
    pub(crate) fn read(mut self, path: &str, value: impl Into<Value>) -> Self {
        if !sabotaged!(HasNoPreconditions) {
            self.tests.push(json!({"op": "test", "path": path, "value": value.into()}));
        }
        self
    }

    /// Sets a member, whether or not it is there.
    pub(crate) fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.changes.push(json!({"op": "add", "path": path, "value": value.into()}));
        self
    }

    /// Removes a member that is there.
    pub(crate) fn remove(mut self, path: &str) -> Self {
        self.changes.push(json!({"op": "remove", "path": path}));
        self
    }

    /// Sets annotations, seen as `there` (`None`: no map at all), and nothing else of the map.
    pub(crate) fn annotate(mut self, there: Option<&PackedMap>, wanted: &BTreeMap<String, String>) -> Self {
        if wanted.is_empty() {
            return self;
        }
        let Some(there) = there else {
            return self.read("/metadata/annotations", Value::Null).set("/metadata/annotations", json!(wanted));
        };
        for (key, value) in wanted {
            let path = format!("/metadata/annotations/{}", escaped(key));
            self = self.read(&path, json!(there.get(key))).set(&path, value.as_str());
        }
        self
    }

    /// Removes an annotation that was seen.
    pub(crate) fn unannotate(self, key: &str, there: &str) -> Self {
        let path = format!("/metadata/annotations/{}", escaped(key));
        self.read(&path, there).remove(&path)
    }

    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// All operations, the tests first.
    pub(crate) fn operations(mut self) -> Vec<Value> {
        if sabotaged!(NamesNoObject) {
            self.tests.remove(0);
        }
        self.tests.append(&mut self.changes);
        self.tests
    }
}

/// A key as one part of a JSON Pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
