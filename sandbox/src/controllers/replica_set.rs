//! ReplicaSet: as many active pods as it asks for, no more and no fewer.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{
    annotation, at, controller_reference, count, created_at, generation, is_being_deleted, name, namespace, set, text,
    uid,
};
use super::ownership::claim;
use super::pods::{
    Availability, availability, is_active, is_ready, is_terminating, ready_since, restarts, selector_matches,
};
use super::write::{Decision, Kind, Write};

/// How many pods one look creates; the rest follows when these have been seen, as in Kubernetes itself.
pub(super) const BURST: i64 = 500;

/// Decides for one ReplicaSet. `pods` are all pods of its namespace that it owns or that match its
/// selector; others are passed over.
#[must_use]
pub fn decide(replica_set: &Value, pods: &[&Value], now: Timestamp) -> Decision {
    let claimed = claim(replica_set, Kind::Pod, pods);
    let mut decision = Decision { writes: claimed.writes, wake_at: None };
    let active: Vec<&Value> = claimed.owned.iter().copied().filter(|pod| is_active(pod)).collect();
    let wanted = count(replica_set, &["spec", "replicas"]);
    if !is_being_deleted(replica_set) {
        let missing = wanted - count_of(active.len());
        if missing > 0 {
            let pod = pod_from_template(replica_set);
            decision.writes.extend((0..missing.min(BURST)).map(|_| Write::Create(Kind::Pod, pod.clone())));
        } else {
            let surplus = usize::try_from(-missing).unwrap_or(0);
            decision.writes.extend(first_to_go(&active, surplus).into_iter().map(delete_pod));
        }
    }
    let status = status(replica_set, &claimed.owned, &active, now, &mut decision);
    if at(replica_set, &["status"]) != &status {
        let mut replaced = replica_set.clone();
        set(&mut replaced, &["status"], status);
        decision.writes.push(Write::ReplaceStatus(Kind::ReplicaSet, replaced));
    }
    decision
}

fn count_of(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn pod_from_template(replica_set: &Value) -> Value {
    let template = at(replica_set, &["spec", "template"]);
    let mut metadata = json!({
        "generateName": format!("{}-", name(replica_set)),
        "namespace": namespace(replica_set),
        "ownerReferences": [controller_reference(replica_set)],
    });
    for key in ["labels", "annotations", "finalizers"] {
        let given = at(template, &["metadata", key]);
        if !given.is_null() {
            set(&mut metadata, &[key], given.clone());
        }
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": at(template, &["spec"]),
    })
}

fn delete_pod(pod: &Value) -> Write {
    Write::Delete {
        kind: Kind::Pod,
        namespace: namespace(pod).to_owned(),
        name: name(pod).to_owned(),
        uid: uid(pod).to_owned(),
    }
}

/// The pods whose loss hurts least: not yet placed, not yet running, not ready; then the cheapest by
/// annotation, the most crowded node, the shortest ready, the most restarted, the youngest.
fn first_to_go<'a>(active: &[&'a Value], surplus: usize) -> Vec<&'a Value> {
    let mut crowd: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in active {
        *crowd.entry(text(pod, &["spec", "nodeName"])).or_default() += 1;
    }
    let mut ranked = active.to_vec();
    ranked.sort_by(|a, b| expendable_first(a, b, &crowd));
    ranked.truncate(surplus);
    ranked
}

fn expendable_first(a: &Value, b: &Value, crowd: &BTreeMap<&str, usize>) -> Ordering {
    let placed = |pod: &Value| !text(pod, &["spec", "nodeName"]).is_empty();
    let phase = |pod: &Value| match text(pod, &["status", "phase"]) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    let deletion_cost = |pod: &Value| -> i64 {
        annotation(pod, "controller.kubernetes.io/pod-deletion-cost").and_then(|cost| cost.parse().ok()).unwrap_or(0)
    };
    let neighbours = |pod: &Value| crowd.get(text(pod, &["spec", "nodeName"])).copied().unwrap_or(0);
    placed(a)
        .cmp(&placed(b))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| is_ready(a).cmp(&is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| neighbours(b).cmp(&neighbours(a)))
        .then_with(|| ready_since(b).cmp(&ready_since(a)))
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| created_at(b).cmp(&created_at(a)))
        // Kubernetes leaves equals in any order; a replay needs one.
        .then_with(|| name(a).cmp(name(b)))
}

fn status(replica_set: &Value, owned: &[&Value], active: &[&Value], now: Timestamp, decision: &mut Decision) -> Value {
    let template_labels = json!({
        "matchLabels": at(replica_set, &["spec", "template", "metadata", "labels"]),
    });
    let min_ready_seconds = count(replica_set, &["spec", "minReadySeconds"]);
    let (mut labelled, mut ready, mut available) = (0, 0, 0);
    for pod in active {
        labelled += i64::from(selector_matches(&template_labels, at(pod, &["metadata", "labels"])));
        ready += i64::from(is_ready(pod));
        match availability(pod, min_ready_seconds, now) {
            Availability::Available => available += 1,
            Availability::From(from) => decision.wake_no_later_than(Some(from)),
            Availability::NotReady => {}
        }
    }
    let mut status = json!({
        "observedGeneration": generation(replica_set),
        "replicas": active.len(),
        "terminatingReplicas": owned.iter().filter(|pod| is_terminating(pod)).count(),
    });
    // Zero counts are left out on the wire, `replicas` alone is required.
    for (key, value) in [("fullyLabeledReplicas", labelled), ("readyReplicas", ready), ("availableReplicas", available)]
    {
        if value > 0 {
            set(&mut status, &[key], json!(value));
        }
    }
    let conditions = at(replica_set, &["status", "conditions"]);
    if !conditions.is_null() {
        set(&mut status, &["conditions"], conditions.clone());
    }
    status
}
