//! Network policies and ingress classes.

use serde_json::json;

use super::{Object, absent, each, existing, nested};

pub(super) fn default_network_policy(object: &mut Object) {
    let Some(spec) = nested(object, "spec") else { return };
    for direction in ["ingress", "egress"] {
        for rule in each(spec, direction) {
            for port in each(rule, "ports") {
                absent(port, "protocol", "TCP");
            }
        }
    }
    let types = if spec.contains_key("egress") { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    absent(spec, "policyTypes", types);
}

pub(super) fn default_ingress_class(object: &mut Object) {
    if let Some(parameters) = nested(object, "spec").and_then(|spec| existing(spec, "parameters")) {
        absent(parameters, "scope", "Cluster");
    }
}
