//! What a fresh cluster holds before anybody has done anything.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rbac;
use super::status::Answer;
use super::verbs::{Call, Target, create};
use crate::world::World;

const NAMESPACES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Creates the namespaces and roles that every cluster has; what is there already stays.
pub fn bootstrap(world: &mut World, now: Timestamp) -> Answer<()> {
    for name in NAMESPACES {
        make(world, now, "", "namespaces", json!({"metadata": {"name": name}}))?;
    }
    for (name, rules, label) in roles() {
        let mut role = json!({"metadata": {"name": name}, "rules": rules});
        if let Some(label) = label {
            role["metadata"]["labels"] = json!({label: "true"});
        }
        make(world, now, rbac::GROUP, "clusterroles", role)?;
    }
    for (role, groups) in bindings() {
        let subjects: Vec<Value> =
            groups.iter().map(|group| json!({"kind": "Group", "apiGroup": rbac::GROUP, "name": group})).collect();
        let binding = json!({
            "metadata": {"name": role},
            "roleRef": {"apiGroup": rbac::GROUP, "kind": "ClusterRole", "name": role},
            "subjects": subjects,
        });
        make(world, now, rbac::GROUP, "clusterrolebindings", binding)?;
    }
    Ok(())
}

fn make(world: &mut World, now: Timestamp, group: &str, plural: &str, value: Value) -> Answer<()> {
    let target = Target::find(world, group, plural, "", "")?;
    let mut call = Call::internal("kube-apiserver", now);
    let mut typed = value;
    typed["kind"] = json!(target.resource.kind);
    typed["apiVersion"] = json!(target.resource.storage_api_version());
    match create::create(world, &mut call, &target, typed) {
        Err(refused) if refused.reason != "AlreadyExists" => Err(refused),
        _ => Ok(()),
    }
}

/// Name, rules, and the label by which the role joins a wider one.
fn roles() -> Vec<(&'static str, Value, Option<&'static str>)> {
    let all = ["*"];
    let reading = ["get", "list", "watch"];
    let writing = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let core = ["configmaps", "endpoints", "events", "pods", "pods/log", "pods/status", "serviceaccounts", "services"];
    let workloads = [
        json!({"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale", "replicasets", "replicasets/scale"]}),
        json!({"apiGroups": ["batch"], "resources": ["jobs"]}),
        json!({"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"]}),
        json!({"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"]}),
        json!({"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"]}),
        json!({"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]}),
    ];
    let with = |verbs: &[&str], secrets: bool| -> Value {
        let mut resources: Vec<&str> = core.to_vec();
        if secrets {
            resources.push("secrets");
        }
        let mut rules = vec![json!({"apiGroups": [""], "resources": resources, "verbs": verbs})];
        rules.extend(workloads.iter().cloned().map(|mut rule| {
            rule["verbs"] = json!(verbs);
            rule
        }));
        Value::Array(rules)
    };
    let mut admin = with(&writing, true);
    if let Value::Array(rules) = &mut admin {
        rules.push(json!({"apiGroups": [rbac::GROUP], "resources": ["roles", "rolebindings"], "verbs": writing}));
    }
    vec![
        (
            "cluster-admin",
            json!([
                {"apiGroups": all, "resources": all, "verbs": all},
                {"nonResourceURLs": all, "verbs": all},
            ]),
            None,
        ),
        ("admin", admin, None),
        ("edit", with(&writing, true), Some("rbac.authorization.k8s.io/aggregate-to-admin")),
        ("view", with(&reading, false), Some("rbac.authorization.k8s.io/aggregate-to-edit")),
        (
            "system:discovery",
            json!([{
                "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"],
                "verbs": ["get"],
            }]),
            None,
        ),
        (
            "system:basic-user",
            json!([
                {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "verbs": ["create"]},
                {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
            ]),
            None,
        ),
        (
            "system:public-info-viewer",
            json!([{"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}]),
            None,
        ),
    ]
}

fn bindings() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("cluster-admin", &["system:masters"]),
        ("system:discovery", &["system:authenticated"]),
        ("system:basic-user", &["system:authenticated"]),
        ("system:public-info-viewer", &["system:authenticated", "system:unauthenticated"]),
    ]
}
