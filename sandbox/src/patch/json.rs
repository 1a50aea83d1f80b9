//! JSON patch (RFC 6902), with the leniencies and the wording of the real server.

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::decode;

/// More operations than this in one patch are refused.
pub const MAX_OPERATIONS: usize = 10_000;
/// `copy` may not blow an object up by more than this.
const MAX_COPIED_BYTES: usize = 3 << 20;

/// One step of a patch; fields stay as sent, since each is complained about only when its turn comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation(Map<String, Value>);

/// Reads a patch; beside it the strict complaints about repeated or unknown fields.
pub fn decode(body: &[u8]) -> Result<(Vec<Operation>, Vec<String>), PatchError> {
    let refuse = |why: &str| PatchError::BadRequest(format!("error decoding patch: {why}"));
    let decoded = decode::json(body).map_err(|error| refuse(&error))?;
    let mut strict: Vec<String> = decoded.duplicates.iter().map(|found| format!("json patch {found}")).collect();
    let Value::Array(items) = decoded.value else {
        let found = kind_of(&decoded.value);
        return Err(refuse(&format!("json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp")));
    };
    let mut operations = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let Value::Object(fields) = item else {
            let found = kind_of(&item);
            return Err(refuse(&format!("json: cannot unmarshal {found} into Go value of type handlers.jsonPatchOp")));
        };
        for name in fields.keys().filter(|name| !["op", "path", "from", "value"].contains(&name.as_str())) {
            strict.push(format!("json patch unknown field \"[{i}].{name}\""));
        }
        operations.push(Operation(fields));
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    Ok((operations, strict))
}

/// Applies all operations in order, or none.
pub fn apply(document: &Value, operations: &[Operation]) -> Result<Value, PatchError> {
    let mut result = document.clone();
    let mut copied = 0;
    for operation in operations {
        operation.apply(&mut result, &mut copied).map_err(PatchError::Unprocessable)?;
    }
    Ok(result)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    }
}

const MISSING: &str = "missing value";
const BAD_INDEX: &str = "invalid index referenced";

impl Operation {
    fn text(&self, field: &str) -> Result<&str, String> {
        self.0.get(field).and_then(Value::as_str).ok_or_else(|| format!("operation missing {field} field: {MISSING}"))
    }

    fn value(&self) -> Value {
        self.0.get("value").cloned().unwrap_or(Value::Null)
    }

    fn apply(&self, document: &mut Value, copied: &mut usize) -> Result<(), String> {
        let operation = self.0.get("op").and_then(Value::as_str).unwrap_or("unknown");
        match operation {
            "add" => self.add(document),
            "remove" => self.remove(document),
            "replace" => self.replace(document),
            "move" => self.relocate(document),
            "test" => self.test(document),
            "copy" => self.copy(document, copied),
            other => Err(format!("Unexpected kind: {other}")),
        }
    }

    fn add(&self, document: &mut Value) -> Result<(), String> {
        let path = self.text("path").map_err(|_| format!("add operation failed to decode path: {MISSING}"))?;
        let (parent, key) = parent_of(document, path)
            .ok_or_else(|| format!("add operation does not apply: doc is missing path: \"{path}\": {MISSING}"))?;
        insert(parent, &key, self.value()).map_err(|error| format!("error in add for path: '{path}': {error}"))
    }

    fn remove(&self, document: &mut Value) -> Result<(), String> {
        let path = self.text("path").map_err(|_| format!("remove operation failed to decode path: {MISSING}"))?;
        let (parent, key) = parent_of(document, path)
            .ok_or_else(|| format!("remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"))?;
        take(parent, &key).map(|_| ()).map_err(|error| format!("error in remove for path: '{path}': {error}"))
    }

    fn replace(&self, document: &mut Value) -> Result<(), String> {
        let path = self.text("path").map_err(|error| format!("replace operation failed to decode path: {error}"))?;
        if path.is_empty() {
            *document = self.value();
            return Ok(());
        }
        let (parent, key) = parent_of(document, path)
            .ok_or_else(|| format!("replace operation does not apply: doc is missing path: {path}: {MISSING}"))?;
        // A missing key of an object is not an error: it is added.
        let place = match parent {
            Value::Object(map) => map.entry(key).or_insert(Value::Null),
            Value::Array(items) => position(&key, items.len())
                .ok()
                .and_then(|at| items.get_mut(at))
                .ok_or_else(|| format!("replace operation does not apply: doc is missing key: {path}: {MISSING}"))?,
            _ => return Err(format!("replace operation does not apply: doc is missing path: {path}: {MISSING}")),
        };
        *place = self.value();
        Ok(())
    }

    fn relocate(&self, document: &mut Value) -> Result<(), String> {
        let from = self.text("from").map_err(|error| format!("move operation failed to decode from: {error}"))?;
        let (parent, key) = parent_of(document, from)
            .ok_or_else(|| format!("move operation does not apply: doc is missing from path: {from}: {MISSING}"))?;
        let value = take(parent, &key).map_err(|error| format!("error in move for path: '{key}': {error}"))?;
        let path = self.text("path").map_err(|error| format!("move operation failed to decode path: {error}"))?;
        let (parent, key) = parent_of(document, path).ok_or_else(|| {
            format!("move operation does not apply: doc is missing destination path: {path}: {MISSING}")
        })?;
        insert(parent, &key, value).map_err(|error| format!("error in move for path: '{path}': {error}"))
    }

    fn test(&self, document: &mut Value) -> Result<(), String> {
        let path = self.text("path").map_err(|error| format!("test operation failed to decode path: {error}"))?;
        let expected = self.value();
        let failed = || format!("testing value {path} failed: test failed");
        if path.is_empty() {
            return if *document == expected { Ok(()) } else { Err(failed()) };
        }
        let (parent, key) = parent_of(document, path)
            .ok_or_else(|| format!("test operation does not apply: is missing path: {path}: {MISSING}"))?;
        let found = read(parent, &key).map_err(|error| format!("error in test for path: '{path}': {error}"))?;
        if found == expected { Ok(()) } else { Err(failed()) }
    }

    fn copy(&self, document: &mut Value, copied: &mut usize) -> Result<(), String> {
        let from = self.text("from").map_err(|error| format!("copy operation failed to decode from: {error}"))?;
        let (parent, key) = parent_of(document, from)
            .ok_or_else(|| format!("copy operation does not apply: doc is missing from path: {from}: {MISSING}"))?;
        let value = read(parent, &key).map_err(|error| format!("error in copy for from: '{from}': {error}"))?;
        let path = self.text("path").map_err(|_| format!("copy operation failed to decode path: {MISSING}"))?;
        *copied += value.to_string().len();
        if *copied > MAX_COPIED_BYTES {
            return Err(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit \
                 {MAX_COPIED_BYTES}"
            ));
        }
        let (parent, key) = parent_of(document, path).ok_or_else(|| {
            format!("copy operation does not apply: doc is missing destination path: {path}: {MISSING}")
        })?;
        insert(parent, &key, value).map_err(|error| format!("error while adding value during copy: {error}"))
    }
}

/// The container that a pointer's last step lies in, and that step.
fn parent_of<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut steps: Vec<&str> = path.split('/').skip(1).collect();
    let key = decode_step(steps.pop()?);
    let mut place = document;
    for step in steps {
        let step = decode_step(step);
        place = match place {
            Value::Object(map) => map.get_mut(&step)?,
            Value::Array(items) => {
                let at = position(&step, items.len()).ok()?;
                items.get_mut(at)?
            }
            _ => return None,
        };
    }
    matches!(place, Value::Object(_) | Value::Array(_)).then_some((place, key))
}

fn decode_step(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// An index into `length` items; negative ones count from the end.
fn position(text: &str, length: usize) -> Result<usize, String> {
    let index: i64 = text.parse().map_err(|_| format!("strconv.Atoi: parsing \"{text}\": invalid syntax"))?;
    let bad = || format!("Unable to access invalid index: {index}: {BAD_INDEX}");
    match usize::try_from(index) {
        Ok(at) => Ok(at),
        Err(_) => usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back)).ok_or_else(bad),
    }
}

fn read(parent: &Value, key: &str) -> Result<Value, String> {
    match parent {
        Value::Object(map) => Ok(map.get(key).cloned().unwrap_or(Value::Null)),
        Value::Array(items) => {
            let at = position(key, items.len())?;
            items.get(at).cloned().ok_or_else(|| format!("Unable to access invalid index: {at}: {BAD_INDEX}"))
        }
        _ => Ok(Value::Null),
    }
}

fn insert(parent: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match parent {
        Value::Object(map) => {
            map.insert(key.to_owned(), value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let at = position(key, items.len() + 1).map_err(|error| {
                if error.starts_with("strconv") {
                    format!("value was not a proper array index: '{key}': {error}")
                } else {
                    error
                }
            })?;
            if at > items.len() {
                return Err(format!("Unable to access invalid index: {at}: {BAD_INDEX}"));
            }
            items.insert(at, value);
        }
        _ => {}
    }
    Ok(())
}

fn take(parent: &mut Value, key: &str) -> Result<Value, String> {
    match parent {
        Value::Object(map) => {
            map.remove(key).ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}"))
        }
        Value::Array(items) => {
            let at = position(key, items.len())?;
            if at >= items.len() {
                return Err(format!("Unable to access invalid index: {at}: {BAD_INDEX}"));
            }
            Ok(items.remove(at))
        }
        _ => Ok(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(document: &Value, patch: &Value) -> Result<Value, String> {
        let (operations, _) = decode(patch.to_string().as_bytes()).map_err(|e| e.to_string())?;
        apply(document, &operations).map_err(|e| e.to_string())
    }

    #[test]
    fn every_operation_does_what_it_says() {
        let rows = [
            (json!([{"op": "add", "path": "/b", "value": 2}]), json!({"a": [1, 2], "b": 2})),
            (json!([{"op": "add", "path": "/a/0", "value": 0}]), json!({"a": [0, 1, 2]})),
            (json!([{"op": "add", "path": "/a/-", "value": 3}]), json!({"a": [1, 2, 3]})),
            (json!([{"op": "remove", "path": "/a/-1"}]), json!({"a": [1]})),
            (json!([{"op": "replace", "path": "/a/1", "value": 9}]), json!({"a": [1, 9]})),
            (json!([{"op": "replace", "path": "/new", "value": 9}]), json!({"a": [1, 2], "new": 9})),
            (json!([{"op": "move", "from": "/a", "path": "/b"}]), json!({"b": [1, 2]})),
            (json!([{"op": "copy", "from": "/a/0", "path": "/b"}]), json!({"a": [1, 2], "b": 1})),
            (json!([{"op": "test", "path": "/a/0", "value": 1}]), json!({"a": [1, 2]})),
            (json!([{"op": "add", "path": "/x~1y~0z", "value": 1}]), json!({"a": [1, 2], "x/y~z": 1})),
            (json!([{"op": "replace", "path": "", "value": {"n": 1}}]), json!({"n": 1})),
        ];
        for (patch, expected) in rows {
            assert_eq!(patched(&json!({"a": [1, 2]}), &patch), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn what_does_not_apply_is_worded_as_on_a_real_server() {
        let rows = [
            (
                json!([{"op": "remove", "path": "/b"}]),
                "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
            ),
            (
                json!([{"op": "remove", "path": "/a/5"}]),
                "error in remove for path: '/a/5': Unable to access invalid index: 5: invalid index referenced",
            ),
            (
                json!([{"op": "add", "path": "/x/y", "value": 1}]),
                "add operation does not apply: doc is missing path: \"/x/y\": missing value",
            ),
            (
                json!([{"op": "add", "path": "/a/x", "value": 1}]),
                "error in add for path: '/a/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            (
                json!([{"op": "replace", "path": "/a/7", "value": 1}]),
                "replace operation does not apply: doc is missing key: /a/7: missing value",
            ),
            (json!([{"op": "test", "path": "/a/0", "value": 2}]), "testing value /a/0 failed: test failed"),
            (
                json!([{"op": "move", "from": "/q", "path": "/b"}]),
                "error in move for path: 'q': Unable to remove nonexistent key: q: missing value",
            ),
            (json!([{"op": "jump", "path": "/a"}]), "Unexpected kind: jump"),
            (json!([{"op": "remove"}]), "remove operation failed to decode path: missing value"),
            (
                json!({}),
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            ),
        ];
        for (patch, expected) in rows {
            assert_eq!(patched(&json!({"a": [1, 2]}), &patch), Err(expected.into()), "{patch}");
        }
    }

    #[test]
    fn strict_validation_names_what_a_step_does_not_have() {
        let (_, strict) = decode(br#"[{"op":"test","op":"add","path":"/a","value":1,"extra":2}]"#).expect("readable");
        assert_eq!(strict, ["json patch duplicate field \"[0].op\"", "json patch unknown field \"[0].extra\""]);
    }
}
