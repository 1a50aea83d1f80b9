//! Fields that this cluster does not keep: with other CRDs installed, the API server drops what they don't name.
//!
//! Everything works without these fields; what must not happen is that they are written again and again.

use std::collections::BTreeSet;

use serde_json::Value;

/// The paths of fields that were written and did not stick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unkept {
    paths: BTreeSet<String>,
}

impl Unkept {
    /// Compares the operations of a JSON Patch with what the API server stored. Returns the paths that are new.
    pub(crate) fn learn(&mut self, operations: &[Value], stored: &Value) -> Vec<String> {
        let mut lost = Vec::new();
        for operation in operations {
            let (Some(path), true) = (operation["path"].as_str(), writes(operation)) else { continue };
            // Positions in a list say nothing about the schema.
            let into_list = path.split('/').skip(1).any(|part| part == "-" || part.bytes().all(|c| c.is_ascii_digit()));
            if !into_list {
                missing(path, &operation["value"], stored.pointer(path), &mut lost);
            }
        }
        lost.retain(|path| self.paths.insert(path.clone()));
        lost
    }

    /// Leaves out of a JSON Patch what would not stick. `None` where nothing but tests is left.
    pub(crate) fn without(&self, operations: &[Value]) -> Option<Vec<Value>> {
        let kept: Vec<Value> = operations.iter().filter_map(|operation| self.trimmed(operation)).collect();
        kept.iter().any(|operation| operation["op"] != "test").then_some(kept)
    }

    fn trimmed(&self, operation: &Value) -> Option<Value> {
        let (Some(path), true) = (operation["path"].as_str(), writes(operation)) else {
            return Some(operation.clone());
        };
        let mut operation = operation.clone();
        for unkept in &self.paths {
            if path == unkept || path.strip_prefix(unkept.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                return None;
            }
            if let Some(inside) = unkept.strip_prefix(path).filter(|inside| inside.starts_with('/')) {
                remove(&mut operation["value"], inside);
            }
        }
        Some(operation)
    }
}

fn writes(operation: &Value) -> bool {
    operation["op"] == "add" || operation["op"] == "replace"
}

/// Lists what of a value is not in its stored form, the uppermost field of each loss only.
fn missing(path: &str, written: &Value, stored: Option<&Value>, lost: &mut Vec<String>) {
    match (written, stored) {
        (Value::Null, _) => {}
        (_, None) => lost.push(path.to_owned()),
        (Value::Object(fields), Some(Value::Object(kept))) => {
            for (name, value) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                missing(&path, value, kept.get(name), lost);
            }
        }
        (_, Some(_)) => {}
    }
}

fn remove(value: &mut Value, path: &str) {
    let Some((parent, name)) = path.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Some(Value::Object(fields)) = value.pointer_mut(parent) {
        fields.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operations(value: &Value) -> Vec<Value> {
        value.as_array().cloned().expect("a list of operations")
    }

    #[test]
    fn a_field_that_was_dropped_is_not_written_again() {
        let patch = operations(&json!([
            {"op": "test", "path": "/metadata/uid", "value": "u"},
            {"op": "replace", "path": "/status/phase", "value": "Paused"},
            {"op": "add", "path": "/status/why", "value": "waits for a person"},
            {"op": "add", "path": "/status/canary", "value": {"weights": {"canary": {"weight": 5}}, "extra": 1}},
        ]));
        let stored = json!({"metadata": {"uid": "u"}, "status": {
            "phase": "Paused", "canary": {"weights": {"canary": {"weight": 5}}},
        }});
        let mut unkept = Unkept::default();
        assert_eq!(unkept.learn(&patch, &stored), ["/status/why", "/status/canary/extra"]);
        assert!(unkept.learn(&patch, &stored).is_empty(), "told once");
        let kept = unkept.without(&patch).expect("the rest is still written");
        assert_eq!(
            json!(kept),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "replace", "path": "/status/phase", "value": "Paused"},
                {"op": "add", "path": "/status/canary", "value": {"weights": {"canary": {"weight": 5}}}},
            ])
        );
        let only_why = operations(&json!([
            {"op": "test", "path": "/metadata/uid", "value": "u"},
            {"op": "add", "path": "/status/why", "value": "waits for 2 pods"},
        ]));
        assert_eq!(unkept.without(&only_why), None);
    }

    #[test]
    fn a_whole_status_loses_only_what_does_not_stick() {
        let patch =
            operations(&json!([{"op": "add", "path": "/status", "value": {"phase": "Healthy", "history": [1]}}]));
        let mut unkept = Unkept::default();
        assert_eq!(unkept.learn(&patch, &json!({"status": {"phase": "Healthy"}})), ["/status/history"]);
        assert_eq!(
            json!(unkept.without(&patch)),
            json!([{"op": "add", "path": "/status", "value": {"phase": "Healthy"}}])
        );
    }

    #[test]
    fn what_is_removed_changed_by_the_server_or_in_a_list_is_no_loss() {
        let patch = operations(&json!([
            {"op": "remove", "path": "/status/abort"},
            {"op": "add", "path": "/status/nothing", "value": null},
            {"op": "add", "path": "/status/time", "value": "2026-01-01T00:00:00.5Z"},
            {"op": "add", "path": "/status/conditions/-", "value": {"type": "Paused"}},
            {"op": "replace", "path": "/status/conditions/3/status", "value": "True"},
        ]));
        let stored = json!({"status": {"time": "2026-01-01T00:00:00Z", "conditions": []}});
        let mut unkept = Unkept::default();
        assert!(unkept.learn(&patch, &stored).is_empty());
        assert_eq!(unkept.without(&patch), Some(patch));
    }
}
