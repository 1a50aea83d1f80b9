//! Has pods do what their version is said to do: errors, crashes, slow answers, or that nobody knows. And does what
//! a gateway's own controller would.

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_sandbox::World;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::Door;
use sluice_sandbox::metrics::Values;

use super::ask;
use super::scenario::Scenario;

/// One look: whatever pods and metrics should do by now and don't, they do afterwards.
pub(crate) fn direct(door: &Door) {
    let (missing, silent) = door.with_world(|world, now| {
        let pods = world.list("", "pods", "");
        let missing: Vec<(String, Value)> = pods.iter().filter_map(|pod| script(pod.value(), now)).collect();
        let rollouts = world.list("argoproj.io", "rollouts", "");
        let silent = rollouts.iter().any(|rollout| {
            let is_out = pods.iter().any(|pod| Scenario::of(pod.value()) == Some(Scenario::NoData));
            is_out && Scenario::of(&rollout.value()["spec"]["template"]) == Some(Scenario::NoData)
        });
        (missing, silent)
    });
    for (path, patch) in missing {
        // A pod that is gone by now needs no script.
        let _answer = ask(door, Request::patch(&path, "application/merge-patch+json", &patch));
    }
    door.with_cluster(|cluster| {
        let values = if silent { Values::Empty } else { Values::AsTheyAre };
        cluster.metrics_mut().faults_mut().values = values;
    });
    for (path, accepted) in door.with_world(|world, now| unheard_routes(world, now)) {
        let _answer = ask(door, Request::patch(&path, "application/merge-patch+json", &accepted));
    }
}

/// HTTPRoutes that say what no gateway has accepted yet, and the status that accepts it.
fn unheard_routes(world: &World, now: Timestamp) -> Vec<(String, Value)> {
    let routes = world.list("gateway.networking.k8s.io", "httproutes", "");
    let accepted = |route: &Value| {
        let generation = &route["metadata"]["generation"];
        if route["status"]["parents"][0]["conditions"][0]["observedGeneration"] == *generation {
            return None;
        }
        let holds = |kind: &str| {
            json!({"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": generation,
                   "lastTransitionTime": now.to_string()})
        };
        let parents = json!([{
            "parentRef": route["spec"]["parentRefs"][0],
            "controllerName": "sandbox.sluice.dev/gateway",
            "conditions": [holds("Accepted"), holds("ResolvedRefs")],
        }]);
        let (namespace, name) = (route["metadata"]["namespace"].as_str()?, route["metadata"]["name"].as_str()?);
        let version = route["apiVersion"].as_str()?;
        let path = format!("/apis/{version}/namespaces/{namespace}/httproutes/{name}/status");
        Some((path, json!({"status": {"parents": parents}})))
    };
    routes.iter().filter_map(|route| accepted(route.value())).collect()
}

/// What is to be changed of a pod.
fn script(pod: &Value, now: Timestamp) -> Option<(String, Value)> {
    let scenario = Scenario::of(pod)?;
    let born: Timestamp = pod["metadata"]["creationTimestamp"].as_str()?.parse().ok()?;
    let (annotation, wanted) = scenario.behaviour(now.duration_since(born))?;
    if pod["metadata"]["annotations"][annotation] == wanted {
        return None;
    }
    let (namespace, name) = (pod["metadata"]["namespace"].as_str()?, pod["metadata"]["name"].as_str()?);
    let patch = json!({"metadata": {"annotations": {annotation: wanted}}});
    Some((format!("/api/v1/namespaces/{namespace}/pods/{name}"), patch))
}
