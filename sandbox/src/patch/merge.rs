//! JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::decode;

/// Reads a merge patch; beside it the strict complaints about repeated fields.
pub fn decode(body: &[u8]) -> Result<(Value, Vec<String>), PatchError> {
    let refuse = |why: &str| PatchError::BadRequest(format!("error decoding patch: {why}"));
    let decoded = decode::json(body).map_err(|error| refuse(&error))?;
    let found = match &decoded.value {
        Value::Object(_) | Value::Null => return Ok((decoded.value, decoded.duplicates)),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
    };
    Err(refuse(&format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")))
}

/// Lays `patch` over `target`: nulls delete, objects merge, everything else replaces.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            map.remove(name);
        } else {
            apply(map.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_delete_objects_merge_and_the_rest_replaces() {
        let rows = [
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (json!({"a": {"x": 1}}), json!({"a": {"y": 2}}), json!({"a": {"x": 1, "y": 2}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": "s"}), json!({"a": {"b": {"c": null, "d": 1}}}), json!({"a": {"b": {"d": 1}}})),
            (json!({}), json!({"a": {"b": null}}), json!({"a": {}})),
        ];
        for (mut target, patch, expected) in rows {
            apply(&mut target, &patch);
            assert_eq!(target, expected, "{patch}");
        }
    }

    #[test]
    fn only_objects_are_merge_patches() {
        assert_eq!(
            decode(b"[]"),
            Err(PatchError::BadRequest(
                "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
                    .into()
            ))
        );
        assert_eq!(
            decode(b"{"),
            Err(PatchError::BadRequest("error decoding patch: unexpected end of JSON input".into()))
        );
        assert_eq!(decode(br#"{"a":1,"a":2}"#), Ok((json!({"a": 2}), vec!["duplicate field \"a\"".into()])));
    }
}
