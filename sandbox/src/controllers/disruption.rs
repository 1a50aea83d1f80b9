//! Disruption budgets: how many of the selected pods may be evicted at this moment.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::object::{at, generation, moment, name, set, stamp, text};
use super::pods::{is_active, is_ready, selector_matches};
use super::write::{Decision, Kind, Write};

/// An eviction that was granted but not yet seen as a deletion counts as a disruption for this long.
const GRANTED_FOR: SignedDuration = SignedDuration::from_secs(120);

/// Decides for one PodDisruptionBudget. `pods` are all pods of its namespace; `expected_of` gives the
/// size of the controller that owns a pod, if it has one with a scale.
#[must_use]
pub fn decide(
    budget: &Value,
    pods: &[&Value],
    expected_of: &dyn Fn(&Value) -> Option<(String, i64)>,
    now: Timestamp,
) -> Decision {
    let covered: Vec<&Value> = pods
        .iter()
        .copied()
        .filter(|pod| {
            selector_matches(at(budget, &["spec", "selector"]), at(pod, &["metadata", "labels"]))
                && !super::pods::is_finished(pod)
        })
        .collect();
    let granted = still_granted(budget, &covered, now);
    let healthy =
        covered.iter().filter(|pod| is_active(pod) && is_ready(pod) && !granted.contains_key(name(pod))).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let expected = expected_pods(&covered, expected_of);
    let desired = desired_healthy(budget, expected);
    let allowed = (healthy - desired).max(0);
    let allowed = if expected == 0 { 0 } else { allowed };
    let mut status = json!({
        "observedGeneration": generation(budget),
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
        "conditions": [allowance(budget, allowed, now)],
    });
    let mut decision = Decision::nothing();
    if !granted.is_empty() {
        let last = granted.values().filter_map(|value| value.as_str()?.parse::<Timestamp>().ok()).max();
        decision.wake_no_later_than(last.and_then(|at| at.checked_add(GRANTED_FOR).ok()));
        set(&mut status, &["disruptedPods"], Value::Object(granted));
    }
    if &status != at(budget, &["status"]) {
        let mut reported = budget.clone();
        set(&mut reported, &["status"], status);
        decision.writes.push(Write::ReplaceStatus(Kind::PodDisruptionBudget, reported));
    }
    decision
}

fn still_granted(budget: &Value, covered: &[&Value], now: Timestamp) -> Map<String, Value> {
    let mut granted = at(budget, &["status", "disruptedPods"]).as_object().cloned().unwrap_or_default();
    granted.retain(|pod_name, since| {
        let waits = covered.iter().any(|pod| name(pod) == pod_name && is_active(pod));
        let fresh = since
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .and_then(|since| since.checked_add(GRANTED_FOR).ok())
            .is_some_and(|until| until > now);
        waits && fresh
    });
    granted
}

/// The sizes of the controllers behind the pods, each counted once; a pod of nobody counts itself.
fn expected_pods(covered: &[&Value], expected_of: &dyn Fn(&Value) -> Option<(String, i64)>) -> i64 {
    let mut controllers = std::collections::BTreeMap::new();
    let mut single = 0;
    for pod in covered {
        match expected_of(pod) {
            Some((controller, size)) => {
                controllers.insert(controller, size);
            }
            None => single += 1,
        }
    }
    single + controllers.values().sum::<i64>()
}

fn desired_healthy(budget: &Value, expected: i64) -> i64 {
    let (least, most_missing) = (at(budget, &["spec", "minAvailable"]), at(budget, &["spec", "maxUnavailable"]));
    let part = |value: &Value| match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            // Rounded up for both, as Kubernetes does.
            expected.saturating_mul(percent).saturating_add(99).div_euclid(100)
        }
        number => number.as_i64().unwrap_or(0),
    };
    if !most_missing.is_null() {
        (expected - part(most_missing)).max(0)
    } else if !least.is_null() {
        part(least)
    } else {
        0
    }
}

fn allowance(budget: &Value, allowed: i64, now: Timestamp) -> Value {
    let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let before = at(budget, &["status", "conditions"])
        .as_array()
        .and_then(|all| super::object::condition(all, "DisruptionAllowed"));
    let since = before
        .filter(|condition| text(condition, &["status"]) == status)
        .and_then(|condition| moment(condition, &["lastTransitionTime"]))
        .unwrap_or(now);
    json!({
        "type": "DisruptionAllowed",
        "status": status,
        "reason": reason,
        "message": "",
        "observedGeneration": generation(budget),
        "lastTransitionTime": stamp(since),
    })
}
