//! Giving one name to everything that differs between any two clusters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::send::Answer;

/// Names for what was met so far in one case, so that the same uid has the same name throughout.
#[derive(Debug, Default)]
pub(super) struct Names {
    uids: BTreeMap<String, String>,
    /// Generated names, as the objects that bear them say.
    generated: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn normalise(&mut self, answer: &Answer, namespace: &str, controllers: bool) -> Answer {
        let mut body = answer.body.clone();
        order_causes(&mut body);
        if !controllers {
            without_controllers(&mut body);
        }
        self.learn_generated_names(&body);
        Answer { body: self.value("", &body, namespace), ..answer.clone() }
    }

    fn value(&mut self, field: &str, value: &Value, namespace: &str) -> Value {
        match value {
            Value::Object(fields) => {
                let named = fields.iter().map(|(key, value)| (self.name_uids(key), self.value(key, value, namespace)));
                Value::Object(named.collect())
            }
            Value::Array(items) if field == "managedFields" => {
                let mut owners: Vec<Value> = items.iter().map(|item| self.value(field, item, namespace)).collect();
                // Ordered by whole seconds: what one second separates here, another doesn't there.
                owners.sort_by_key(|owner| {
                    ["operation", "manager", "subresource", "apiVersion"].map(|key| owner[key].to_string())
                });
                Value::Array(owners)
            }
            Value::Array(items) if matches!(field, "nonResourceRules" | "resourceRules") => {
                // In the order of a Go map.
                let mut rules: Vec<Value> = items.iter().map(|item| self.value("", item, namespace)).collect();
                rules.sort_by_key(ToString::to_string);
                Value::Array(rules)
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(field, item, namespace)).collect()),
            Value::String(text) => Value::String(self.text(field, text, namespace)),
            other => other.clone(),
        }
    }

    fn text(&mut self, field: &str, text: &str, namespace: &str) -> String {
        match field {
            "resourceVersion" | "resourceVersionMatch" if text.parse::<u64>().is_ok() => return "REVISION".to_owned(),
            "continue" if !text.is_empty() => return "CONTINUE".to_owned(),
            "clusterIP" | "clusterIPs" if text.starts_with("10.") => return "ADDRESS".to_owned(),
            "serverAddress" => return "ADDRESS".to_owned(),
            "ca.crt" => return "CERTIFICATE".to_owned(),
            // All components of the control plane live in one process of this name.
            "manager" if CONTROL_PLANE.contains(&text) => return "CONTROL-PLANE".to_owned(),
            _ => {}
        }
        if is_time(text) {
            return "TIME".to_owned();
        }
        if field == "cells" && is_age(text) {
            return "AGE".to_owned();
        }
        let mut named = text.to_owned();
        for (name, alias) in &self.generated {
            named = named.replace(name, alias);
        }
        let mut named = self.name_uids(&named.replace(namespace, "NAMESPACE"));
        named = name_within(
            &named,
            TOKEN_VOLUME,
            |name| name.starts_with(TOKEN_VOLUME),
            TOKEN_VOLUME.len() + 5,
            "TOKEN-VOLUME",
        );
        named = name_within(&named, "20", is_time, 20, "TIME");
        for before in BEFORE_REVISIONS {
            if let Some(at) = named.find(before) {
                let digits = at + before.len();
                let number = |c: char| c.is_ascii_digit();
                let end = named[digits..].find(|c| !number(c)).map_or(named.len(), |length| digits + length);
                named.replace_range(digits..end, "REVISION");
            }
        }
        named
    }

    /// From the objects that say what their name was made from, before any text is read that may tell of them.
    fn learn_generated_names(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let text = |field: &str| fields.get(field).and_then(Value::as_str);
                if let (Some(base), Some(name)) = (text("generateName"), text("name"))
                    && name.starts_with(base)
                {
                    let next = format!("{base}GENERATED-{}", self.generated.len() + 1);
                    self.generated.entry(name.to_owned()).or_insert(next);
                }
                fields.values().for_each(|inner| self.learn_generated_names(inner));
            }
            Value::Array(items) => items.iter().for_each(|inner| self.learn_generated_names(inner)),
            _ => {}
        }
    }

    fn name_uids(&mut self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = find_uid(rest) {
            let uid = &rest[at..at + UID_LENGTH];
            let next = format!("UID-{}", self.uids.len() + 1);
            let name = self.uids.entry(uid.to_owned()).or_insert(next);
            named.push_str(&rest[..at]);
            named.push_str(name);
            rest = &rest[at + UID_LENGTH..];
        }
        named.push_str(rest);
        named
    }
}

/// Orders the causes of a refusal that has several: the real server finds those of custom resources and of conflicts
/// in the order of Go's maps, which is a different one each time. The message becomes the same words in order.
fn order_causes(body: &mut Value) {
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut).filter(|all| all.len() > 1)
    else {
        return;
    };
    causes.sort_by_key(ToString::to_string);
    if let Some(message) = body["message"].as_str() {
        let mut words: Vec<&str> = message.split([' ', ',', '[', ']', '\n']).collect();
        words.sort_unstable();
        body["message"] = Value::String(words.join(" "));
    }
}

const UID_LENGTH: usize = 36;

/// How the volume of a service account's token is called, with five letters of its own.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// The components of the control plane, some of which share a process and its name.
const CONTROL_PLANE: [&str; 4] = ["control-plane", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Texts in messages after which a revision follows.
const BEFORE_REVISIONS: [&str; 3] = ["ResourceVersion in record (", ", current: ", r#"\"resourceVersion\":\""#];

/// Kinds whose status belongs to a controller, which writes it in its own time.
const CONTROLLED: [&str; 6] =
    ["CustomResourceDefinition", "Deployment", "HorizontalPodAutoscaler", "Job", "PodDisruptionBudget", "ReplicaSet"];

/// Leaves out what Kubernetes' own controllers write, since nobody knows when they do.
fn without_controllers(value: &mut Value) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(without_controllers);
        return;
    }
    let controlled = value["kind"].as_str().is_some_and(|kind| CONTROLLED.contains(&kind));
    let listed = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    let Value::Object(fields) = value else { return };
    if controlled {
        fields.remove("status");
    }
    if let Some(Value::Array(owners)) =
        fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("managedFields"))
    {
        owners.retain(|owner| owner["manager"].as_str().is_none_or(|manager| !CONTROL_PLANE.contains(&manager)));
    }
    if let Some(Value::Object(annotations)) =
        fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
    {
        annotations.retain(|name, _| !name.starts_with("deployment.kubernetes.io/"));
        if annotations.is_empty()
            && let Some(Value::Object(metadata)) = fields.get_mut("metadata")
        {
            metadata.remove("annotations");
        }
    }
    for inner in ["object", "items", "rows"] {
        if let Some(inside) = fields.get_mut(inner) {
            if inner == "items" && !listed {
                continue;
            }
            without_controllers(inside);
        }
    }
}

/// Gives one name to every text of this length that begins so and is one of them.
fn name_within(text: &str, begins: &str, is_one: fn(&str) -> bool, length: usize, name: &str) -> String {
    let mut named = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(begins) {
        named.push_str(&rest[..at]);
        if rest.get(at..at + length).is_some_and(is_one) {
            named.push_str(name);
            rest = &rest[at + length..];
        } else {
            named.push_str(begins);
            rest = &rest[at + begins.len()..];
        }
    }
    named.push_str(rest);
    named
}

fn find_uid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(UID_LENGTH - 1)).find(|start| {
        bytes[*start..*start + UID_LENGTH].iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// What a table says of the time since something happened: `3s`, `2m10s`.
fn is_age(text: &str) -> bool {
    let units = text.trim_start_matches(|c: char| c.is_ascii_digit());
    units.len() < text.len() && matches!(units.chars().next(), Some('s' | 'm')) && {
        let rest = units[1..].trim_end_matches('s');
        rest.chars().all(|c| c.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_must_differ_gets_one_name() {
        let mut names = Names::default();
        let body = json!({
            "metadata": {"uid": "0a1b2c3d-0000-4000-8000-000000000001", "resourceVersion": "42", "namespace": "case-7", "creationTimestamp": "2026-01-01T00:00:00Z", "generateName": "gen-", "name": "gen-x7k2p"},
            "message": "uid 0a1b2c3d-0000-4000-8000-000000000001 of gen-x7k2p in case-7, not 0a1b2c3d-0000-4000-8000-000000000002",
        });
        let answer = Answer { status: 200, content_type: String::new(), warnings: vec![], body };
        assert_eq!(
            names.normalise(&answer, "case-7", true).body,
            json!({
                "metadata": {"uid": "UID-1", "resourceVersion": "REVISION", "namespace": "NAMESPACE", "creationTimestamp": "TIME", "generateName": "gen-", "name": "gen-GENERATED-1"},
                "message": "uid UID-1 of gen-GENERATED-1 in NAMESPACE, not UID-2",
            })
        );
    }
}
