//! What of a stable Ingress stands in the canary Ingress: the rules and paths that send to the stable Service.

use serde_json::{Map, Value, json};

use crate::edit::Problem;
use crate::objects::ObjectRef;
use crate::routing::Routing;

/// Fields of the spec that are taken over as they are.
const COPIED: [&str; 2] = ["ingressClassName", "tls"];

/// The stable Ingress must send something to the stable Service.
pub(super) fn check(name: &ObjectRef, stable: &Value, routing: &Routing) -> Result<(), Problem> {
    let service = routing.stable_service();
    let in_rules = rules(&stable["spec"]).any(|rule| paths(rule).any(|path| sends_to(&path["backend"], service)));
    if in_rules || sends_to(&stable["spec"]["defaultBackend"], service) {
        return Ok(());
    }
    let without_http = rules(&stable["spec"]).position(|rule| !rule["http"].is_object());
    let hint = without_http.map(|index| format!(" (spec.rules[{index}] has no http)")).unwrap_or_default();
    Err(Problem::new(
        name,
        format!(
            "no path in spec.rules and no spec.defaultBackend sends to Service {service}{hint}; write backend.service.name: \
             {service} in a path"
        ),
    ))
}

/// The spec of the canary Ingress.
pub(super) fn wanted(stable: &Value, routing: &Routing) -> Value {
    let spec = &stable["spec"];
    let mut wanted = Map::new();
    for field in COPIED {
        if !spec[field].is_null() {
            wanted.insert(field.to_owned(), spec[field].clone());
        }
    }
    if sends_to(&spec["defaultBackend"], routing.stable_service()) {
        wanted.insert("defaultBackend".to_owned(), canary_backend(&spec["defaultBackend"], routing));
    }
    let rules: Vec<Value> = rules(spec).filter_map(|rule| canary_rule(rule, routing)).collect();
    if !rules.is_empty() {
        wanted.insert("rules".to_owned(), rules.into());
    }
    Value::Object(wanted)
}

/// Whether a spec is the wanted one. It only compares, because it runs on every pass.
pub(super) fn are_as_wanted(stable: &Value, spec: &Value, routing: &Routing) -> bool {
    let (from, service) = (&stable["spec"], routing.stable_service());
    let default = Some(&from["defaultBackend"]).filter(|backend| sends_to(backend, service));
    let wanted_rules = rules(from).filter(|rule| paths(rule).any(|path| sends_to(&path["backend"], service)));
    COPIED.iter().all(|field| from[field] == spec[field])
        && match default {
            Some(backend) => same_backend(backend, &spec["defaultBackend"], routing),
            None => spec["defaultBackend"].is_null(),
        }
        && same(wanted_rules, rules(spec), |wanted, there| {
            let ours = paths(wanted).filter(|path| sends_to(&path["backend"], service));
            wanted["host"] == there["host"]
                && same(ours, paths(there), |wanted, there| {
                    wanted["path"] == there["path"]
                        && wanted["pathType"] == there["pathType"]
                        && same_backend(&wanted["backend"], &there["backend"], routing)
                })
        })
}

fn same<'v>(
    mut wanted: impl Iterator<Item = &'v Value>,
    mut there: impl Iterator<Item = &'v Value>,
    equal: impl Fn(&Value, &Value) -> bool,
) -> bool {
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return true,
            (Some(wanted), Some(there)) if equal(wanted, there) => {}
            _ => return false,
        }
    }
}

fn same_backend(stable: &Value, canary: &Value, routing: &Routing) -> bool {
    sends_to(canary, routing.canary_service()) && stable["service"]["port"] == canary["service"]["port"]
}

fn canary_rule(rule: &Value, routing: &Routing) -> Option<Value> {
    let ours = paths(rule).filter(|path| sends_to(&path["backend"], routing.stable_service()));
    let paths: Vec<Value> = ours
        .map(|path| {
            let mut path = path.clone();
            path["backend"] = canary_backend(&path["backend"], routing);
            path
        })
        .collect();
    let mut wanted = Map::new();
    if !rule["host"].is_null() {
        wanted.insert("host".to_owned(), rule["host"].clone());
    }
    wanted.insert("http".to_owned(), json!({"paths": paths}));
    (wanted["http"]["paths"] != json!([])).then_some(Value::Object(wanted))
}

fn canary_backend(stable: &Value, routing: &Routing) -> Value {
    let mut backend = stable.clone();
    backend["service"]["name"] = routing.canary_service().into();
    backend
}

fn sends_to(backend: &Value, service: &str) -> bool {
    backend["service"]["name"].as_str().is_some_and(|name| name == service)
}

fn rules(spec: &Value) -> impl Iterator<Item = &Value> {
    spec["rules"].as_array().into_iter().flatten()
}

fn paths(rule: &Value) -> impl Iterator<Item = &Value> {
    rule["http"]["paths"].as_array().into_iter().flatten()
}
