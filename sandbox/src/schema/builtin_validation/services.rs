//! Services, Endpoints and EndpointSlices.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::field_error::child;
use super::super::names;
use super::common::{Checks, is_unset, items};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

pub(super) fn check_service(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let spec = &new["spec"];
    let kind = spec["type"].as_str().unwrap_or_default();
    let headless = spec["clusterIP"] == "None";
    if kind == "ExternalName" {
        if is_unset(&spec["externalName"]) {
            checks.required("spec.externalName", "");
        }
    } else if is_unset(&spec["ports"]) && !headless {
        checks.required("spec.ports", "");
    }
    check_ports(checks, spec);
    if let Some(selector) = spec.get("selector") {
        checks.labels("spec.selector", selector);
    }
    checks.one_of("spec.sessionAffinity", &spec["sessionAffinity"], &["ClientIP", "None"]);
    checks.one_of("spec.type", &spec["type"], &TYPES);
    for (path, address) in items("spec.clusterIPs", &spec["clusterIPs"]) {
        if *address != "None" {
            checks.ip(&path, address);
        }
    }
    if kind == "ClusterIP" {
        for (path, port) in items("spec.ports", &spec["ports"]) {
            if port["nodePort"].as_i64().is_some_and(|number| number != 0) {
                checks.forbidden(&child(&path, "nodePort"), "may not be used when `type` is 'ClusterIP'");
            }
        }
    }
    if let Some(old) = old {
        check_address_change(checks, spec, &old["spec"]);
    }
}

fn check_ports(checks: &mut Checks, spec: &Value) {
    let several = spec["ports"].as_array().is_some_and(|ports| ports.len() > 1);
    let mut seen = BTreeSet::new();
    for (path, port) in items("spec.ports", &spec["ports"]) {
        let name = port["name"].as_str().unwrap_or_default();
        let place = child(&path, "name");
        if name.is_empty() {
            if several {
                checks.required(&place, "");
            }
        } else {
            checks.named(&place, name, names::dns_label(name));
            if !seen.insert(name) {
                checks.duplicate(&place, &json!(name));
            }
        }
        checks.port(&child(&path, "port"), &port["port"]);
        checks.one_of(&child(&path, "protocol"), &port["protocol"], &PROTOCOLS);
        checks.port_or_name(&child(&path, "targetPort"), &port["targetPort"]);
    }
}

/// An address, once given, is part of what clients know the Service by.
fn check_address_change(checks: &mut Checks, new: &Value, old: &Value) {
    let needs_address = |spec: &Value| spec["type"] != "ExternalName";
    let (before, now) = (&old["clusterIPs"], &new["clusterIPs"]);
    if needs_address(old) && needs_address(new) && !is_unset(before) && before[0] != now[0] {
        checks.invalid("spec.clusterIPs[0]", now, "may not change once set");
    }
}

pub(super) fn check_endpoints(checks: &mut Checks, new: &Value) {
    for (path, subset) in items("subsets", &new["subsets"]) {
        if is_unset(&subset["addresses"]) && is_unset(&subset["notReadyAddresses"]) {
            checks.required(&path, "must specify `addresses` or `notReadyAddresses`");
        }
        for list in ["addresses", "notReadyAddresses"] {
            for (path, address) in items(&child(&path, list), &subset[list]) {
                checks.ip(&child(&path, "ip"), &address["ip"]);
            }
        }
        let several = subset["ports"].as_array().is_some_and(|ports| ports.len() > 1);
        for (path, port) in items(&child(&path, "ports"), &subset["ports"]) {
            if several && is_unset(&port["name"]) {
                checks.required(&child(&path, "name"), "");
            }
            checks.port(&child(&path, "port"), &port["port"]);
            checks.one_of(&child(&path, "protocol"), &port["protocol"], &PROTOCOLS);
        }
    }
}

pub(super) fn check_endpoint_slice(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let kind = &new["addressType"];
    if is_unset(kind) {
        checks.required("addressType", "");
    } else {
        checks.one_of("addressType", kind, &["FQDN", "IPv4", "IPv6"]);
    }
    let mut seen = BTreeSet::new();
    for (path, port) in items("ports", &new["ports"]) {
        let name = port["name"].as_str().unwrap_or_default();
        if !name.is_empty() {
            checks.named(&child(&path, "name"), name, names::dns_label(name));
        }
        if !seen.insert(name) {
            checks.duplicate(&child(&path, "name"), &json!(name));
        }
        checks.one_of(&child(&path, "protocol"), &port["protocol"], &PROTOCOLS);
    }
    for (path, endpoint) in items("endpoints", &new["endpoints"]) {
        if is_unset(&endpoint["addresses"]) {
            checks.required(&child(&path, "addresses"), "must contain at least 1 address");
        }
        for (path, address) in items(&child(&path, "addresses"), &endpoint["addresses"]) {
            if *kind == "IPv4" || *kind == "IPv6" {
                checks.ip(&path, address);
            }
        }
    }
    if let Some(old) = old {
        checks.unchanged("addressType", kind, &old["addressType"]);
    }
}
