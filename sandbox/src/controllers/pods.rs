//! What a controller asks of a pod.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::object::{at, condition, is_being_deleted, moment, text};

/// Neither finished nor on its way out: it counts towards the replicas of its owner.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !is_being_deleted(pod)
}

/// On its way out, but its containers may still run.
pub(super) fn is_terminating(pod: &Value) -> bool {
    !is_finished(pod) && is_being_deleted(pod)
}

pub(super) fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

fn ready_condition(pod: &Value) -> Option<&Value> {
    at(pod, &["status", "conditions"])
        .as_array()
        .and_then(|all| condition(all, "Ready"))
        .filter(|condition| text(condition, &["status"]) == "True")
}

pub(super) fn is_ready(pod: &Value) -> bool {
    ready_condition(pod).is_some()
}

/// Since when the pod is ready without a break.
pub(super) fn ready_since(pod: &Value) -> Option<Timestamp> {
    moment(ready_condition(pod)?, &["lastTransitionTime"])
}

/// Whether a pod has been ready for `minReadySeconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Availability {
    Available,
    /// Ready, and available at this time if it stays so.
    From(Timestamp),
    NotReady,
}

pub(super) fn availability(pod: &Value, min_ready_seconds: i64, now: Timestamp) -> Availability {
    if !is_ready(pod) {
        return Availability::NotReady;
    }
    if min_ready_seconds <= 0 {
        return Availability::Available;
    }
    let Some(since) = ready_since(pod) else {
        return Availability::NotReady;
    };
    match since.checked_add(SignedDuration::from_secs(min_ready_seconds)) {
        Ok(from) if from <= now => Availability::Available,
        Ok(from) => Availability::From(from),
        Err(_) => Availability::NotReady,
    }
}

pub(super) fn restarts(pod: &Value) -> i64 {
    at(pod, &["status", "containerStatuses"])
        .as_array()
        .map_or(0, |all| all.iter().map(|one| super::object::count(one, &["restartCount"])).sum())
}

/// Matches a `LabelSelector` as stored in an object's spec. An empty one matches everything, an
/// absent one nothing; operators that the API server would have refused match nothing.
pub(super) fn selector_matches(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let Some(selector) = selector.as_object() else {
        return false;
    };
    let pairs_match = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .is_none_or(|pairs| pairs.iter().all(|(key, value)| label(key) == value.as_str()));
    let expressions_match = selector.get("matchExpressions").and_then(Value::as_array).is_none_or(|expressions| {
        expressions.iter().all(|expression| {
            let found = label(text(expression, &["key"]));
            let listed = found.is_some_and(|found| {
                at(expression, &["values"]).as_array().is_some_and(|values| values.iter().any(|value| value == found))
            });
            match text(expression, &["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
    });
    pairs_match && expressions_match
}
