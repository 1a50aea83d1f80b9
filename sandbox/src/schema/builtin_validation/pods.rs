//! Pods and pod templates.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::field_error::child;
use super::super::quantity::Quantity;
use super::super::{FieldError, names};
use super::common::{Checks, is_unset, items};

/// What may change in a Pod's spec once it exists.
const MUTABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn check_pod(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    check_pod_spec(checks, "spec", &new["spec"]);
    // A Pod runs what it names, so its images are looked at more closely than those of a template.
    for (path, container) in items("spec.containers", &new["spec"]["containers"]) {
        if let Some(image) = container["image"].as_str().filter(|image| image.trim() != *image) {
            let detail = "must not have leading or trailing whitespace";
            checks.invalid(&child(&path, "image"), &json!(image), detail);
        }
    }
    if let Some(old) = old {
        check_change(checks, &new["spec"], &old["spec"]);
    }
}

fn check_change(checks: &mut Checks, new: &Value, old: &Value) {
    let count = |spec: &Value, list: &str| spec[list].as_array().map_or(0, Vec::len);
    if count(new, "containers") != count(old, "containers") {
        checks.forbidden("spec.containers", "pod updates may not add or remove containers");
        return;
    }
    let mut comparable = old.clone();
    for list in ["containers", "initContainers"] {
        let images: Vec<Value> =
            items("", &new[list]).into_iter().map(|(_, container)| container["image"].clone()).collect();
        let containers = comparable.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.filter_map(Value::as_object_mut).zip(images) {
            container.insert("image".into(), image);
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates", "nodeName"] {
        match (new.get(field), comparable.as_object_mut()) {
            (Some(value), Some(map)) => {
                map.insert(field.to_owned(), value.clone());
            }
            (None, Some(map)) => {
                map.remove(field);
            }
            _ => {}
        }
    }
    let kept = |list: &Value, item: &Value| list.as_array().is_some_and(|items| items.contains(item));
    let lost = items("", &old["tolerations"]).iter().any(|(_, toleration)| !kept(&new["tolerations"], toleration));
    if comparable != *new || lost || (!old["nodeName"].is_null() && old["nodeName"] != new["nodeName"]) {
        checks.forbidden("spec", MUTABLE);
    }
}

/// The template of a workload: labels, annotations and pod spec.
pub(super) fn check_template(checks: &mut Checks, path: &str, template: &Value) {
    if let Some(labels) = template["metadata"].get("labels") {
        checks.labels(&format!("{path}.metadata.labels"), labels);
    }
    check_pod_spec(checks, &child(path, "spec"), &template["spec"]);
}

fn check_pod_spec(checks: &mut Checks, path: &str, spec: &Value) {
    let at = |field: &str| child(path, field);
    let volumes = check_volumes(checks, &at("volumes"), &spec["volumes"]);
    if is_unset(&spec["containers"]) {
        checks.required(&at("containers"), "");
    }
    let mut names_seen = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        for (path, container) in items(&at(list), &spec[list]) {
            check_container(checks, &path, container, &volumes);
            let name = container["name"].as_str().unwrap_or_default();
            if !name.is_empty() && !names_seen.insert(name) {
                checks.duplicate(&child(&path, "name"), &json!(name));
            }
        }
    }
    checks.one_of(&at("restartPolicy"), &spec["restartPolicy"], &["Always", "OnFailure", "Never"]);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    checks.one_of(&at("dnsPolicy"), &spec["dnsPolicy"], &policies);
    if let Some(selector) = spec.get("nodeSelector") {
        checks.labels(&at("nodeSelector"), selector);
    }
    if let Some(account) = spec["serviceAccountName"].as_str().filter(|name| !name.is_empty()) {
        checks.named(&at("serviceAccountName"), account, names::dns_subdomain(account));
    }
    if let Some(node) = spec["nodeName"].as_str().filter(|name| !name.is_empty()) {
        checks.named(&at("nodeName"), node, names::dns_subdomain(node));
    }
    let deadline = &spec["activeDeadlineSeconds"];
    if deadline.as_i64().is_some_and(|seconds| !(1..=i64::from(i32::MAX)).contains(&seconds)) {
        checks.invalid(&at("activeDeadlineSeconds"), deadline, "must be between 1 and 2147483647, inclusive");
    }
    for (path, toleration) in items(&at("tolerations"), &spec["tolerations"]) {
        check_toleration(checks, &path, toleration);
    }
    for (path, alias) in items(&at("hostAliases"), &spec["hostAliases"]) {
        checks.ip(&child(&path, "ip"), &alias["ip"]);
    }
}

fn check_toleration(checks: &mut Checks, path: &str, toleration: &Value) {
    let name = toleration["key"].as_str().unwrap_or_default();
    if !name.is_empty() {
        checks.named(&child(path, "key"), name, names::qualified_name(name));
    }
    let operator = toleration["operator"].as_str().unwrap_or_default();
    match operator {
        "" | "Equal" if name.is_empty() => {
            checks.invalid(
                &child(path, "operator"),
                &json!(operator),
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            );
        }
        "" | "Equal" | "Exists" => {}
        _ => checks.one_of(&child(path, "operator"), &json!(operator), &["Equal", "Exists"]),
    }
    if !toleration["tolerationSeconds"].is_null() && toleration["effect"] != "NoExecute" {
        checks.invalid(
            &child(path, "effect"),
            &toleration["effect"],
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        );
    }
}

/// Returns the names of the volumes, which mounts refer to.
fn check_volumes<'v>(checks: &mut Checks, path: &str, volumes: &'v Value) -> BTreeSet<&'v str> {
    let mut seen = BTreeSet::new();
    for (path, volume) in items(path, volumes) {
        let name = volume["name"].as_str().unwrap_or_default();
        let place = child(&path, "name");
        if name.is_empty() {
            checks.required(&place, "");
        } else {
            checks.named(&place, name, names::dns_label(name));
            if !seen.insert(name) {
                checks.duplicate(&place, &json!(name));
            }
        }
        let sources: Vec<&String> =
            volume.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "name").collect();
        for extra in sources.iter().skip(1) {
            checks.forbidden(&child(&path, extra), "may not specify more than 1 volume type");
        }
        for (source, field) in [
            ("configMap", "name"),
            ("secret", "secretName"),
            ("hostPath", "path"),
            ("persistentVolumeClaim", "claimName"),
        ] {
            if sources.first().is_some_and(|first| *first == source) && is_unset(&volume[source][field]) {
                checks.required(&format!("{path}.{source}.{field}"), "");
            }
        }
    }
    seen
}

fn check_container(checks: &mut Checks, path: &str, container: &Value, volumes: &BTreeSet<&str>) {
    let at = |field: &str| child(path, field);
    let name = container["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        checks.required(&at("name"), "");
    } else {
        checks.named(&at("name"), name, names::dns_label(name));
    }
    if is_unset(&container["image"]) {
        checks.required(&at("image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    checks.one_of(&at("terminationMessagePolicy"), &container["terminationMessagePolicy"], &policies);
    check_ports(checks, &at("ports"), &container["ports"]);
    for (path, variable) in items(&at("env"), &container["env"]) {
        check_variable(checks, &path, variable);
    }
    for (path, mount) in items(&at("volumeMounts"), &container["volumeMounts"]) {
        let name = mount["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            checks.required(&child(&path, "name"), "");
        } else if !volumes.contains(name) {
            checks.errors.push(FieldError::not_found(child(&path, "name"), name));
        }
        if is_unset(&mount["mountPath"]) {
            checks.required(&child(&path, "mountPath"), "");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe_value) = container.get(probe) {
            check_probe(checks, &at(probe), probe_value, probe != "readinessProbe");
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(handler) = container["lifecycle"].get(hook) {
            check_handler(checks, &format!("{path}.lifecycle.{hook}"), handler);
        }
    }
    checks.one_of(&at("imagePullPolicy"), &container["imagePullPolicy"], &["Always", "IfNotPresent", "Never"]);
    check_resources(checks, &at("resources"), &container["resources"]);
}

fn check_ports(checks: &mut Checks, path: &str, ports: &Value) {
    let mut seen = BTreeSet::new();
    for (path, port) in items(path, ports) {
        if let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) {
            let place = child(&path, "name");
            let problems = names::port_name(name);
            if !problems.is_empty() {
                checks.named(&place, name, problems);
            } else if !seen.insert(name) {
                checks.duplicate(&place, &json!(name));
            }
        }
        match port["containerPort"].as_i64() {
            None | Some(0) => checks.required(&child(&path, "containerPort"), ""),
            Some(_) => checks.port(&child(&path, "containerPort"), &port["containerPort"]),
        }
        if port["hostPort"].as_i64().is_some_and(|number| number != 0) {
            checks.port(&child(&path, "hostPort"), &port["hostPort"]);
        }
        checks.one_of(&child(&path, "protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
    }
}

fn check_variable(checks: &mut Checks, path: &str, variable: &Value) {
    let name = variable["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        checks.required(&child(path, "name"), "");
    } else if !name.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=') {
        let detail = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        checks.invalid(&child(path, "name"), &json!(name), detail);
    }
    let Some(source) = variable.get("valueFrom") else { return };
    let place = child(path, "valueFrom");
    let count = source.as_object().map_or(0, serde_json::Map::len);
    if count == 0 {
        checks.invalid(
            &place,
            &json!(""),
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        );
    }
    if variable["value"].as_str().is_some_and(|value| !value.is_empty()) {
        checks.invalid(&place, &json!(""), "may not be specified when `value` is not empty");
    } else if count > 1 {
        checks.invalid(&place, &json!(""), "may not have more than one field specified at a time");
    }
}

fn check_probe(checks: &mut Checks, path: &str, probe: &Value, must_succeed_once: bool) {
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        checks.not_negative(&child(path, field), &probe[field]);
    }
    check_handler(checks, path, probe);
    if must_succeed_once && probe["successThreshold"] != 1 {
        checks.invalid(&child(path, "successThreshold"), &probe["successThreshold"], "must be 1");
    }
}

fn check_handler(checks: &mut Checks, path: &str, handler: &Value) {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| handler.get(kind).is_some()).collect();
    for extra in given.iter().skip(1) {
        checks.forbidden(&child(path, extra), "may not specify more than 1 handler type");
    }
    match given.first() {
        None => checks.required(path, "must specify a handler type"),
        Some(&"exec") if is_unset(&handler["exec"]["command"]) => {
            checks.required(&format!("{path}.exec.command"), "");
        }
        Some(&"httpGet") => {
            if is_unset(&handler["httpGet"]["path"]) {
                checks.required(&format!("{path}.httpGet.path"), "");
            }
            checks.port_or_name(&format!("{path}.httpGet.port"), &handler["httpGet"]["port"]);
        }
        Some(&"tcpSocket") => {
            checks.port_or_name(&format!("{path}.tcpSocket.port"), &handler["tcpSocket"]["port"]);
        }
        Some(_) => {}
    }
}

fn check_resources(checks: &mut Checks, path: &str, resources: &Value) {
    let amount = |value: &Value| value.as_str().and_then(Quantity::parse);
    for list in ["limits", "requests"] {
        for (name, value) in resources[list].as_object().into_iter().flatten() {
            if amount(value).is_some_and(Quantity::is_negative) {
                let place = format!("{path}.{list}[{name}]");
                checks.invalid(&place, value, "must be greater than or equal to 0");
            }
            let domain = name.split_once('/').map(|(domain, _)| domain);
            let foreign = domain.is_some_and(|domain| !domain.ends_with("kubernetes.io"));
            let whole = |quantity: Quantity| quantity.nanos() % 1_000_000_000 == 0;
            if foreign && !amount(value).is_none_or(whole) {
                checks.invalid(&format!("{path}.{list}[{name}]"), value, "must be an integer");
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        if let (Some(requested), Some(limited)) = (amount(request), amount(limit))
            && requested > limited
        {
            let shown = limit.as_str().unwrap_or_default();
            let detail = format!("must be less than or equal to {name} limit of {shown}");
            checks.invalid(&child(path, "requests"), request, &detail);
        }
    }
}
