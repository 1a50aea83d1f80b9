//! Schemas that a real server refuses, and its words.

use serde_json::{Value, json};

use super::check_structural;

fn complaints(schema: &Value) -> Vec<String> {
    check_structural(schema, "S").iter().map(ToString::to_string).collect()
}

#[test]
fn structural_schemas_are_fine() {
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {
            "a": {"type": "integer", "default": 1, "minimum": 0},
            "either": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "free": {"x-kubernetes-preserve-unknown-fields": true},
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"],
                     "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
        }, "oneOf": [{"required": ["a"]}, {"properties": {"a": {"maximum": 5}}}]}}});
    assert_eq!(complaints(&schema), Vec::<String>::new());
}

#[test]
fn each_flaw_is_named_with_its_place() {
    let in_field = |property: Value| json!({"type": "object", "properties": {"f": property}});
    let rows = [
        (json!({"properties": {}}), "S.type: Required value: must not be empty at the root"),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            "S.type: Invalid value: \"array\": must be object at the root",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "S.additionalProperties: Forbidden: must not be used at the root",
        ),
        (json!({"type": "object", "nullable": true}), "S.nullable: Forbidden: nullable cannot be true at the root"),
        (in_field(json!({})), "S.properties[f].type: Required value: must not be empty for specified object fields"),
        (
            in_field(json!({"type": "foo"})),
            "S.properties[f].type: Unsupported value: \"foo\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        ),
        (in_field(json!({"type": "array"})), "S.properties[f].items: Required value: must be specified"),
        (
            in_field(json!({"type": "array", "items": {}})),
            "S.properties[f].items.type: Required value: must not be empty for specified array items",
        ),
        (in_field(json!({"$ref": "#/x"})), "S.properties[f].$ref: Forbidden: $ref is not supported"),
        (
            in_field(json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true})),
            "S.properties[f].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            in_field(
                json!({"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            ),
            "S.properties[f].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            in_field(json!({"type": "string", "anyOf": [{"type": "string"}]})),
            "S.properties[f].anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            in_field(json!({"type": "object", "anyOf": [{"properties": {"z": {"minimum": 1}}}]})),
            "S.properties[f].properties[z]: Required value: because it is defined in S.properties[f].anyOf[0].properties[z]",
        ),
        (
            in_field(json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true})),
            "S.properties[f].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
        ),
        (
            in_field(json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "foo"})),
            "S.properties[f].x-kubernetes-list-type: Unsupported value: \"foo\": supported values: \"atomic\", \"set\", \"map\"",
        ),
        (
            in_field(json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"})),
            "S.properties[f].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            in_field(json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"})),
            "S.properties[f].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            in_field(json!({"type": "string", "x-kubernetes-map-type": "atomic"})),
            "S.properties[f].type: Invalid value: \"string\": must be object if x-kubernetes-map-type is specified",
        ),
        (
            in_field(json!({"type": "integer", "default": "x"})),
            "S.properties[f].default: Invalid value: \"string\":  in body must be of type integer: \"string\"",
        ),
        (
            in_field(json!({"type": "object", "properties": {"y": {"type": "string"}}, "default": {"z": 1}})),
            "S.properties[f].default: Invalid value: {\"z\":1}: must not have unknown fields",
        ),
        (
            in_field(json!({"type": "integer", "x-kubernetes-validations": [{"rule": " "}]})),
            "S.properties[f].x-kubernetes-validations[0].rule: Required value: rule is not specified",
        ),
        (
            in_field(json!({"type": "object", "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".x"}]})),
            "S.properties[f].x-kubernetes-validations[0].fieldPath: Invalid value: \".x\": must be a valid path",
        ),
    ];
    for (schema, expected) in rows {
        assert_eq!(complaints(&schema), [expected], "{schema}");
    }
}
