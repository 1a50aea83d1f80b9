//! What a verb writes: a JSON Patch that tests what the decision was read from, so that a stale terminal moves nothing.

use serde_json::{Value, json};

/// Which part of an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything but the status.
    Spec,
    Status,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) part: Part,
    operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq)]
enum Operation {
    Test(String, Value),
    Set(String, Value),
    Remove(String),
}

/// What comes of a verb.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// These writes, in this order; then it is `done`.
    Write { changes: Vec<Change>, done: String, note: Option<String> },
    /// All is as it was asked for, and why.
    Nothing(String),
    /// It can't be done, and what can.
    Refuse(String),
}

impl Decision {
    pub(crate) fn write(changes: Vec<Change>, done: impl Into<String>) -> Self {
        Self::Write { changes, done: done.into(), note: None }
    }

    /// What is to be written; nothing where nothing is to be done.
    pub(crate) fn changes(self) -> Vec<Change> {
        match self {
            Self::Write { changes, .. } => changes,
            Self::Nothing(_) | Self::Refuse(_) => Vec::new(),
        }
    }
}

impl Change {
    pub(crate) fn of(part: Part) -> Self {
        Self { part, operations: Vec::new() }
    }

    /// The write is refused unless this is there; `Value::Null` means nothing is.
    pub(crate) fn test(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.operations.push(Operation::Test(path.to_owned(), value.into()));
        self
    }

    pub(crate) fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.operations.push(Operation::Set(path.to_owned(), value.into()));
        self
    }

    pub(crate) fn remove(mut self, path: &str) -> Self {
        self.operations.push(Operation::Remove(path.to_owned()));
        self
    }

    /// As it is sent.
    pub(crate) fn operations(&self) -> Value {
        let operation = |operation: &Operation| match operation {
            Operation::Test(path, value) => json!({"op": "test", "path": path, "value": value}),
            Operation::Set(path, value) => json!({"op": "add", "path": path, "value": value}),
            Operation::Remove(path) => json!({"op": "remove", "path": path}),
        };
        self.operations.iter().map(operation).collect()
    }

    /// What an object would be afterwards, for a dry run that asks nobody.
    pub(crate) fn apply(&self, object: &mut Value) {
        for operation in &self.operations {
            let (Operation::Set(path, _) | Operation::Remove(path)) = operation else { continue };
            let Some((parent, key)) = path.rsplit_once('/') else { continue };
            let Some(parent) = object.pointer_mut(parent) else { continue };
            match (operation, parent) {
                (Operation::Set(_, value), Value::Array(items)) => {
                    if let Some(item) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                        *item = value.clone();
                    }
                }
                (Operation::Set(_, value), Value::Object(map)) => {
                    map.insert(key.to_owned(), value.clone());
                }
                (_, Value::Object(map)) => {
                    map.remove(key);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_shows_what_the_api_server_would_store() {
        let mut object = json!({"spec": {"containers": [{"image": "a"}]}, "status": {"pause": [1]}});
        let change = Change::of(Part::Status)
            .test("/status/step", 1)
            .set("/status/abort", true)
            .remove("/status/pause")
            .set("/spec/containers/0/image", "b");
        change.apply(&mut object);
        assert_eq!(object, json!({"spec": {"containers": [{"image": "b"}]}, "status": {"abort": true}}));
    }
}
