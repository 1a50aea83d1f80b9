//! What a real API server (1.36) made of applies, patches and creations by several managers: objects, managedFields
//! and conflicts. Each step was recorded with the object as it was before, so each is replayed on its own.

use serde_json::{Value, json};
use sluice_sandbox::apply::{ApplyError, Write, apply, ignore_new_times, update};
use sluice_sandbox::patch::{json as json_patch, merge, strategic};
use sluice_sandbox::schema::builtin_defaults::default_builtin;
use sluice_sandbox::schema::{Schema, builtin_schema, default, parse, prune_resource, validate_resource};

/// All that a client learns of a JSON patch that does not apply.
const REJECTED: &str = "the server rejected our request due to an error in our request";

struct Step<'a> {
    record: &'a Value,
    widget: &'a Schema,
}

impl Step<'_> {
    fn text(&self, field: &str) -> &str {
        self.record[field].as_str().unwrap_or_default()
    }

    fn is_custom(&self) -> bool {
        self.text("kind") == "Widget"
    }

    fn schema(&self) -> &Schema {
        if self.is_custom() {
            return self.widget;
        }
        builtin_schema(self.text("apiVersion"), self.text("kind")).expect("a known kind")
    }

    fn write(&self) -> Write<'_> {
        let reset: &[&str] = match (self.text("kind"), self.text("subresource")) {
            ("ConfigMap" | "Role", _) => &[],
            (_, "status") => &["spec", "metadata"],
            _ => &["status"],
        };
        Write {
            schema: Some(self.schema()),
            manager: self.text("manager"),
            api_version: self.text("apiVersion"),
            subresource: self.text("subresource"),
            reset,
            now: "now",
        }
    }

    /// What the server does to every object before it stores it.
    fn completed(&self, mut object: Value) -> Value {
        if self.is_custom() {
            prune_resource(self.widget, &mut object);
            default(self.widget, &mut object);
        } else {
            default_builtin(self.text("apiVersion"), self.text("kind"), &mut object);
        }
        object
    }

    fn run(&self) -> Result<Value, String> {
        let live = Some(&self.record["live"]).filter(|live| !live.is_null());
        let body = &self.record["body"];
        let force = self.record["force"] == true;
        let object = match self.text("operation") {
            "apply" => {
                let applied = apply(live, body, force, &self.write()).map_err(|error| match error {
                    ApplyError::Conflict(conflicts) => json!([conflicts.message(), conflicts.causes()]).to_string(),
                    other => other.to_string(),
                })?;
                self.completed(applied)
            }
            operation => {
                let before = live.cloned().unwrap_or_default();
                let changed = match operation {
                    "create" => body.clone(),
                    "merge" => {
                        let mut object = before;
                        merge::apply(&mut object, body);
                        object
                    }
                    "strategic" => strategic::apply(self.schema(), before, body).map_err(|e| e.to_string())?,
                    _ => {
                        let (operations, _) =
                            json_patch::decode(body.to_string().as_bytes()).map_err(|e| e.to_string())?;
                        json_patch::apply(&before, &operations).map_err(|_| REJECTED.to_owned())?
                    }
                };
                let mut object = self.completed(changed);
                update(live, &mut object, &self.write());
                object
            }
        };
        let mut object = object;
        if self.text("subresource").is_empty() && self.is_custom() {
            // The main endpoint leaves the status alone.
            match live.and_then(|live| live.get("status")) {
                Some(status) => object["status"] = status.clone(),
                None => object.as_object_mut().map(|map| map.remove("status")).map_or((), drop),
            }
        }
        if self.is_custom() {
            let errors = validate_resource(self.widget, &object, live);
            if !errors.is_empty() {
                return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            }
        }
        Ok(object)
    }
}

/// What is compared: everything but what the store and its controllers decide; a time is either old or new.
fn comparable(object: &Value, live: &Value) -> Value {
    let mut object = object.clone();
    let keep = |value: &mut Value, drop: &[&str]| {
        if let Some(map) = value.as_object_mut() {
            map.retain(|name, _| !drop.contains(&name.as_str()));
        }
    };
    let old_times: Vec<Value> = live["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| json!([entry["manager"], entry["subresource"], entry["operation"], entry["time"]]))
        .collect();
    let entries = object["metadata"]["managedFields"].as_array_mut();
    for entry in entries.into_iter().flatten() {
        let known = json!([entry["manager"], entry["subresource"], entry["operation"], entry["time"]]);
        if !entry["time"].is_null() && !old_times.contains(&known) {
            entry["time"] = json!("new");
        }
    }
    if let Some(entries) = object["metadata"]["managedFields"].as_array_mut() {
        entries.sort_by_key(ToString::to_string);
    }
    keep(&mut object["metadata"], &["resourceVersion", "uid", "creationTimestamp", "generation"]);
    keep(&mut object["spec"], &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
    object
}

fn expected_error(record: &Value) -> String {
    match record["code"].as_u64() {
        Some(409) => json!([record["message"], record["causes"]]).to_string(),
        Some(422) => {
            let message = record["message"].as_str().unwrap_or_default();
            message.split_once("is invalid: ").map_or(message, |(_, rest)| rest).into()
        }
        _ => record["message"].as_str().unwrap_or_default().into(),
    }
}

#[test]
fn fields_change_hands_as_on_a_real_server() {
    let recorded: Value = serde_json::from_str(include_str!("data/ownership.json")).expect("recorded answers");
    let widget = parse(&recorded["schema"]);
    let steps = recorded["steps"].as_array().expect("steps");
    let mut differences = Vec::new();
    for (i, record) in steps.iter().enumerate() {
        let step = Step { record, widget: &widget };
        let live = &record["live"];
        let (ours, theirs) = match (step.run(), record.get("object")) {
            (Ok(mut object), Some(wanted)) => {
                if !live.is_null() {
                    ignore_new_times(&mut object, live);
                }
                // A time that is as old as the server's clock is coarse can't be told from a new one.
                (comparable(&object, live), comparable(wanted, live))
            }
            (Err(error), None) => (json!(error), json!(expected_error(record))),
            (outcome, wanted) => (json!(format!("{outcome:?}")), json!(wanted)),
        };
        if untimed(&ours) != untimed(&theirs) {
            let what = json!({"operation": record["operation"], "manager": record["manager"], "body": record["body"]});
            differences.push(format!("#{i} {what}\n  ours:   {ours}\n  theirs: {theirs}"));
        }
    }
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), steps.len(), differences.join("\n"));
}

/// The steps were recorded within the same second, so old and new times look alike; whether there is one does count.
fn untimed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(name, entry)| {
                let entry = if name == "time" { json!("some") } else { untimed(entry) };
                (name.clone(), entry)
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(untimed).collect();
            if items.iter().all(|item| item.get("fieldsV1").is_some()) {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}
