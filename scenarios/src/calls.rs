//! What somebody does, as the requests that kubectl and the plugin would send for it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::action::{Action, Promotion, Skipping};
use crate::observed::Observed;

const HASH: &str = "rollouts-pod-template-hash";
const MERGE: &str = "application/merge-patch+json";
/// Whoever applies the manifests of a scenario.
const MANAGER: &str = "people";

/// One request of a person, an autoscaler or a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The HTTP method.
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// Of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Value,
}

/// What an action comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    /// Requests, in this order.
    Calls(Vec<Call>),
    /// The node goes silent, or reports again.
    Node {
        /// Its name.
        name: String,
        /// Whether it goes silent.
        lost: bool,
    },
    /// The controller dies.
    Kill,
}

/// The kinds that routers are told by.
pub const ROUTING_KINDS: [&str; 4] = ["Ingress", "VirtualService", "DestinationRule", "HTTPRoute"];

/// The kinds that a template can be taken from, but for ReplicaSets, which are seen anyway.
pub const WORKLOAD_KINDS: [&str; 2] = ["Deployment", "PodTemplate"];

/// The path of a kind's objects in a namespace.
///
/// # Errors
/// It is none of the kinds that scenarios deal in.
pub fn collection(kind: &str, namespace: &str) -> Result<String, String> {
    let (prefix, plural) = match kind {
        "Secret" => ("/api/v1", "secrets"),
        "AnalysisRun" => ("/apis/argoproj.io/v1alpha1", "analysisruns"),
        "Experiment" => ("/apis/argoproj.io/v1alpha1", "experiments"),
        "AnalysisTemplate" => ("/apis/argoproj.io/v1alpha1", "analysistemplates"),
        "ValidatingAdmissionPolicy" => return Ok(of_cluster("validatingadmissionpolicies")),
        "ValidatingAdmissionPolicyBinding" => return Ok(of_cluster("validatingadmissionpolicybindings")),
        "Rollout" => ("/apis/argoproj.io/v1alpha1", "rollouts"),
        "ReplicaSet" => ("/apis/apps/v1", "replicasets"),
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "PodTemplate" => ("/api/v1", "podtemplates"),
        "Service" => ("/api/v1", "services"),
        "Pod" => ("/api/v1", "pods"),
        "ResourceQuota" => ("/api/v1", "resourcequotas"),
        "PodDisruptionBudget" => ("/apis/policy/v1", "poddisruptionbudgets"),
        "Ingress" => ("/apis/networking.k8s.io/v1", "ingresses"),
        "VirtualService" => ("/apis/networking.istio.io/v1", "virtualservices"),
        "DestinationRule" => ("/apis/networking.istio.io/v1", "destinationrules"),
        "HTTPRoute" => ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
        _ => {
            return Err(format!(
                "{kind:?} is no kind that scenarios know; write Rollout, ReplicaSet, Deployment, PodTemplate, Service, \
                 Pod, Secret, AnalysisTemplate, AnalysisRun, Experiment, ResourceQuota, PodDisruptionBudget, ValidatingAdmissionPolicy, \
                 ValidatingAdmissionPolicyBinding, Ingress, VirtualService, DestinationRule or HTTPRoute"
            ));
        }
    };
    Ok(format!("{prefix}/namespaces/{namespace}/{plural}"))
}

fn of_cluster(plural: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{plural}")
}

/// A manifest that is there from the start. Unlike one that is applied, it can be an object that a controller has left
/// behind: its status is written too, and an owner without a uid is the Rollout as it is stored.
///
/// # Errors
/// It has no kind that scenarios know, or no name.
pub fn given(manifest: &Value, namespace: &str, rollout: &Value) -> Result<Vec<Call>, String> {
    let mut object = manifest.clone();
    for owner in object["metadata"]["ownerReferences"].as_array_mut().into_iter().flatten() {
        if owner["uid"].is_null() {
            owner["uid"] = rollout["metadata"]["uid"].clone();
        }
    }
    let status = object.as_object_mut().and_then(|object| object.remove("status"));
    let apply = applied(&object, namespace)?;
    let (path, _) = apply.path.split_once('?').unwrap_or((&apply.path, ""));
    let left_behind = status.map(|status| merge(format!("{path}/status"), json!({"status": status})));
    Ok(std::iter::once(apply).chain(left_behind).collect())
}

/// A manifest, applied.
///
/// # Errors
/// It has no kind that scenarios know, or no name.
pub fn applied(manifest: &Value, namespace: &str) -> Result<Call, String> {
    let kind = manifest["kind"].as_str().unwrap_or_default();
    let name = manifest["metadata"]["name"].as_str().ok_or("metadata.name: is missing")?;
    let path = format!("{}/{name}?fieldManager={MANAGER}&force=true", collection(kind, namespace)?);
    let mut body = manifest.clone();
    if path.contains("/namespaces/") {
        body["metadata"]["namespace"] = json!(namespace);
    }
    Ok(Call { method: "PATCH", path, content_type: "application/apply-patch+yaml", body })
}

/// What this action comes to, as things are now.
///
/// # Errors
/// It can't be done: there is no such revision, for example.
pub fn doing(action: &Action, observed: &Observed, namespace: &str, now: Timestamp) -> Result<Doing, String> {
    let rollout = &observed.rollout;
    let name = rollout["metadata"]["name"].as_str().unwrap_or_default();
    let path = format!("{}/{name}", collection("Rollout", namespace)?);
    let spec = |change: Value| vec![merge(path.clone(), json!({"spec": change}))];
    let status = |change: Value| vec![merge(format!("{path}/status"), json!({"status": change}))];
    let calls = match action {
        Action::Apply(manifest) => vec![applied(manifest, namespace)?],
        Action::Change(change) => vec![merge(path.clone(), change.clone())],
        Action::Wish(change) => status(change.clone()),
        Action::Patch(patch) => vec![merge(object(&patch.object, namespace)?, patch.with.clone())],
        Action::Delete(deletion) => {
            let policy = if deletion.orphan { "Orphan" } else { "Background" };
            vec![delete(object(&deletion.object, namespace)?, policy)]
        }
        Action::SetImage(image) => {
            let mut containers = rollout["spec"]["template"]["spec"]["containers"].clone();
            containers[0]["image"] = json!(image);
            spec(json!({"template": {"spec": {"containers": containers}}}))
        }
        Action::Scale(replicas) => {
            vec![merge(format!("{path}/scale"), json!({"spec": {"replicas": replicas}}))]
        }
        Action::Promote(Promotion::Step) => promote(rollout, &path),
        Action::Promote(Promotion::Full) => {
            let mut calls = status(json!({"promoteFull": true}));
            calls.extend(unpause(rollout, &path));
            calls
        }
        Action::Skip(how_far) => status(json!({"currentStepIndex": skip_to(rollout, *how_far)})),
        Action::Abort => status(json!({"abort": true})),
        Action::Retry => status(json!({"abort": false})),
        Action::Pause => spec(json!({"paused": true})),
        Action::Resume => {
            let mut calls = unpause(rollout, &path);
            if rollout["status"]["pauseConditions"].is_array() {
                calls.extend(status(json!({"pauseConditions": null})));
            }
            calls
        }
        Action::Undo(revision) => vec![undo(observed, *revision, path.clone())?],
        Action::Restart => spec(json!({"restartAt": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()})),
        Action::Behave(behaviour) => behave(observed, behaviour.revision, &behaviour.with, namespace)?,
        Action::DeletePods(pods) => delete_pods(observed, pods.revision, pods.count, namespace)?,
        Action::LoseNode(name) => return Ok(Doing::Node { name: name.clone(), lost: true }),
        Action::RecoverNode(name) => return Ok(Doing::Node { name: name.clone(), lost: false }),
        Action::KillController => return Ok(Doing::Kill),
    };
    Ok(Doing::Calls(calls))
}

fn merge(path: String, body: Value) -> Call {
    Call { method: "PATCH", path, content_type: MERGE, body }
}

fn delete(path: String, policy: &str) -> Call {
    let body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy});
    Call { method: "DELETE", path, content_type: "application/json", body }
}

fn object(named: &str, namespace: &str) -> Result<String, String> {
    let (kind, name) = named.split_once('/').ok_or_else(|| format!("{named:?}: write Kind/name"))?;
    Ok(format!("{}/{name}", collection(kind, namespace)?))
}

fn unpause(rollout: &Value, path: &str) -> Vec<Call> {
    let paused = rollout["spec"]["paused"] == true;
    paused.then(|| merge(path.to_owned(), json!({"spec": {"paused": false}}))).into_iter().collect()
}

/// Over what it waits for; where it waits for nothing, over the step.
fn promote(rollout: &Value, path: &str) -> Vec<Call> {
    let mut calls = unpause(rollout, path);
    let status = &rollout["status"];
    let waits = status["pauseConditions"].as_array().is_some_and(|conditions| !conditions.is_empty());
    let change = if waits || !rollout["spec"]["strategy"]["canary"].is_object() {
        json!({"pauseConditions": null})
    } else {
        json!({"pauseConditions": null, "currentStepIndex": skip_to(rollout, Skipping::Current)})
    };
    calls.push(merge(format!("{path}/status"), json!({"status": change})));
    calls
}

fn skip_to(rollout: &Value, how_far: Skipping) -> i64 {
    let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().map_or(0, Vec::len);
    let steps = i64::try_from(steps).unwrap_or(i64::MAX);
    let current = rollout["status"]["currentStepIndex"].as_i64().unwrap_or(0);
    if how_far == Skipping::All { steps } else { (current + 1).min(steps) }
}

fn undo(observed: &Observed, revision: i64, path: String) -> Result<Call, String> {
    let mut template = found(observed, revision)?["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    let body = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
    Ok(Call { method: "PATCH", path, content_type: "application/json-patch+json", body })
}

fn behave(
    observed: &Observed,
    revision: i64,
    with: &std::collections::BTreeMap<String, String>,
    namespace: &str,
) -> Result<Vec<Call>, String> {
    let prefix = sluice_sandbox::kubelet::PREFIX;
    let annotations: Map<String, Value> =
        with.iter().map(|(name, value)| (format!("{prefix}{name}"), json!(value))).collect();
    let change = json!({"metadata": {"annotations": annotations}});
    pods(observed, revision, namespace, |path| merge(path, change.clone()))
}

fn delete_pods(observed: &Observed, revision: i64, count: usize, namespace: &str) -> Result<Vec<Call>, String> {
    let mut calls = pods(observed, revision, namespace, |path| delete(path, "Background"))?;
    calls.truncate(count);
    Ok(calls)
}

fn pods(
    observed: &Observed,
    revision: i64,
    namespace: &str,
    call: impl Fn(String) -> Call,
) -> Result<Vec<Call>, String> {
    found(observed, revision)?;
    let collection = collection("Pod", namespace)?;
    let names = observed.pods_of(revision).into_iter().filter_map(|pod| pod["metadata"]["name"].as_str());
    let calls: Vec<Call> = names.map(|name| call(format!("{collection}/{name}"))).collect();
    if calls.is_empty() { Err(format!("revision {revision} has no pods")) } else { Ok(calls) }
}

fn found(observed: &Observed, revision: i64) -> Result<&Value, String> {
    let there = || observed.revisions().iter().map(|(number, _)| number.to_string()).collect::<Vec<_>>().join(", ");
    observed.revision(revision).ok_or_else(|| format!("there is no revision {revision}, only {}", there()))
}
