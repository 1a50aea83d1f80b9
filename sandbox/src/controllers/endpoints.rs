//! Endpoints of a Service: which pods behind its selector can be reached, in slices of a hundred, and
//! the older `Endpoints` form beside them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::object::{at, controller_reference, is_being_deleted, name, namespace, set, text, uid};
use super::pods::{is_finished, is_ready};
use super::write::{Decision, Kind, Write};

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const US: &str = "endpointslice-controller.k8s.io";
const SLICE_LENGTH: usize = 100;

/// Decides for one Service. `pods` are those of its namespace; `slices` the EndpointSlices labelled
/// with its name; `endpoints` its `Endpoints` object, if there is one.
#[must_use]
pub fn decide(service: &Value, pods: &[&Value], slices: &[&Value], endpoints: Option<&Value>) -> Decision {
    let selector = at(service, &["spec", "selector"]);
    let has_selector = selector.as_object().is_some_and(|pairs| !pairs.is_empty());
    if !has_selector || is_being_deleted(service) || text(service, &["spec", "type"]) == "ExternalName" {
        return Decision::nothing();
    }
    let mut behind: Vec<&Value> =
        pods.iter().copied().filter(|pod| selects(selector, pod) && is_reachable(pod)).collect();
    behind.sort_by_key(|pod| name(pod));
    let mut decision = Decision::nothing();
    write_slices(service, &behind, slices, &mut decision);
    write_endpoints(service, &behind, endpoints, &mut decision);
    decision
}

fn selects(selector: &Value, pod: &Value) -> bool {
    let labels = at(pod, &["metadata", "labels"]);
    selector.as_object().is_some_and(|pairs| pairs.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

fn is_reachable(pod: &Value) -> bool {
    !text(pod, &["status", "podIP"]).is_empty() && !is_finished(pod)
}

/// The same ports for every pod, unless a named target port means another number in some pods.
type Ports = Vec<Value>;

fn ports_of(service: &Value, pod: &Value) -> Ports {
    at(service, &["spec", "ports"])
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|port| {
            let number = target_port(port, pod)?;
            let protocol = port.get("protocol").cloned().unwrap_or_else(|| json!("TCP"));
            let mut entry = json!({"port": number, "protocol": protocol});
            set(&mut entry, &["name"], json!(text(port, &["name"])));
            if let Some(application) = port.get("appProtocol") {
                set(&mut entry, &["appProtocol"], application.clone());
            }
            Some(entry)
        })
        .collect()
}

fn target_port(port: &Value, pod: &Value) -> Option<i64> {
    match port.get("targetPort") {
        None | Some(Value::Null) => at(port, &["port"]).as_i64(),
        Some(Value::String(wanted)) => at(pod, &["spec", "containers"])
            .as_array()?
            .iter()
            .flat_map(|container| at(container, &["ports"]).as_array().into_iter().flatten())
            .find(|candidate| text(candidate, &["name"]) == wanted)
            .and_then(|candidate| at(candidate, &["containerPort"]).as_i64()),
        Some(number) => number.as_i64().filter(|number| *number != 0).or_else(|| at(port, &["port"]).as_i64()),
    }
}

fn by_ports<'a>(service: &Value, pods: &[&'a Value]) -> Vec<(Ports, Vec<&'a Value>)> {
    let mut groups: BTreeMap<String, (Ports, Vec<&Value>)> = BTreeMap::new();
    for &pod in pods {
        let ports = ports_of(service, pod);
        let key = Value::Array(ports.clone()).to_string();
        groups.entry(key).or_insert_with(|| (ports, Vec::new())).1.push(pod);
    }
    groups.into_values().collect()
}

fn write_slices(service: &Value, pods: &[&Value], slices: &[&Value], decision: &mut Decision) {
    let mut wanted: Vec<(Value, Value)> = by_ports(service, pods)
        .iter()
        .flat_map(|(ports, pods)| {
            pods.chunks(SLICE_LENGTH).map(|chunk| {
                let endpoints = chunk.iter().map(|pod| endpoint(service, pod)).collect();
                (Value::Array(ports.clone()), Value::Array(endpoints))
            })
        })
        .collect();
    if wanted.is_empty() {
        // A Service with nobody behind it still has a slice, so that watchers learn of its emptiness.
        wanted.push((Value::Null, json!([])));
    }
    let mut ours: Vec<&Value> = slices
        .iter()
        .copied()
        .filter(|slice| text(slice, &["metadata", "labels", MANAGED_BY]) == US && !is_being_deleted(slice))
        .collect();
    ours.sort_by_key(|slice| name(slice));
    let mut kept = ours.into_iter();
    for (ports, endpoints) in wanted {
        match kept.next() {
            Some(slice) => {
                let mut changed = slice.clone();
                fill_slice(&mut changed, service, ports, endpoints);
                if &changed != slice {
                    decision.writes.push(Write::Replace(Kind::EndpointSlice, changed));
                }
            }
            None => {
                let mut slice = json!({
                    "apiVersion": Kind::EndpointSlice.api_version(),
                    "kind": Kind::EndpointSlice.name(),
                    "metadata": {
                        "generateName": format!("{}-", name(service)),
                        "namespace": namespace(service),
                        "ownerReferences": [controller_reference(service)],
                    },
                    "addressType": "IPv4",
                });
                fill_slice(&mut slice, service, ports, endpoints);
                decision.writes.push(Write::Create(Kind::EndpointSlice, slice));
            }
        }
    }
    for surplus in kept {
        decision.writes.push(Write::Delete {
            kind: Kind::EndpointSlice,
            namespace: namespace(surplus).to_owned(),
            name: name(surplus).to_owned(),
            uid: uid(surplus).to_owned(),
        });
    }
}

fn fill_slice(slice: &mut Value, service: &Value, ports: Value, endpoints: Value) {
    let mut labels: Map<String, Value> = at(service, &["metadata", "labels"]).as_object().cloned().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), json!(name(service)));
    labels.insert(MANAGED_BY.to_owned(), json!(US));
    if text(service, &["spec", "clusterIP"]) == "None" {
        labels.insert("service.kubernetes.io/headless".to_owned(), json!(""));
    }
    set(slice, &["metadata", "labels"], Value::Object(labels));
    set(slice, &["ports"], ports);
    set(slice, &["endpoints"], endpoints);
}

fn endpoint(service: &Value, pod: &Value) -> Value {
    let terminating = is_being_deleted(pod);
    let serving = is_ready(pod);
    let unready_too = at(service, &["spec", "publishNotReadyAddresses"]) == &Value::Bool(true);
    let mut endpoint = json!({
        "addresses": [text(pod, &["status", "podIP"])],
        "conditions": {
            "ready": unready_too || (serving && !terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": pod_reference(pod),
    });
    let node = text(pod, &["spec", "nodeName"]);
    if !node.is_empty() {
        set(&mut endpoint, &["nodeName"], json!(node));
    }
    endpoint
}

fn pod_reference(pod: &Value) -> Value {
    json!({"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)})
}

fn write_endpoints(service: &Value, pods: &[&Value], endpoints: Option<&Value>, decision: &mut Decision) {
    let subsets: Vec<Value> = by_ports(service, pods)
        .into_iter()
        .filter_map(|(ports, pods)| {
            let (ready, unready): (Vec<&Value>, Vec<&Value>) =
                pods.into_iter().filter(|pod| !is_being_deleted(pod)).partition(|pod| is_ready(pod));
            let mut subset = json!({});
            for (key, pods) in [("addresses", ready), ("notReadyAddresses", unready)] {
                if !pods.is_empty() {
                    let addresses = pods.into_iter().map(address).collect();
                    set(&mut subset, &[key], Value::Array(addresses));
                }
            }
            let somebody = subset.as_object().is_some_and(|subset| !subset.is_empty());
            if !ports.is_empty() {
                set(&mut subset, &["ports"], Value::Array(ports.into_iter().map(nameless_if_empty).collect()));
            }
            somebody.then_some(subset)
        })
        .collect();
    let existing = endpoints.cloned();
    let mut wanted = existing.clone().unwrap_or_else(|| {
        json!({
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": name(service), "namespace": namespace(service)},
        })
    });
    if let Some(labels) = at(service, &["metadata", "labels"]).as_object() {
        for (key, value) in labels {
            set(&mut wanted, &["metadata", "labels", key], value.clone());
        }
    }
    set(&mut wanted, &["metadata", "labels", "endpoints.kubernetes.io/managed-by"], json!("endpoint-controller"));
    if subsets.is_empty() {
        if let Some(wanted) = wanted.as_object_mut() {
            wanted.remove("subsets");
        }
    } else {
        set(&mut wanted, &["subsets"], Value::Array(subsets));
    }
    match existing {
        None => decision.writes.push(Write::Create(Kind::Endpoints, wanted)),
        Some(existing) if existing != wanted => {
            decision.writes.push(Write::Replace(Kind::Endpoints, wanted));
        }
        Some(_) => {}
    }
}

fn nameless_if_empty(mut port: Value) -> Value {
    if text(&port, &["name"]).is_empty()
        && let Some(port) = port.as_object_mut()
    {
        port.remove("name");
    }
    port
}

fn address(pod: &Value) -> Value {
    let mut address = json!({"ip": text(pod, &["status", "podIP"]), "targetRef": pod_reference(pod)});
    let node = text(pod, &["spec", "nodeName"]);
    if !node.is_empty() {
        set(&mut address, &["nodeName"], json!(node));
    }
    address
}
