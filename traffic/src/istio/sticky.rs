//! Sticky sessions: answers of the new revision set a cookie that names it, and a route before each of ours sends
//! requests with that cookie back to it.

use serde_json::{Map, Value, json};

use super::destinations::Destinations;
use super::managed::{combined, sends_to_us};
use crate::split::Split;
use crate::text::quoted_pattern;
use crate::weigh::Part;

const HEADER: &str = "Set-Cookie";
const PATH: [&str; 4] = ["headers", "response", "add", HEADER];

/// Whether sticky sessions have something to keep apart now.
pub(super) fn is_wanted(split: &Split, destinations: &Destinations<'_>) -> bool {
    destinations.routing.traffic.sticky_sessions.is_some() && split.is_mixed() && !split.version.is_empty()
}

/// Whether a route is one that sticky sessions made for this Rollout.
pub(super) fn is_ours(route: &Value, destinations: &Destinations<'_>) -> bool {
    let own = name(&destinations.routing.rollout, None);
    let rest = route["name"].as_str().and_then(|name| name.strip_prefix(&own));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) && sends_to_us(route, destinations)
}

/// Whether a route's destinations carry the cookie of this Rollout.
pub(super) fn has_cookie(route: &Value, destinations: &Destinations<'_>) -> bool {
    let prefix = cookie_prefix(destinations);
    let mut list = route["route"].as_array().into_iter().flatten();
    list.any(|one| one["headers"]["response"]["add"][HEADER].as_str().is_some_and(|set| set.starts_with(&prefix)))
}

/// The route that sends requests with the cookie to the new revision.
pub(super) fn route(base: &Value, split: &Split, destinations: &Destinations<'_>) -> Option<Value> {
    let canary = destinations.find(base, &Part::Canary)?;
    let cookie = format!("{}{}", cookie_prefix(destinations), split.version);
    let pattern = format!("(.*;)?\\s*{}(;.*)?", quoted_pattern(&cookie));
    // A match that looks at cookies itself can't look for a second one.
    let mut without = base.clone();
    if let Some(matches) = without["match"].as_array_mut() {
        matches.retain(|one| one["headers"]["cookie"].is_null());
        if matches.is_empty() && !base["match"].as_array().is_none_or(Vec::is_empty) {
            return None;
        }
    }
    let matches = combined(&[without], &[json!({"headers": {"cookie": {"regex": pattern}}})]);
    let mut route = base.clone();
    route["name"] = name(&destinations.routing.rollout, base["name"].as_str()).into();
    route["match"] = matches;
    route["route"] = json!([{"destination": canary["destination"], "weight": 100}]);
    // Requests that go to the new revision anyway need no copy there.
    if let Some(fields) = route.as_object_mut().filter(|fields| fields.get("mirror") == Some(&canary["destination"])) {
        fields.remove("mirror");
        fields.remove("mirrorPercentage");
    }
    Some(route)
}

/// Lets the new revision's answers set the cookie, or (not `wanted`) no longer.
///
/// # Errors
/// The answers set a cookie of the user's there.
pub(super) fn set_cookie(
    route: &mut Value,
    wanted: bool,
    split: &Split,
    destinations: &Destinations<'_>,
) -> Result<(), String> {
    let prefix = cookie_prefix(destinations);
    let sticky = destinations.routing.traffic.sticky_sessions.clone().unwrap_or_default();
    let cookie = format!("{prefix}{}; Path=/; Max-Age={}", split.version, sticky.max_age_seconds());
    let parts: Vec<Part> = destinations.weighed(route, Some(split)).into_iter().map(|one| one.part).collect();
    let list = route["route"].as_array_mut().into_iter().flatten();
    for (one, part) in list.zip(parts) {
        let there = one["headers"]["response"]["add"][HEADER].as_str();
        let is_ours = there.is_some_and(|set| set.starts_with(&prefix));
        if wanted && part == Part::Canary {
            if there.is_some() && !is_ours {
                return Err(format!(
                    "{} of the canary destination is set already; remove it, or stickySessions",
                    PATH.join(".")
                ));
            }
            insert_nested(one, &PATH, cookie.as_str().into());
        } else if is_ours {
            remove_nested(one, &PATH);
        }
    }
    Ok(())
}

fn insert_nested(value: &mut Value, path: &[&str], inserted: Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = inserted;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Some(fields) = value.as_object_mut() {
        insert_nested(fields.entry(*first).or_insert(Value::Null), rest, inserted);
    }
}

/// Removes a member, and each map around it that is left empty.
fn remove_nested(value: &mut Value, path: &[&str]) {
    let (Some(fields), Some((first, rest))) = (value.as_object_mut(), path.split_first()) else { return };
    if let Some(inner) = fields.get_mut(*first).filter(|_| !rest.is_empty()) {
        remove_nested(inner, rest);
        if inner.as_object().is_none_or(|inner| !inner.is_empty()) {
            return;
        }
    }
    fields.remove(*first);
}

fn cookie_prefix(destinations: &Destinations<'_>) -> String {
    let sticky = destinations.routing.traffic.sticky_sessions.clone().unwrap_or_default();
    format!("{}=", sticky.cookie_name())
}

fn name(rollout: &str, base: Option<&str>) -> String {
    match base {
        Some(base) => format!("sticky-{rollout}-{base}"),
        None => format!("sticky-{rollout}"),
    }
}
