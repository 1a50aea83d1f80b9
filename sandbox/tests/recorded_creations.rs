//! What a real API server (1.36) answered to creations of built-in kinds, and what the pure functions make of them.
//! The requests and answers were recorded once, by dry runs, with field validation off.

use serde_json::{Value, json};
use sluice_sandbox::schema::builtin_defaults::{admit_pod, default_builtin, generate_selector, pod_status};
use sluice_sandbox::schema::builtin_validation::{is_namespaced, validate_builtin};
use sluice_sandbox::schema::{builtin_schema, check_types, prune};

/// The object that a create makes, or the complaints about it.
fn create(record: &Value) -> Result<Value, Vec<String>> {
    let text = |field: &str| record[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let schema = builtin_schema(api_version, kind).expect("a known kind");
    let mut object = record["body"].clone();
    check_types(schema, &object).map_err(|why| {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        vec![format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}")]
    })?;
    prune(schema, &mut object);
    default_builtin(api_version, kind, &mut object);
    if is_namespaced(kind) {
        object["metadata"]["namespace"] = json!("default");
    }
    match kind {
        "Pod" => {
            admit_pod(&mut object, "kube-api-access-00000");
            object["status"] = pod_status(&object);
        }
        "Job" => {
            object["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
            generate_selector(&mut object);
        }
        _ => {}
    }
    let errors = validate_builtin(api_version, kind, &object, None);
    if errors.is_empty() {
        Ok(object)
    } else {
        let mut causes: Vec<String> = errors.iter().map(|error| error.cause().to_string()).collect();
        causes.sort();
        causes.dedup();
        Err(causes)
    }
}

/// What the server makes up for each object, and what only its store decides.
fn normalized(kind: &str, mut object: Value) -> Value {
    for field in ["uid", "generation"] {
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove(field);
        }
    }
    let drop = |object: &mut Value, pointer: &str, fields: &[&str]| {
        if let Some(map) = object.pointer_mut(pointer).and_then(Value::as_object_mut) {
            map.retain(|name, _| !fields.contains(&name.as_str()));
        }
    };
    match kind {
        "Service" => drop(&mut object, "/spec", &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]),
        "Namespace" => drop(&mut object, "/spec", &["finalizers"]),
        "Node" => drop(&mut object, "/spec", &["taints"]),
        _ => {}
    }
    object
}

/// Names and uids that the server drew at random.
fn without_chance(text: &str) -> String {
    let mut out = text.to_owned();
    for (marker, length, replacement) in [("kube-api-access-", 5, "00000")] {
        let mut from = 0;
        while let Some(at) = out[from..].find(marker) {
            let start = from + at + marker.len();
            out.replace_range(start..start + length, replacement);
            from = start;
        }
    }
    let uid_at = |text: &str| {
        text.char_indices().map(|(at, _)| at).find(|at| {
            text.get(*at..at + 36).is_some_and(|word| {
                word.bytes().enumerate().all(|(i, b)| match i {
                    8 | 13 | 18 | 23 => b == b'-',
                    _ => b.is_ascii_hexdigit(),
                }) && !word.starts_with("00000000-")
            })
        })
    };
    while let Some(at) = uid_at(&out) {
        out.replace_range(at..at + 36, "00000000-0000-0000-0000-000000000000");
    }
    out
}

#[test]
fn objects_are_completed_and_refused_as_by_a_real_server() {
    let records: Vec<Value> = serde_json::from_str(include_str!("data/creations.json")).expect("recorded answers");
    let mut differences = Vec::new();
    for (i, record) in records.iter().enumerate() {
        let kind = record["kind"].as_str().unwrap_or_default();
        let expected: Value = serde_json::from_str(&without_chance(&record.to_string())).expect("still JSON");
        let outcome = create(record);
        let (found, wanted) = match (&outcome, expected.get("object")) {
            (Ok(object), Some(wanted)) => (normalized(kind, object.clone()), normalized(kind, wanted.clone())),
            (Err(causes), None) if expected["code"] == 400 => (json!(causes), json!([expected["message"]])),
            (Err(causes), None) => {
                let mut wanted: Vec<String> =
                    expected["causes"].as_array().into_iter().flatten().map(ToString::to_string).collect();
                wanted.sort();
                wanted.dedup();
                (json!(causes), json!(wanted))
            }
            (outcome, _) => (json!(format!("{outcome:?}")), expected.clone()),
        };
        if found != wanted {
            differences.push(format!("#{i} {kind} {}\n  ours:   {found}\n  theirs: {wanted}", record["body"]));
        }
    }
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), records.len(), differences.join("\n"));
}
