//! Pods and pod templates.

use serde_json::{Value, json};

use super::super::quantity::Quantity;
use super::{Object, absent, each, existing, nested, unset};

const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
const TOKEN_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Defaults of a Pod: those of its spec, and some that templates do not get.
pub(super) fn default_pod(pod: &mut Object) {
    let Some(spec) = nested(pod, "spec") else { return };
    default_pod_spec(spec);
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            requests_from_limits(container);
        }
    }
    absent(spec, "enableServiceLinks", true);
    host_ports(spec);
}

/// Limits without requests are requests too.
fn requests_from_limits(container: &mut Object) {
    let Some(resources) = existing(container, "resources") else { return };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else { return };
    if let Some(requests) = nested(resources, "requests") {
        for (name, limit) in limits {
            absent(requests, &name, limit);
        }
    }
}

fn host_ports(spec: &mut Object) {
    if spec.get("hostNetwork") != Some(&Value::Bool(true)) {
        return;
    }
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            for port in each(container, "ports") {
                if let Some(number) = port.get("containerPort").cloned() {
                    unset(port, "hostPort", number);
                }
            }
        }
    }
}

/// Defaults of an object with a `template`.
pub(super) fn default_template(holder: &mut Object) {
    if let Some(template) = nested(holder, "template")
        && let Some(spec) = nested(template, "spec")
    {
        default_pod_spec(spec);
    }
}

fn default_pod_spec(spec: &mut Object) {
    for list in CONTAINER_LISTS {
        for container in each(spec, list) {
            default_container(container);
        }
    }
    for volume in each(spec, "volumes") {
        default_volume(volume);
    }
    unset(spec, "restartPolicy", "Always");
    absent(spec, "terminationGracePeriodSeconds", 30);
    unset(spec, "dnsPolicy", "ClusterFirst");
    absent(spec, "securityContext", json!({}));
    unset(spec, "schedulerName", "default-scheduler");
    // The older name of the service account is kept in step with the newer one.
    let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).cloned();
    if let Some(account) = account {
        spec.insert("serviceAccount".into(), account.clone());
        spec.insert("serviceAccountName".into(), account);
    }
}

fn default_container(container: &mut Object) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = pull_policy(image);
    unset(container, "imagePullPolicy", policy);
    unset(container, "terminationMessagePath", "/dev/termination-log");
    unset(container, "terminationMessagePolicy", "File");
    for port in each(container, "ports") {
        unset(port, "protocol", "TCP");
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = existing(container, probe) {
            default_probe(probe);
        }
    }
    for variable in each(container, "env") {
        if let Some(field) = existing(variable, "valueFrom").and_then(|from| existing(from, "fieldRef")) {
            unset(field, "apiVersion", "v1");
        }
    }
    if let Some(lifecycle) = existing(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(request) = existing(lifecycle, hook).and_then(|hook| existing(hook, "httpGet")) {
                default_request(request);
            }
        }
    }
}

fn default_probe(probe: &mut Object) {
    unset(probe, "timeoutSeconds", 1);
    unset(probe, "periodSeconds", 10);
    unset(probe, "successThreshold", 1);
    unset(probe, "failureThreshold", 3);
    if let Some(request) = existing(probe, "httpGet") {
        default_request(request);
    }
    if let Some(grpc) = existing(probe, "grpc") {
        absent(grpc, "service", "");
    }
}

fn default_request(request: &mut Object) {
    unset(request, "path", "/");
    unset(request, "scheme", "HTTP");
}

/// Images that are `latest`, by word or by silence, are pulled each time.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = match name.split_once(':') {
        _ if name.contains('@') => false,
        Some((_, tag)) => tag == "latest",
        None => !image.is_empty(),
    };
    if latest { "Always" } else { "IfNotPresent" }
}

fn default_volume(volume: &mut Object) {
    if volume.keys().all(|name| name == "name") {
        volume.insert("emptyDir".into(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = existing(volume, source) {
            absent(source, "defaultMode", 420);
            for item in each(source, "items") {
                default_field_item(item);
            }
            for projection in each(source, "sources") {
                if let Some(token) = existing(projection, "serviceAccountToken") {
                    absent(token, "expirationSeconds", 3600);
                }
                if let Some(downward) = existing(projection, "downwardAPI") {
                    each(downward, "items").for_each(default_field_item);
                }
            }
        }
    }
    if let Some(path) = existing(volume, "hostPath") {
        absent(path, "type", "");
    }
    if let Some(image) = existing(volume, "image") {
        let policy = pull_policy(image.get("reference").and_then(Value::as_str).unwrap_or_default());
        unset(image, "pullPolicy", policy);
    }
}

fn default_field_item(item: &mut Object) {
    if let Some(field) = existing(item, "fieldRef") {
        unset(field, "apiVersion", "v1");
    }
}

/// What the admission plugins of a plain cluster add to a new Pod: its service account with a token volume of the
/// given name, its priority, and how long it bears a lost node.
pub fn admit_pod(pod: &mut Value, token_volume: &str) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
    unset(spec, "serviceAccountName", "default");
    let account = spec.get("serviceAccountName").cloned().unwrap_or_default();
    spec.insert("serviceAccount".into(), account);
    absent(spec, "priority", 0);
    absent(spec, "preemptionPolicy", "PreemptLowerPriority");
    if spec.get("automountServiceAccountToken") != Some(&Value::Bool(false)) {
        mount_token(spec, token_volume);
    }
    tolerate_lost_nodes(spec);
}

fn mount_token(spec: &mut Object, volume: &str) {
    let mut needed = false;
    for list in ["initContainers", "containers"] {
        for container in each(spec, list) {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if mounts.iter().all(|mount| mount["mountPath"] != TOKEN_MOUNT) {
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": TOKEN_MOUNT}));
                needed = true;
            }
        }
    }
    if !needed {
        return;
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}}));
    }
}

fn tolerate_lost_nodes(spec: &mut Object) {
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(tolerations) = tolerations.as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|toleration| {
            let applies = |field: &str, wanted: &str| {
                toleration.get(field).and_then(Value::as_str).is_none_or(|now| now.is_empty() || now == wanted)
            };
            applies("key", key) && applies("effect", "NoExecute")
        });
        if !tolerated {
            tolerations
                .push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

/// The status of a Pod that was just created.
pub fn pod_status(pod: &Value) -> Value {
    json!({"phase": "Pending", "qosClass": quality_of_service(pod)})
}

fn quality_of_service(pod: &Value) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    for list in ["containers", "initContainers"] {
        for container in pod["spec"][list].as_array().into_iter().flatten() {
            let amount = |kind: &str, resource: &str| {
                let text = container["resources"][kind][resource].as_str()?;
                Quantity::parse(text).filter(|quantity| quantity.nanos() > 0)
            };
            for resource in ["cpu", "memory"] {
                let (request, limit) = (amount("requests", resource), amount("limits", resource));
                any |= request.is_some() || limit.is_some();
                guaranteed &= limit.is_some() && request.is_none_or(|request| Some(request) == limit);
            }
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
