//! What a real server warns of in pods although it takes them.

use serde_json::Value;

use super::verbs::Target;
use crate::world::metadata;

/// Warnings about an object that was written; what an earlier state was warned of isn't repeated.
pub(crate) fn warnings(target: &Target, before: Option<&Value>, value: &Value) -> Vec<String> {
    let path = match (target.group(), target.kind()) {
        ("", "Pod") if before.is_none() => "spec",
        ("apps", "Deployment" | "ReplicaSet") | ("batch", "Job") => "spec.template.spec",
        _ => return Vec::new(),
    };
    if before.is_some_and(|before| metadata(before, "generation") == metadata(value, "generation")) {
        return Vec::new();
    }
    let spec = path.split('.').try_fold(value, |at, field| at.get(field));
    spec.map(|spec| of_pod_spec(spec, path)).unwrap_or_default()
}

fn of_pod_spec(spec: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen: Vec<(&Value, String)> = Vec::new();
    for (index, container) in list(&spec["containers"]).iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        for (index, port) in list(&container["ports"]).iter().enumerate() {
            let here = format!("{path}.ports[{index}]");
            match seen.iter().find(|(other, _)| same_port(other, port)) {
                Some((_, earlier)) => found.push(format!("{here}: duplicate port definition with {earlier}")),
                None => seen.push((port, here)),
            }
        }
        let variables = list(&container["env"]);
        for (index, variable) in variables.iter().enumerate() {
            let name = &variable["name"];
            if variables[..index].iter().any(|earlier| earlier["name"] == *name) {
                found.push(format!(
                    "{path}.env[{index}]: hides previous definition of {name}, which may be dropped when using apply"
                ));
            }
        }
    }
    found
}

fn same_port(one: &Value, other: &Value) -> bool {
    ["containerPort", "protocol", "hostPort", "hostIP"].iter().all(|field| one[field] == other[field])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
