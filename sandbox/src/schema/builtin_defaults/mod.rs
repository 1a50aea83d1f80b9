//! What a real server adds to an object of a built-in kind, or takes from it, before it looks any closer.

mod autoscaling;
mod configuration;
mod definitions;
mod jobs;
mod networking;
mod pods;
mod rbac;
mod services;
mod wire;
mod workloads;

use serde_json::{Map, Value, json};

use super::{builtin_schema, default};

pub use jobs::generate_selector;
pub use pods::{admit_pod, pod_status};

type Object = Map<String, Value>;

/// Brings a decoded object into the form in which a real server holds it: canonical quantities, nothing that says
/// nothing, the fields that are always shown, and the defaults of its kind. Doing it twice changes nothing more.
pub fn default_builtin(api_version: &str, kind: &str, value: &mut Value) {
    let Some(schema) = builtin_schema(api_version, kind) else { return };
    wire::settle(schema, value);
    default(schema, value);
    let Value::Object(object) = value else { return };
    match (api_version, kind) {
        ("v1", "Pod") => pods::default_pod(object),
        ("v1", "PodTemplate") => pods::default_template(object),
        ("v1", "Service") => services::default_service(object),
        ("v1", "Endpoints") => services::default_endpoints(object),
        ("discovery.k8s.io/v1", "EndpointSlice") => services::default_endpoint_slice(object),
        ("v1", "Secret") => configuration::default_secret(object),
        ("v1", "Namespace") => configuration::default_namespace(object),
        ("v1", "Node") => configuration::default_node(object),
        ("v1", "PersistentVolumeClaim") => configuration::default_claim(object),
        ("v1", "ReplicationController") => workloads::default_replication_controller(object),
        ("apps/v1", "Deployment") => workloads::default_deployment(object),
        ("apps/v1", "ReplicaSet") => workloads::default_replica_set(object),
        ("apps/v1", "StatefulSet") => workloads::default_stateful_set(object),
        ("apps/v1", "DaemonSet") => workloads::default_daemon_set(object),
        ("batch/v1", "Job") => jobs::default_job(object),
        ("batch/v1", "CronJob") => jobs::default_cron_job(object),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => autoscaling::default_autoscaler(object),
        ("networking.k8s.io/v1", "NetworkPolicy") => networking::default_network_policy(object),
        ("networking.k8s.io/v1", "IngressClass") => networking::default_ingress_class(object),
        ("rbac.authorization.k8s.io/v1", "RoleBinding" | "ClusterRoleBinding") => rbac::default_binding(object),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => definitions::default_definition(object),
        _ => {}
    }
    wire::show_nulls(schema, value);
}

/// A nested object, made if it is not there. A value of another type is left alone.
fn nested<'a>(object: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    let place = object.entry(name).or_insert_with(|| json!({}));
    if place.is_null() {
        *place = json!({});
    }
    place.as_object_mut()
}

/// A nested object if it is there.
fn existing<'a>(object: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    object.get_mut(name)?.as_object_mut()
}

/// The objects of a list.
fn each<'a>(object: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> {
    object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Sets a field that is absent.
fn absent(object: &mut Object, name: &str, value: impl Into<Value>) {
    if object.get(name).is_none_or(Value::is_null) {
        object.insert(name.to_owned(), value.into());
    }
}

/// Sets a field that is absent, zero or an empty text: for fields whose zero means "not said".
fn unset(object: &mut Object, name: &str, value: impl Into<Value>) {
    let said = object.get(name).is_some_and(|now| !now.is_null() && now != "" && now != 0);
    if !said {
        object.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests;
