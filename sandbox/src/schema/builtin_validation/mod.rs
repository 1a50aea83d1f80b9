//! Whether an object of a built-in kind makes sense: what a real server checks after decoding and defaulting.

mod autoscaling;
mod common;
mod configuration;
mod jobs;
mod networking;
mod pods;
mod policy;
mod rbac;
mod services;
mod workloads;

use serde_json::Value;

use super::metadata::{self, NameCheck};
use super::{FieldError, names};
use common::Checks;

/// All complaints about a new object, or about `new` as the successor of `old`.
pub fn validate_builtin(api_version: &str, kind: &str, new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let meta = &new["metadata"];
    let mut errors = match old {
        Some(old) => metadata::validate_update(meta, &old["metadata"]),
        None => metadata::validate(meta, is_namespaced(kind), name_check(api_version, kind)),
    };
    let mut checks = Checks::default();
    if kind != "CustomResourceDefinition" {
        checks.finalizers(&meta["finalizers"]);
    }
    match (api_version, kind) {
        ("v1", "Pod") => pods::check_pod(&mut checks, new, old),
        ("v1", "Service") => services::check_service(&mut checks, new, old),
        ("v1", "Endpoints") => services::check_endpoints(&mut checks, new),
        ("discovery.k8s.io/v1", "EndpointSlice") => services::check_endpoint_slice(&mut checks, new, old),
        ("v1", "ConfigMap") => configuration::check_config_map(&mut checks, new, old),
        ("v1", "Secret") => configuration::check_secret(&mut checks, new, old),
        ("v1", "Node") => configuration::check_node(&mut checks, new),
        ("v1", "Event") => configuration::check_event(&mut checks, new),
        ("apps/v1", "Deployment") => workloads::check_deployment(&mut checks, new, old),
        ("apps/v1", "ReplicaSet") => workloads::check_replica_set(&mut checks, new, old),
        ("apps/v1", "StatefulSet" | "DaemonSet") => workloads::check_other(&mut checks, new, old),
        ("batch/v1", "Job") => jobs::check_job(&mut checks, new, old),
        ("networking.k8s.io/v1", "Ingress") => networking::check_ingress(&mut checks, new),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => autoscaling::check_autoscaler(&mut checks, new),
        ("policy/v1", "PodDisruptionBudget") => policy::check_budget(&mut checks, new),
        ("coordination.k8s.io/v1", "Lease") => policy::check_lease(&mut checks, new),
        ("rbac.authorization.k8s.io/v1", "Role" | "ClusterRole") => rbac::check_role(&mut checks, new, kind == "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding" | "ClusterRoleBinding") => {
            rbac::check_binding(&mut checks, new, old, kind == "RoleBinding");
        }
        _ => {}
    }
    errors.extend(checks.errors);
    errors
}

/// Whether objects of a built-in kind live in namespaces.
pub fn is_namespaced(kind: &str) -> bool {
    !matches!(
        kind,
        "Namespace"
            | "Node"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "CustomResourceDefinition"
            | "PriorityClass"
            | "IngressClass"
            | "SelfSubjectAccessReview"
            | "SelfSubjectRulesReview"
            | "SubjectAccessReview"
    )
}

fn name_check(api_version: &str, kind: &str) -> NameCheck {
    match kind {
        // What stands in DNS has to be a label.
        "Namespace" | "Service" => names::dns_label,
        _ if api_version == "rbac.authorization.k8s.io/v1" => names::path_segment,
        _ => names::dns_subdomain,
    }
}

#[cfg(test)]
mod tests;
