//! What appliers and updaters see of each other.

use serde_json::{Value, json};

use super::{ApplyError, Write, apply, ignore_new_times, manager_from_user_agent, update};
use crate::schema::{Schema, builtin_schema, parse};

const T0: &str = "2026-01-01T00:00:00Z";
const T1: &str = "2026-01-01T00:01:00Z";

fn deployment() -> &'static Schema {
    builtin_schema("apps/v1", "Deployment").expect("known")
}

fn by<'a>(manager: &'a str, now: &'a str) -> Write<'a> {
    Write { schema: Some(deployment()), manager, api_version: "apps/v1", subresource: "", reset: &["status"], now }
}

fn config(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "default"}, "spec": spec})
}

/// manager, operation, time and fields of every entry.
fn owners(object: &Value) -> Vec<(String, String, String, Value)> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    entries
        .into_iter()
        .flatten()
        .map(|e| (text(e, "manager"), text(e, "operation"), text(e, "time"), e["fieldsV1"].clone()))
        .collect()
}

fn entry(manager: &str, operation: &str, time: &str, fields: Value) -> (String, String, String, Value) {
    (manager.into(), operation.into(), time.into(), fields)
}

#[test]
fn an_applier_owns_what_it_applies() {
    let object = apply(None, &config(&json!({"replicas": 3})), false, &by("a", T0)).expect("applies");
    assert_eq!(object["spec"], json!({"replicas": 3}));
    assert_eq!(owners(&object), [entry("a", "Apply", T0, json!({"f:spec": {"f:replicas": {}}}))]);
}

#[test]
fn changing_somebody_elses_field_is_a_conflict_unless_forced() {
    let live = apply(None, &config(&json!({"replicas": 3, "paused": true})), false, &by("a", T0)).expect("applies");
    let theirs = config(&json!({"replicas": 5}));
    let Err(ApplyError::Conflict(conflicts)) = apply(Some(&live), &theirs, false, &by("b", T1)) else {
        panic!("a conflict");
    };
    assert_eq!(conflicts.message(), "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas");
    assert_eq!(
        conflicts.causes(),
        [json!({"reason": "FieldManagerConflict", "message": "conflict with \"a\"", "field": ".spec.replicas"})]
    );
    let forced = apply(Some(&live), &theirs, true, &by("b", T1)).expect("forced");
    assert_eq!(forced["spec"], json!({"replicas": 5, "paused": true}));
    assert_eq!(
        owners(&forced),
        [
            entry("a", "Apply", T0, json!({"f:spec": {"f:paused": {}}})),
            entry("b", "Apply", T1, json!({"f:spec": {"f:replicas": {}}})),
        ]
    );
}

#[test]
fn agreeing_appliers_share_a_field() {
    let live = apply(None, &config(&json!({"replicas": 3})), false, &by("a", T0)).expect("applies");
    let shared = apply(Some(&live), &config(&json!({"replicas": 3})), false, &by("b", T1)).expect("no conflict");
    // Nothing but ownership changed: the entry has no time.
    assert_eq!(
        owners(&shared),
        [
            entry("b", "Apply", "", json!({"f:spec": {"f:replicas": {}}})),
            entry("a", "Apply", T0, json!({"f:spec": {"f:replicas": {}}})),
        ]
    );
    let left = apply(Some(&shared), &config(&json!({})), false, &by("a", T1)).expect("gives it up");
    assert_eq!(left["spec"], json!({"replicas": 3}), "b still owns it");
}

#[test]
fn what_is_no_longer_applied_goes_away() {
    let first = config(&json!({"replicas": 3, "template": {"spec": {"containers": [
        {"name": "a", "image": "1", "ports": [{"containerPort": 80}]}, {"name": "b", "image": "2"}]}}}));
    let live = apply(None, &first, false, &by("a", T0)).expect("applies");
    let second = config(&json!({"template": {"spec": {"containers": [{"name": "a", "image": "1"}]}}}));
    let object = apply(Some(&live), &second, false, &by("a", T1)).expect("applies");
    assert_eq!(object["spec"], json!({"template": {"spec": {"containers": [{"name": "a", "image": "1"}]}}}));
    assert_eq!(
        owners(&object),
        [entry(
            "a",
            "Apply",
            T1,
            json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"a\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}})
        )]
    );
}

#[test]
fn list_items_of_several_appliers_stand_side_by_side() {
    let container = |name: &str| config(&json!({"template": {"spec": {"containers": [{"name": name}]}}}));
    let live = apply(None, &container("a"), false, &by("a", T0)).expect("applies");
    let object = apply(Some(&live), &container("b"), false, &by("b", T1)).expect("applies");
    assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "a"}, {"name": "b"}]));
    let reordered =
        config(&json!({"template": {"spec": {"containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}]}}}));
    let object = apply(Some(&object), &reordered, false, &by("a", T1)).expect("applies");
    assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "b"}, {"name": "c"}, {"name": "a"}]));
}

#[test]
fn an_update_takes_the_fields_that_it_changes() {
    let mut live = config(&json!({"replicas": 3, "paused": true}));
    update(None, &mut live, &by("create", T0));
    assert_eq!(owners(&live), [entry("create", "Update", T0, json!({"f:spec": {"f:paused": {}, "f:replicas": {}}}))]);
    live["metadata"]["uid"] = json!("1");
    let mut new = live.clone();
    new["spec"]["replicas"] = json!(5);
    update(Some(&live), &mut new, &by("scaler", T1));
    assert_eq!(
        owners(&new),
        [
            entry("create", "Update", T0, json!({"f:spec": {"f:paused": {}}})),
            entry("scaler", "Update", T1, json!({"f:spec": {"f:replicas": {}}})),
        ]
    );
    let Err(ApplyError::Conflict(conflicts)) =
        apply(Some(&new), &config(&json!({"replicas": 1, "paused": false})), false, &by("x", T1))
    else {
        panic!("conflicts");
    };
    assert_eq!(
        conflicts.message(),
        "Apply failed with 2 conflicts: conflicts with \"create\" using apps/v1:\n- .spec.paused\n\
         conflicts with \"scaler\" using apps/v1:\n- .spec.replicas"
    );
}

#[test]
fn subresources_have_managers_of_their_own() {
    let mut live = config(&json!({"replicas": 3}));
    update(None, &mut live, &by("a", T0));
    live["metadata"]["uid"] = json!("1");
    let mut new = live.clone();
    new["status"] = json!({"replicas": 3});
    let status = Write { subresource: "status", reset: &["spec"], ..by("a", T1) };
    update(Some(&live), &mut new, &status);
    let entries = new["metadata"]["managedFields"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["subresource"], "status");
    assert_eq!(entries[1]["fieldsV1"], json!({"f:status": {".": {}, "f:replicas": {}}}));
}

#[test]
fn managers_are_reset_by_an_empty_list_and_kept_by_silence() {
    let mut live = config(&json!({"replicas": 3}));
    update(None, &mut live, &by("a", T0));
    live["metadata"]["uid"] = json!("1");
    let mut silent = live.clone();
    silent["metadata"].as_object_mut().expect("map").remove("managedFields");
    update(Some(&live), &mut silent, &by("b", T1));
    assert_eq!(silent, live);
    for reset in [json!([]), json!([{}])] {
        let mut new = live.clone();
        new["metadata"]["managedFields"] = reset;
        update(Some(&live), &mut new, &by("b", T1));
        assert_eq!(owners(&new), []);
    }
}

#[test]
fn objects_without_owners_get_one_before_the_first_apply() {
    let mut live = config(&json!({"replicas": 3}));
    live["metadata"]["uid"] = json!("1");
    let object = apply(Some(&live), &config(&json!({"paused": true})), false, &by("a", T0)).expect("applies");
    assert_eq!(
        owners(&object),
        [
            entry("a", "Apply", T0, json!({"f:spec": {"f:paused": {}}})),
            entry("before-first-apply", "Update", T0, json!({"f:spec": {"f:replicas": {}}})),
        ]
    );
}

#[test]
fn kubectl_takes_over_what_it_applied_from_the_client() {
    let mut live = config(&json!({"replicas": 3}));
    live["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": config(&json!({"replicas": 3})).to_string()});
    update(None, &mut live, &by("kubectl-client-side-apply", T0));
    let other = apply(Some(&live), &config(&json!({"replicas": 4})), false, &by("other", T1));
    assert!(matches!(other, Err(ApplyError::Conflict(_))));
    let object = apply(Some(&live), &config(&json!({"replicas": 4})), false, &by("kubectl", T1)).expect("takes over");
    assert_eq!(object["spec"]["replicas"], 4);
    let annotation = object.pointer("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration");
    assert_eq!(annotation.and_then(Value::as_str), Some(format!("{}\n", config(&json!({"replicas": 4}))).as_str()));
}

#[test]
fn custom_resources_follow_their_own_schema() {
    let schema = parse(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "steps": {"type": "array", "items": {"type": "object", "properties": {"w": {"type": "integer"}}}},
        "hosts": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "match": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }}}}));
    let write =
        Write { schema: Some(&schema), manager: "a", api_version: "x.io/v1", subresource: "", reset: &[], now: T0 };
    let config = |spec: Value| json!({"apiVersion": "x.io/v1", "kind": "K", "metadata": {"name": "n", "labels": {"l": "v"}}, "spec": spec});
    let full = config(json!({"steps": [{"w": 1}], "hosts": ["x"], "match": {"k": "v"}, "free": {"a": {"b": [1]}}}));
    let object = apply(None, &full, false, &write).expect("applies");
    assert_eq!(
        owners(&object)[0].3,
        json!({"f:metadata": {"f:labels": {"f:l": {}}}, "f:spec": {
            "f:steps": {}, "f:hosts": {"v:\"x\"": {}}, "f:match": {}, "f:free": {"f:a": {".": {}, "f:b": {}}}}})
    );
    assert_eq!(
        apply(None, &config(json!({"wrong": 1, "hosts": "x"})), false, &write).map_err(|e| e.to_string()),
        Err("failed to create typed patch object (/n; x.io/v1, Kind=K): errors:\n  .spec.hosts: expected list, got &{x}\n  \
             .spec.wrong: field not declared in schema".into())
    );
}

#[test]
fn applying_the_same_twice_changes_nothing() {
    let config =
        config(&json!({"replicas": 3, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
        {"name": "a", "env": [{"name": "X", "value": "1"}], "args": ["a"]}]}}}));
    let once = apply(None, &config, false, &by("a", T0)).expect("applies");
    let twice = apply(Some(&once), &config, false, &by("a", T1)).expect("applies");
    assert_eq!(once, twice);
}

#[test]
fn new_times_alone_are_no_change() {
    let mut old = config(&json!({"replicas": 3}));
    update(None, &mut old, &by("a", T0));
    let mut new = old.clone();
    new["metadata"]["managedFields"][0]["time"] = json!(T1);
    ignore_new_times(&mut new, &old);
    assert_eq!(new, old);
}

#[test]
fn requests_without_a_manager_get_the_name_of_their_client() {
    assert_eq!(manager_from_user_agent("kubectl/v1.36.2 (linux/amd64) kubernetes/abc"), "kubectl");
    assert_eq!(manager_from_user_agent(""), "");
}
