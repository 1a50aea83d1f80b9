//! Rules that header and mirror steps make: copies of the rules that divide traffic, behind all others. Which ones
//! are ours is remembered in an annotation, because older versions of the API drop the names of rules.

use serde_json::{Map, Value, json};

use super::backends::Backends;
use super::matches;
use crate::split::Split;
use crate::weigh::Part;

/// Which rules of a route were made by steps: Rollout → the matches of each.
pub(super) const ANNOTATION: &str = "argo-rollouts.argoproj.io/managed-rules";

/// What the annotation says, for all Rollouts.
pub(super) fn remembered(route: &Value) -> Map<String, Value> {
    let text = route["metadata"]["annotations"][ANNOTATION].as_str().unwrap_or_default();
    match serde_json::from_str(text) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    }
}

/// Under which key a Rollout's rules are remembered.
pub(super) fn key(backends: &Backends<'_>) -> String {
    format!("{}/{}", backends.routing.namespace, backends.routing.rollout)
}

/// Whether a rule is one that steps of this Rollout made, and still as they made it.
pub(super) fn is_ours(rule: &Value, matches: &[Value], backends: &Backends<'_>) -> bool {
    let parts = backends.weighed(rule);
    matches.contains(&rule["matches"])
        && parts.iter().any(|one| one.part == Part::Canary)
        && !parts.iter().any(|one| matches!(one.part, Part::Foreign(_)))
}

/// The rules that the split asks for, from the rules that divide traffic.
///
/// # Errors
/// One sentence about a step that the Gateway API can't express.
pub(super) fn wanted(split: &Split, bases: &[Value], backends: &Backends<'_>) -> Result<Vec<Value>, String> {
    let mut rules = Vec::new();
    for name in backends.routing.managed_routes() {
        let header = split.header_routes().find(|step| step.name == name);
        let mirror = split.mirror_routes().find(|step| step.name == name);
        for base in bases {
            let Some(canary) = backends.find(base, &Part::Canary) else { continue };
            if let Some(step) = header {
                let mut rule = base.clone();
                rule["matches"] = matches::with_headers(base, backends.route.kind, step).into();
                let mut only = canary.clone();
                only["weight"] = 1.into();
                rule["backendRefs"] = json!([only]);
                rules.push(rule);
            } else if let Some(step) = mirror {
                let mut rule = base.clone();
                let requests = step.r#match.as_deref().unwrap_or_default();
                rule["matches"] = matches::with_requests(base, backends.route.kind, requests)
                    .map_err(|why| format!("the step setMirrorRoute {name} can't be written: {why}"))?
                    .into();
                rule["filters"] = mirrored(&rule["filters"], canary, step.percentage());
                rules.push(rule);
            }
        }
    }
    // A name belongs to one rule only.
    rules.iter_mut().filter_map(Value::as_object_mut).for_each(|rule| {
        rule.remove("name");
    });
    rules.retain(|rule| rule["matches"].as_array().is_some_and(|matches| !matches.is_empty()));
    Ok(rules)
}

fn mirrored(filters: &Value, canary: &Value, percentage: i32) -> Value {
    const ALL: i32 = 100;
    let mut backend = json!({"group": "", "kind": "Service", "name": canary["name"]});
    for field in ["namespace", "port"] {
        if !canary[field].is_null() {
            backend[field] = canary[field].clone();
        }
    }
    let mut mirror = json!({"backendRef": backend});
    if percentage < ALL {
        mirror["percent"] = percentage.into();
    }
    let mut all = filters.as_array().cloned().unwrap_or_default();
    all.push(json!({"type": "RequestMirror", "requestMirror": mirror}));
    all.into()
}
