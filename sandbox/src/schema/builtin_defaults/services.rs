//! Services and what they resolve to.

use serde_json::Value;

use super::{Object, absent, each, existing, nested, unset};

pub(super) fn default_service(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    unset(spec, "sessionAffinity", "None");
    if spec.get("sessionAffinity").is_some_and(|affinity| affinity == "ClientIP") {
        let client = nested(spec, "sessionAffinityConfig").and_then(|config| nested(config, "clientIP"));
        if let Some(client) = client {
            absent(client, "timeoutSeconds", 10_800);
        }
    } else {
        spec.remove("sessionAffinityConfig");
    }
    unset(spec, "type", "ClusterIP");
    for port in each(spec, "ports") {
        unset(port, "protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            unset(port, "targetPort", number);
        }
    }
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let outside =
        matches!(kind.as_str(), "NodePort" | "LoadBalancer") || kind == "ClusterIP" && spec.contains_key("externalIPs");
    if outside {
        unset(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        absent(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        absent(spec, "allocateLoadBalancerNodePorts", true);
        let balancer = existing(object, "status").and_then(|status| existing(status, "loadBalancer"));
        if let Some(balancer) = balancer {
            for address in each(balancer, "ingress").filter(|address| address.contains_key("ip")) {
                absent(address, "ipMode", "VIP");
            }
        }
    }
}

pub(super) fn default_endpoints(object: &mut Object) {
    for subset in each(object, "subsets") {
        for port in each(subset, "ports") {
            unset(port, "protocol", "TCP");
        }
    }
}

pub(super) fn default_endpoint_slice(object: &mut Object) {
    for port in each(object, "ports") {
        absent(port, "name", "");
        unset(port, "protocol", "TCP");
    }
}
