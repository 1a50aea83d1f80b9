//! Scheduling, as far as releases can see it: a pod goes to the ready node with the fewest pods that
//! it may run on; where there is none it stays pending, and says why.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{at, condition, condition_is_true, name, set, stamp, text};
use super::pods::{is_finished, selector_matches};

/// Pods that name another scheduler are left to it.
pub const NAME: &str = "default-scheduler";

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// On this node.
    On(String),
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// Places one pod. `pods` are all pods of the cluster.
#[must_use]
pub fn place(pod: &Value, nodes: &[&Value], pods: &[&Value]) -> Placement {
    let fits: Vec<&Value> = nodes.iter().copied().filter(|node| accepts(node, pod, pods)).collect();
    let load = |node: &Value| {
        pods.iter().filter(|other| text(other, &["spec", "nodeName"]) == name(node) && !is_finished(other)).count()
    };
    match fits.into_iter().min_by(|a, b| load(a).cmp(&load(b)).then_with(|| name(a).cmp(name(b)))) {
        Some(node) => Placement::On(name(node).to_owned()),
        None => Placement::Nowhere(format!(
            "0/{} nodes are available: none is ready, schedulable and matches the pod",
            nodes.len()
        )),
    }
}

/// The pod with a condition that says why it was placed nowhere, unless it says so already.
#[must_use]
pub fn unschedulable(pod: &Value, reason: &str, now: Timestamp) -> Option<Value> {
    let mut conditions = at(pod, &["status", "conditions"]).as_array().cloned().unwrap_or_default();
    if condition(&conditions, "PodScheduled").is_some_and(|one| text(one, &["message"]) == reason) {
        return None;
    }
    conditions.retain(|one| text(one, &["type"]) != "PodScheduled");
    conditions.push(json!({
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": reason,
        "lastProbeTime": null,
        "lastTransitionTime": stamp(now),
    }));
    let mut changed = pod.clone();
    set(&mut changed, &["status", "conditions"], Value::Array(conditions));
    Some(changed)
}

fn accepts(node: &Value, pod: &Value, pods: &[&Value]) -> bool {
    condition_is_true(node, "Ready")
        && at(node, &["spec", "unschedulable"]) != &Value::Bool(true)
        && labels_match(node, pod)
        && taints_tolerated(node, pod)
        && keeps_apart(node, pod, pods)
}

fn labels_match(node: &Value, pod: &Value) -> bool {
    let labels = at(node, &["metadata", "labels"]);
    at(pod, &["spec", "nodeSelector"])
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

fn taints_tolerated(node: &Value, pod: &Value) -> bool {
    let tolerations = at(pod, &["spec", "tolerations"]).as_array();
    at(node, &["spec", "taints"]).as_array().into_iter().flatten().all(|taint| {
        text(taint, &["effect"]) == "PreferNoSchedule"
            || tolerations.is_some_and(|all| all.iter().any(|one| tolerates(one, taint)))
    })
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let (key, effect) = (text(toleration, &["key"]), text(toleration, &["effect"]));
    let same_value =
        text(toleration, &["operator"]) == "Exists" || text(toleration, &["value"]) == text(taint, &["value"]);
    (key.is_empty() || key == text(taint, &["key"]))
        && (effect.is_empty() || effect == text(taint, &["effect"]))
        && same_value
}

/// Required anti-affinity by host name, the form that rollouts inject.
fn keeps_apart(node: &Value, pod: &Value, pods: &[&Value]) -> bool {
    let terms = at(pod, &["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]);
    terms.as_array().into_iter().flatten().all(|term| {
        text(term, &["topologyKey"]) != "kubernetes.io/hostname"
            || !pods.iter().any(|other| {
                text(other, &["spec", "nodeName"]) == name(node)
                    && !is_finished(other)
                    && text(other, &["metadata", "namespace"]) == text(pod, &["metadata", "namespace"])
                    && selector_matches(at(term, &["labelSelector"]), at(other, &["metadata", "labels"]))
            })
    })
}
