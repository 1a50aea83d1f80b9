//! Routes that header and mirror steps make, before all others and in the order of `managedRoutes`.

use serde_json::{Map, Value, json};
use sluice_crds::rollout::step::{RouteMatch, SetHeaderRoute, SetMirrorRoute, StringMatch};

use super::destinations::Destinations;
use crate::split::Split;
use crate::weigh::Part;

/// Whether a route has the name of one that steps may make.
pub(super) fn has_managed_name(route: &Value, destinations: &Destinations<'_>) -> bool {
    let name = route["name"].as_str();
    name.is_some_and(|name| destinations.routing.managed_routes().any(|managed| managed == name))
}

/// Whether it sends to our revisions only, so that it can be one that steps made.
pub(super) fn sends_to_us(route: &Value, destinations: &Destinations<'_>) -> bool {
    destinations.weighed(route, None).iter().all(|one| !matches!(one.part, Part::Foreign(_) | Part::Kept))
}

/// Whether a route is one that a mirror step made.
pub(super) fn mirrors(route: &Value, split: &Split) -> bool {
    split.mirror_routes().any(|step| route["name"] == step.name.as_str())
        && !split.header_routes().any(|step| route["name"] == step.name.as_str())
}

/// The routes that the split asks for, made from the routes that divide traffic: what these match, and beside it
/// what the step says. All else is taken from the first of them.
pub(super) fn wanted(split: &Split, bases: &[Value], destinations: &Destinations<'_>) -> Vec<Value> {
    let Some(first) = bases.first() else { return Vec::new() };
    let Some(canary) = destinations.find(first, &Part::Canary) else { return Vec::new() };
    let names = destinations.routing.managed_routes();
    names
        .filter_map(|name| {
            let header = split.header_routes().find(|route| route.name == name);
            let mirror = split.mirror_routes().find(|route| route.name == name);
            header
                .map(|route| header_route(route, bases, first, &canary["destination"]))
                .or_else(|| mirror.map(|route| mirror_route(route, bases, first, &canary["destination"])))
        })
        .collect()
}

fn header_route(step: &SetHeaderRoute, bases: &[Value], first: &Value, canary: &Value) -> Value {
    let mut headers = Map::new();
    for header in step.r#match.iter().flatten() {
        let value = header.header_value.as_ref().map_or_else(|| json!({}), string_match);
        headers.insert(header.header_name.to_ascii_lowercase(), value);
    }
    let mut route = first.clone();
    route["name"] = step.name.as_str().into();
    route["match"] = combined(bases, &[json!({"headers": headers})]);
    route["route"] = json!([{"destination": canary, "weight": 100}]);
    route
}

fn mirror_route(step: &SetMirrorRoute, bases: &[Value], first: &Value, canary: &Value) -> Value {
    let requests: Vec<Value> = step.r#match.iter().flatten().map(request_match).collect();
    let mut route = first.clone();
    route["name"] = step.name.as_str().into();
    route["match"] = combined(bases, &requests);
    route["mirror"] = canary.clone();
    route["mirrorPercentage"] = json!({"value": step.percentage()});
    route
}

fn request_match(wanted: &RouteMatch) -> Value {
    let mut one = Map::new();
    if let Some(method) = &wanted.method {
        one.insert("method".to_owned(), string_match(method));
    }
    if let Some(path) = &wanted.path {
        one.insert("uri".to_owned(), string_match(path));
    }
    let headers: Map<String, Value> =
        wanted.headers.iter().flatten().map(|(name, value)| (name.to_ascii_lowercase(), string_match(value))).collect();
    if !headers.is_empty() {
        one.insert("headers".to_owned(), headers.into());
    }
    one.into()
}

fn string_match(value: &StringMatch) -> Value {
    let ways = [("exact", &value.exact), ("prefix", &value.prefix), ("regex", &value.regex)];
    let one = ways.into_iter().find_map(|(way, text)| Some((way, text.as_deref()?)));
    one.map_or_else(|| json!({}), |(way, text)| json!({way: text}))
}

/// Each match of the routes together with each of the extra ones: both must hold.
pub(super) fn combined(bases: &[Value], extra: &[Value]) -> Value {
    let everything = [json!({})];
    let mut all: Vec<Value> = Vec::new();
    for base in bases {
        let matches =
            base["match"].as_array().filter(|matches| !matches.is_empty()).map_or(&everything[..], Vec::as_slice);
        for one in matches {
            all.extend(extra.iter().map(|extra| merged(one, extra)));
        }
    }
    all.into()
}

fn merged(base: &Value, extra: &Value) -> Value {
    let mut merged = base.as_object().cloned().unwrap_or_default();
    for (key, value) in extra.as_object().into_iter().flatten() {
        match (merged.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(there), Some(more)) if key == "headers" => there.extend(more.clone()),
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    merged.into()
}
