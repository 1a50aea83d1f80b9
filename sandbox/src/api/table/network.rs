//! Columns of what routes requests.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Layout, age_of, list, name_of, or_none, text};
use crate::api::selector::LabelSelector;

/// Longer lists are cut, with the number of what is left out.
const SHOWN_ENDPOINTS: usize = 3;

pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Service" => Layout {
            columns: &["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"],
            cells: service,
        },
        "Ingress" => Layout { columns: &["Name", "Class", "Hosts", "Address", "Ports", "Age"], cells: ingress },
        "Endpoints" => Layout { columns: &["Name", "Endpoints", "Age"], cells: endpoints },
        "EndpointSlice" => {
            Layout { columns: &["Name", "AddressType", "Ports", "Endpoints", "Age"], cells: endpoint_slice }
        }
        _ => return None,
    })
}

fn service(value: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = list(value, "spec.ports")
        .iter()
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["nodePort"].as_i64() {
                Some(node_port) if node_port != 0 => format!("{}:{node_port}/{protocol}", port["port"]),
                _ => format!("{}/{protocol}", port["port"]),
            }
        })
        .collect();
    let selector = value["spec"]["selector"].as_object().map(|labels| LabelSelector::from_map(labels).to_string());
    vec![
        name_of(value),
        json!(text(value, "spec.type")),
        json!(or_none(text(value, "spec.clusterIP"))),
        json!(external_address(value)),
        json!(or_none(&ports.join(","))),
        age_of(value, now),
        json!(or_none(&selector.unwrap_or_default())),
    ]
}

fn external_address(value: &Value) -> String {
    let given: Vec<&str> = list(value, "spec.externalIPs").iter().filter_map(Value::as_str).collect();
    match text(value, "spec.type") {
        "ExternalName" => text(value, "spec.externalName").to_owned(),
        "LoadBalancer" => {
            let mut all = balanced(value);
            all.extend(given.iter().map(|address| (*address).to_owned()));
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ => or_none(&given.join(",")),
    }
}

fn balanced(value: &Value) -> Vec<String> {
    list(value, "status.loadBalancer.ingress")
        .iter()
        .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
        .map(str::to_owned)
        .collect()
}

fn ingress(value: &Value, now: Timestamp) -> Vec<Value> {
    let hosts: Vec<&str> = list(value, "spec.rules")
        .iter()
        .filter_map(|rule| rule["host"].as_str())
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") };
    let ports = if list(value, "spec.tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name_of(value),
        json!(or_none(text(value, "spec.ingressClassName"))),
        json!(hosts),
        json!(balanced(value).join(",")),
        json!(ports),
        age_of(value, now),
    ]
}

fn endpoints(value: &Value, now: Timestamp) -> Vec<Value> {
    let mut found = Vec::new();
    for subset in list(value, "subsets") {
        let ports = list(subset, "ports");
        for address in list(subset, "addresses") {
            let ip = address["ip"].as_str().unwrap_or("");
            if ports.is_empty() {
                found.push(ip.to_owned());
            }
            found.extend(ports.iter().map(|port| format!("{ip}:{}", port["port"])));
        }
    }
    vec![name_of(value), json!(shortened(&found)), age_of(value, now)]
}

fn endpoint_slice(value: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = list(value, "ports")
        .iter()
        .map(|port| match port["port"].as_i64() {
            Some(number) => number.to_string(),
            None => "*".to_owned(),
        })
        .collect();
    let addresses: Vec<String> = list(value, "endpoints")
        .iter()
        .flat_map(|endpoint| list(endpoint, "addresses"))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let unset = |text: String| if text == "<none>" { "<unset>".to_owned() } else { text };
    vec![
        name_of(value),
        json!(text(value, "addressType")),
        json!(unset(shortened(&ports))),
        json!(unset(shortened(&addresses))),
        age_of(value, now),
    ]
}

fn shortened(all: &[String]) -> String {
    match all.len() {
        0 => "<none>".to_owned(),
        count if count > SHOWN_ENDPOINTS => {
            format!("{} + {} more...", all[..SHOWN_ENDPOINTS].join(","), count - SHOWN_ENDPOINTS)
        }
        _ => all.join(","),
    }
}
