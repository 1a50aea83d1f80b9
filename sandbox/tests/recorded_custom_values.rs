//! Which values of custom resources a real API server (1.36) takes, what it makes of them, and its words where it
//! does not. Each value stands alone in a field with a schema of its own.

use serde_json::{Value, json};
use sluice_sandbox::schema::{Schema, decode, default, parse, prune_resource, validate_resource};

fn create(schema: &Schema, field: &str, value: &Value) -> Result<Value, Vec<String>> {
    let body = json!({"apiVersion": "x.io/v1", "kind": "Checked", "metadata": {"name": "a"}, "spec": {field: value}});
    let mut object = decode::json(body.to_string().as_bytes()).expect("JSON").value;
    prune_resource(schema, &mut object);
    default(schema, &mut object);
    let errors = validate_resource(schema, &object, None);
    if errors.is_empty() {
        return Ok(object["spec"].take());
    }
    let mut causes: Vec<String> = errors.iter().map(|error| error.cause().to_string()).collect();
    causes.sort();
    causes.dedup();
    Err(causes)
}

#[test]
fn values_are_judged_as_by_a_real_server() {
    let recorded: Value = serde_json::from_str(include_str!("data/custom_values.json")).expect("recorded answers");
    let schema = parse(&json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": recorded["properties"]}}}));
    let values = recorded["values"].as_array().expect("values");
    let mut differences = Vec::new();
    for record in values {
        let field = record["field"].as_str().unwrap_or_default();
        let ours = match create(&schema, field, &record["value"]) {
            Ok(spec) => spec,
            Err(causes) => json!(causes),
        };
        let theirs = match record.get("spec") {
            Some(spec) => spec.clone(),
            None => {
                let causes = record["causes"].as_array().into_iter().flatten();
                let mut causes: Vec<String> = causes.map(ToString::to_string).collect();
                causes.sort();
                causes.dedup();
                json!(causes)
            }
        };
        if ours != theirs {
            let schema = &recorded["properties"][field];
            differences.push(format!("{schema} {}\n  ours:   {ours}\n  theirs: {theirs}", record["value"]));
        }
    }
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), values.len(), differences.join("\n"));
}
