//! Ingresses.

use serde_json::{Value, json};

use super::super::field_error::child;
use super::super::names;
use super::common::{Checks, is_unset, items};

pub(super) fn check_ingress(checks: &mut Checks, new: &Value) {
    let spec = &new["spec"];
    if is_unset(&spec["rules"]) && spec["defaultBackend"].is_null() {
        checks.invalid("spec", &Value::Null, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(backend) = spec.get("defaultBackend") {
        check_backend(checks, "spec.defaultBackend", backend);
    }
    for (path, rule) in items("spec.rules", &spec["rules"]) {
        check_host(checks, &child(&path, "host"), rule["host"].as_str().unwrap_or_default());
        let Some(http) = rule.get("http") else { continue };
        let path = format!("{path}.http.paths");
        if is_unset(&http["paths"]) {
            checks.required(&path, "");
        }
        for (path, entry) in items(&path, &http["paths"]) {
            check_path(checks, &path, entry);
        }
    }
    for (path, tls) in items("spec.tls", &spec["tls"]) {
        for (path, host) in items(&child(&path, "hosts"), &tls["hosts"]) {
            let host = host.as_str().unwrap_or_default();
            check_name(checks, &path, host);
        }
    }
    if let Some(class) = spec["ingressClassName"].as_str() {
        checks.named("spec.ingressClassName", class, names::dns_subdomain(class));
    }
}

fn check_host(checks: &mut Checks, path: &str, host: &str) {
    if host.is_empty() {
    } else if host.parse::<std::net::IpAddr>().is_ok() {
        checks.invalid(path, &json!(host), "must be a DNS name, not an IP address");
    } else {
        check_name(checks, path, host);
    }
}

/// A wildcard may stand for the first label.
fn check_name(checks: &mut Checks, path: &str, host: &str) {
    let name = host.strip_prefix("*.").unwrap_or(host);
    checks.named(path, host, names::dns_subdomain(name));
}

fn check_path(checks: &mut Checks, path: &str, entry: &Value) {
    let kind = &entry["pathType"];
    let route = entry["path"].as_str().unwrap_or_default();
    match kind.as_str() {
        None => return checks.required(&child(path, "pathType"), "pathType must be specified"),
        Some("Exact" | "Prefix") => {
            if !route.starts_with('/') {
                checks.invalid(&child(path, "path"), &json!(route), "must be an absolute path");
            }
            for bad in ["//", "/./", "/../", "%2f", "%2F"] {
                if route.contains(bad) {
                    checks.invalid(&child(path, "path"), &json!(route), &format!("must not contain '{bad}'"));
                }
            }
        }
        Some("ImplementationSpecific") => {
            if !route.is_empty() && !route.starts_with('/') {
                checks.invalid(&child(path, "path"), &json!(route), "must be an absolute path");
            }
        }
        Some(_) => {
            let kinds = ["Exact", "ImplementationSpecific", "Prefix"];
            checks.one_of(&child(path, "pathType"), kind, &kinds);
        }
    }
    check_backend(checks, &child(path, "backend"), &entry["backend"]);
}

fn check_backend(checks: &mut Checks, path: &str, backend: &Value) {
    let service = &backend["service"];
    match (service.is_null(), backend["resource"].is_null()) {
        (true, true) => checks.invalid(path, &json!(""), "resource or service backend is required"),
        (false, false) => {
            checks.invalid(path, &json!(""), "cannot set both resource and service backends");
        }
        (true, false) => {}
        (false, true) => {
            let name = service["name"].as_str().unwrap_or_default();
            let place = format!("{path}.service.name");
            if name.is_empty() {
                checks.required(&place, "");
            } else {
                checks.named(&place, name, names::dns1035_label(name));
            }
            let number = service["port"]["number"].as_i64().unwrap_or(0);
            let named = service["port"]["name"].as_str().unwrap_or_default();
            match (number, named) {
                (0, "") => checks.required(path, "port name or number is required"),
                (0, name) => {
                    checks.named(&format!("{path}.service.port.name"), name, names::port_name(name));
                }
                (_, "") => {
                    checks.port(&format!("{path}.service.port.number"), &service["port"]["number"]);
                }
                _ => checks.invalid(path, &json!(""), "cannot set both port name & port number"),
            }
        }
    }
}
