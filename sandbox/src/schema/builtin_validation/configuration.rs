//! ConfigMaps, Secrets, nodes and events.

use serde_json::Value;

use super::super::field_error::FieldError;
use super::super::names;
use super::common::{Checks, items};

/// More than this doesn't go into a ConfigMap.
const CONFIG_MAP_LIMIT_BYTES: u32 = 1024 * 1024;

const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn check_keys(checks: &mut Checks, path: &str, data: &Value) {
    for (name, _) in data.as_object().into_iter().flatten() {
        let place = format!("{path}[{name}]");
        let valid =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !valid {
            checks.invalid(&place, &Value::String(name.clone()), KEY);
        } else if matches!(name.as_str(), "." | "..") {
            checks.invalid(&place, &Value::String(name.clone()), &format!("must not be '{name}'"));
        }
    }
}

fn check_immutable(checks: &mut Checks, new: &Value, old: &Value, fields: &[&str]) {
    let detail = "field is immutable when `immutable` is set";
    if old["immutable"] != true {
        return;
    }
    if new["immutable"] != true {
        checks.forbidden("immutable", detail);
    }
    for field in fields.iter().filter(|field| new[**field] != old[**field]) {
        checks.forbidden(field, detail);
    }
}

pub(super) fn check_config_map(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    let sizes = |field: &str| -> usize {
        let values = new[field].as_object().into_iter().flatten();
        values.filter_map(|(_, value)| value.as_str()).map(str::len).sum()
    };
    // Binary data is counted as it is written, which is a third longer than what it holds.
    if sizes("data") + sizes("binaryData") / 4 * 3 > CONFIG_MAP_LIMIT_BYTES as usize {
        checks.errors.push(FieldError::too_long("[]", i64::from(CONFIG_MAP_LIMIT_BYTES)));
    }
    for (name, _) in new["data"].as_object().into_iter().flatten() {
        if new["binaryData"].get(name).is_some() {
            let place = format!("data[{name}]");
            checks.invalid(&place, &Value::String(name.clone()), "duplicate of key present in binaryData");
        }
    }
    check_keys(checks, "data", &new["data"]);
    check_keys(checks, "binaryData", &new["binaryData"]);
    if let Some(old) = old {
        check_immutable(checks, new, old, &["data", "binaryData"]);
    }
}

pub(super) fn check_secret(checks: &mut Checks, new: &Value, old: Option<&Value>) {
    check_keys(checks, "data", &new["data"]);
    let needed: &[&str] = match new["type"].as_str().unwrap_or_default() {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for name in needed.iter().filter(|name| new["data"].get(**name).is_none()) {
        checks.required(&format!("data[{name}]"), "");
    }
    if let Some(old) = old {
        checks.unchanged("type", &new["type"], &old["type"]);
        check_immutable(checks, new, old, &["data"]);
    }
}

pub(super) fn check_node(checks: &mut Checks, new: &Value) {
    for (i, (_, taint)) in items("", &new["spec"]["taints"]).into_iter().enumerate() {
        let path = format!("metadata.taints[{i}]");
        let name = taint["key"].as_str().unwrap_or_default();
        checks.named(&format!("{path}.key"), name, names::qualified_name(name));
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        checks.one_of(&format!("{path}.effect"), &taint["effect"], &effects);
    }
}

pub(super) fn check_event(checks: &mut Checks, new: &Value) {
    let subject = &new["involvedObject"]["namespace"];
    let home = &new["metadata"]["namespace"];
    let cluster_wide = subject.is_null() && *home == "default";
    if !cluster_wide && subject != home {
        checks.invalid("involvedObject.namespace", subject, "does not match event.namespace");
    }
}
