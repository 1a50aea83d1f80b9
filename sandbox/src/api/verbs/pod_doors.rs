//! The doors that only pods have: being put on a node, and being evicted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::delete::delete;
use super::{Call, Target};
use crate::api::options::DeleteOptions;
use crate::api::selector::LabelSelector;
use crate::api::status::{Answer, Status};
use crate::schema::FieldError;
use crate::world::{Object, ResourceKey, World, child_mut, metadata_text, object_mut};

/// Puts a pod on a node, as a scheduler does.
pub fn bind(world: &mut World, call: &Call, target: &Target, binding: &Value) -> Answer<()> {
    let pod = target.stored(world)?;
    let given = metadata_text(binding, "name");
    if !given.is_empty() && given != target.name {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let kind = binding["target"]["kind"].as_str().unwrap_or("");
    if !matches!(kind, "" | "Node") {
        let error = FieldError::not_supported("target.kind", kind, &["Node", "<empty>"]);
        return Err(Status::internal(error.to_string()));
    }
    let node = binding["target"]["name"].as_str().unwrap_or("");
    if node.is_empty() {
        let error = FieldError::required("target.name", "");
        return Err(Status::invalid("", "Binding", &target.name, &[error]));
    }
    let conflict = |why: String| Status::conflict("", "pods/binding", &target.name, why);
    if pod.is_deleting() {
        return Err(conflict(format!("pod {} is being deleted, cannot be assigned to a host", target.name)));
    }
    let bound = pod.value()["spec"]["nodeName"].as_str().unwrap_or("");
    if !bound.is_empty() {
        return Err(conflict(format!("pod {} is already assigned to node {bound:?}", target.name)));
    }
    if call.options.dry_run {
        return Ok(());
    }
    let mut value = pod.value().clone();
    child_mut(object_mut(&mut value), "spec").insert("nodeName".into(), json!(node));
    let status = child_mut(object_mut(&mut value), "status");
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if let Value::Array(conditions) = conditions {
        conditions.retain(|condition| condition["type"] != "PodScheduled");
        conditions.push(json!({
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": null,
            "lastTransitionTime": call.timestamp(),
        }));
    }
    world.put(&target.resource.stored_as, value);
    Ok(())
}

/// How long a client should wait before it asks a budget again that the controller hasn't looked at yet.
const RETRY_AFTER_SECONDS: u32 = 10;

/// Deletes a pod if the disruption budgets over it allow that.
pub fn evict(world: &mut World, call: &Call, target: &Target, eviction: &Value) -> Answer<()> {
    let options = match &eviction["deleteOptions"] {
        Value::Null => DeleteOptions::default(),
        given => DeleteOptions::from_body(given)?,
    };
    let given = metadata_text(eviction, "name");
    if !given.is_empty() && given != target.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let pod = target.stored(world)?;
    let dry_run = options.dry_run || call.options.dry_run;
    if !needs_no_budget(&pod) {
        let budgets = budgets_over(world, &pod);
        match budgets.as_slice() {
            [] => {}
            [budget] => spend(world, call, budget, &pod, dry_run)?,
            _ => {
                return Err(Status::internal(
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                ));
            }
        }
    }
    delete(world, call, target, &options).map(|_| ())
}

/// A pod that has ended, never started, or is going already disrupts nobody.
fn needs_no_budget(pod: &Object) -> bool {
    let phase = pod.value()["status"]["phase"].as_str().unwrap_or("");
    pod.is_deleting() || matches!(phase, "Succeeded" | "Failed" | "Pending")
}

fn budgets_over(world: &World, pod: &Object) -> Vec<Arc<Object>> {
    world
        .list("policy", "poddisruptionbudgets", pod.namespace())
        .into_iter()
        .filter(|budget| {
            LabelSelector::from_spec(&budget.value()["spec"]["selector"])
                .is_some_and(|selector| selector.matches(pod.labels()))
        })
        .collect()
}

fn spend(world: &mut World, call: &Call, budget: &Object, pod: &Object, dry_run: bool) -> Answer<()> {
    let value = budget.value();
    let name = budget.name();
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let status = &value["status"];
    let healthy = number(&status["currentHealthy"]);
    let desired = number(&status["desiredHealthy"]);
    if !is_ready(pod) && may_go_unready(value, healthy, desired) {
        return Ok(());
    }
    if number(&status["observedGeneration"]) < number(&value["metadata"]["generation"]) {
        let cause = format!("The disruption budget {name} is still being processed by the server.");
        return Err(Status::disruption_refused(cause, RETRY_AFTER_SECONDS));
    }
    let allowed = number(&status["disruptionsAllowed"]);
    if allowed < 0 {
        return Err(Status::forbidden("policy", "poddisruptionbudgets", name, "pdb disruptions allowed is negative"));
    }
    if allowed == 0 {
        let cause = format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently");
        return Err(Status::disruption_refused(cause, 0));
    }
    if dry_run {
        return Ok(());
    }
    let mut spent = value.clone();
    let status = child_mut(object_mut(&mut spent), "status");
    status.insert("disruptionsAllowed".into(), json!(allowed - 1));
    // Until the controller sees the pod go, it is counted as gone.
    child_mut(status, "disruptedPods").insert(pod.name().to_owned(), call.timestamp());
    let resource = ResourceKey::new("policy", "poddisruptionbudgets");
    world.put(&resource, spent);
    Ok(())
}

fn is_ready(pod: &Object) -> bool {
    let conditions = pod.value()["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn may_go_unready(budget: &Value, healthy: i64, desired: i64) -> bool {
    match budget["spec"]["unhealthyPodEvictionPolicy"].as_str() {
        Some("AlwaysAllow") => true,
        _ => healthy >= desired && desired > 0,
    }
}
