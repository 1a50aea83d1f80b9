//! Sticky sessions: the router remembers by a cookie which backend of a rule a user saw, while there are two.

use serde_json::{Value, json};

use crate::objects::Kind;
use crate::routing::Routing;
use crate::split::Split;

const FIELD: &str = "sessionPersistence";

/// Whether a rule that divides traffic has another session persistence than it is to have. One that the user wrote
/// stays.
pub(super) fn differs(rule: &Value, kind: Kind, split: &Split, routing: &Routing) -> bool {
    let there = &rule[FIELD];
    match wanted(kind, split, routing) {
        Some(wanted) => (there.is_null() || is_ours(there, routing)) && *there != wanted,
        None => is_ours(there, routing),
    }
}

/// Sets or removes ours.
pub(super) fn set(rule: &mut Value, kind: Kind, split: &Split, routing: &Routing) {
    if !differs(rule, kind, split, routing) {
        return;
    }
    let Some(fields) = rule.as_object_mut() else { return };
    match wanted(kind, split, routing) {
        Some(wanted) => fields.insert(FIELD.to_owned(), wanted),
        None => fields.remove(FIELD),
    };
}

/// Removes ours.
pub(super) fn remove(rule: &mut Value, routing: &Routing) {
    if is_ours(&rule[FIELD], routing)
        && let Some(fields) = rule.as_object_mut()
    {
        fields.remove(FIELD);
    }
}

fn wanted(kind: Kind, split: &Split, routing: &Routing) -> Option<Value> {
    let sticky = routing.traffic.sticky_sessions.as_ref()?;
    let can = matches!(kind, Kind::HttpRoute | Kind::GrpcRoute) && split.is_mixed();
    can.then(|| {
        json!({
            "sessionName": sticky.cookie_name(),
            "type": "Cookie",
            "absoluteTimeout": duration(sticky.max_age_seconds()),
            "cookieConfig": {"lifetimeType": "Permanent"},
        })
    })
}

fn is_ours(there: &Value, routing: &Routing) -> bool {
    let sticky = routing.traffic.sticky_sessions.clone().unwrap_or_default();
    there["sessionName"] == sticky.cookie_name()
}

/// A duration as the Gateway API writes it: at most five digits before a unit.
fn duration(seconds: i32) -> String {
    const MOST_HOURS: i32 = 99_999;
    let seconds = seconds.max(1);
    let parts = [((seconds / 3600).min(MOST_HOURS), "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}
