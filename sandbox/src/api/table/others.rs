//! Columns of everything else that is built in.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Layout, age, age_of, list, name_of, number, or_none, text};

pub(super) fn layout(kind: &str) -> Option<Layout> {
    Some(match kind {
        "Namespace" => Layout { columns: &["Name", "Status", "Age"], cells: namespace },
        "Node" => Layout {
            columns: &[
                "Name",
                "Status",
                "Roles",
                "Age",
                "Version",
                "+Internal-IP",
                "+External-IP",
                "+OS-Image",
                "+Kernel-Version",
                "+Container-Runtime",
            ],
            cells: node,
        },
        "ConfigMap" => Layout { columns: &["Name", "Data", "Age"], cells: config_map },
        "Secret" => Layout { columns: &["Name", "Type", "Data", "Age"], cells: secret },
        "ServiceAccount" => Layout { columns: &["Name", "Age"], cells: service_account },
        "Event" => Layout {
            columns: &[
                "Last Seen",
                "Type",
                "Reason",
                "Object",
                "+Subobject",
                "+Source",
                "Message",
                "+First Seen",
                "+Count",
                "+Name",
            ],
            cells: event,
        },
        "Lease" => Layout { columns: &["Name", "Holder", "Age"], cells: lease },
        "Role" | "ClusterRole" | "CustomResourceDefinition" => {
            Layout { columns: &["Name", "Created At"], cells: created_at }
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            Layout { columns: &["Name", "Role", "Age", "+Users", "+Groups", "+ServiceAccounts"], cells: role_binding }
        }
        _ => return None,
    })
}

fn namespace(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name_of(value), json!(text(value, "status.phase")), age_of(value, now)]
}

fn node(value: &Value, now: Timestamp) -> Vec<Value> {
    let condition = list(value, "status.conditions")
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .map(|ready| if ready["status"] == "True" { "Ready" } else { "NotReady" });
    let mut status = condition.unwrap_or("Unknown").to_owned();
    if value["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    let labels = value["metadata"]["labels"].as_object();
    let roles: Vec<&str> =
        labels.into_iter().flatten().filter_map(|(label, _)| label.strip_prefix("node-role.kubernetes.io/")).collect();
    let address = |kind: &str| {
        let addresses = list(value, "status.addresses");
        let found = addresses.iter().find(|address| address["type"] == kind);
        or_none(found.map_or("", |address| address["address"].as_str().unwrap_or("")))
    };
    let unknown = |path: &str| match text(value, path) {
        "" => "<unknown>".to_owned(),
        known => known.to_owned(),
    };
    vec![
        name_of(value),
        json!(status),
        json!(or_none(&roles.join(","))),
        age_of(value, now),
        json!(text(value, "status.nodeInfo.kubeletVersion")),
        json!(address("InternalIP")),
        json!(address("ExternalIP")),
        json!(unknown("status.nodeInfo.osImage")),
        json!(unknown("status.nodeInfo.kernelVersion")),
        json!(unknown("status.nodeInfo.containerRuntimeVersion")),
    ]
}

fn entries(value: &Value, field: &str) -> usize {
    value[field].as_object().map_or(0, serde_json::Map::len)
}

fn config_map(value: &Value, now: Timestamp) -> Vec<Value> {
    let count = entries(value, "data") + entries(value, "binaryData");
    vec![name_of(value), json!(count), age_of(value, now)]
}

fn secret(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name_of(value), json!(text(value, "type")), json!(entries(value, "data")), age_of(value, now)]
}

fn service_account(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name_of(value), age_of(value, now)]
}

/// Both event groups; the newer one calls some fields differently.
fn event(value: &Value, now: Timestamp) -> Vec<Value> {
    let either = |core: &str, newer: &str| match text(value, core) {
        "" => text(value, newer).to_owned(),
        known => known.to_owned(),
    };
    let event_time = text(value, "eventTime");
    let seen = |core: &str, newer: &str| {
        let known = either(core, newer);
        age::since(if known.is_empty() { event_time } else { &known }, now)
    };
    let kind = either("involvedObject.kind", "regarding.kind").to_lowercase();
    let name = either("involvedObject.name", "regarding.name");
    let component = either("source.component", "reportingController");
    let count = number(value, "count").max(number(value, "deprecatedCount")).max(number(value, "series.count")).max(1);
    vec![
        json!(seen("lastTimestamp", "deprecatedLastTimestamp")),
        json!(text(value, "type")),
        json!(text(value, "reason")),
        json!(format!("{kind}/{name}")),
        json!(either("involvedObject.fieldPath", "regarding.fieldPath")),
        json!(component),
        json!(either("message", "note").trim()),
        json!(seen("firstTimestamp", "deprecatedFirstTimestamp")),
        json!(count),
        name_of(value),
    ]
}

fn lease(value: &Value, now: Timestamp) -> Vec<Value> {
    vec![name_of(value), json!(text(value, "spec.holderIdentity")), age_of(value, now)]
}

fn created_at(value: &Value, _now: Timestamp) -> Vec<Value> {
    vec![name_of(value), json!(text(value, "metadata.creationTimestamp"))]
}

fn role_binding(value: &Value, now: Timestamp) -> Vec<Value> {
    let role = format!("{}/{}", text(value, "roleRef.kind"), text(value, "roleRef.name"));
    let subjects = |kind: &str| {
        let names: Vec<String> = list(value, "subjects")
            .iter()
            .filter(|subject| subject["kind"] == kind)
            .map(|subject| {
                let name = subject["name"].as_str().unwrap_or("");
                if kind == "ServiceAccount" {
                    format!("{}/{name}", subject["namespace"].as_str().unwrap_or(""))
                } else {
                    name.to_owned()
                }
            })
            .collect();
        json!(names.join(", "))
    };
    vec![
        name_of(value),
        json!(role),
        age_of(value, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}
