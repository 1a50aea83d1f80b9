//! Rules that header and mirror steps make: copies of the rules that divide traffic, each before its own. Which ones
//! are ours is remembered in an annotation, because older versions of the API drop the names of rules.

use serde_json::{Map, Value, json};

use super::backends::Backends;
use super::{matches, sticky};
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
    let is_for_canary_alone = !parts.iter().any(|one| one.part == Part::Stable);
    matches.contains(&rule["matches"])
        && parts.iter().any(|one| one.part == Part::Canary)
        && !parts.iter().any(|one| matches!(one.part, Part::Foreign(_)))
        && (is_for_canary_alone || mirrors_to_canary(rule, backends))
}

/// The rules that the split asks for beside one that divides traffic. They stand right before it, so that they win
/// where both match alike.
///
/// # Errors
/// One sentence about a step that the Gateway API can't express.
pub(super) fn wanted(split: &Split, base: &Value, backends: &Backends<'_>) -> Result<Vec<Value>, String> {
    let Some(canary) = backends.find(base, &Part::Canary) else { return Ok(Vec::new()) };
    let kind = backends.route.kind;
    let mut rules = Vec::new();
    for name in backends.routing.managed_routes() {
        let mut rule = base.clone();
        if let Some(step) = split.header_routes().find(|step| step.name == name) {
            rule["matches"] = matches::with_headers(base, kind, step).into();
            let mut only = canary.clone();
            only["weight"] = 1.into();
            rule["backendRefs"] = json!([only]);
            sticky::remove(&mut rule, backends.routing);
        } else if let Some(step) = split.mirror_routes().find(|step| step.name == name) {
            let requests = step.r#match.as_deref().unwrap_or_default();
            rule["matches"] = matches::with_requests(base, kind, requests)
                .map_err(|why| format!("the step setMirrorRoute {name} can't be written: {why}"))?
                .into();
            rule["filters"] = mirrored(&rule["filters"], canary, step.percentage());
        } else {
            continue;
        }
        // A name belongs to one rule only.
        if let Some(fields) = rule.as_object_mut() {
            fields.remove("name");
        }
        if rule["matches"].as_array().is_some_and(|matches| !matches.is_empty()) {
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn mirrors_to_canary(rule: &Value, backends: &Backends<'_>) -> bool {
    let mut filters = rule["filters"].as_array().into_iter().flatten();
    filters.any(|filter| backends.part(&filter["requestMirror"]["backendRef"]) == Part::Canary)
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
