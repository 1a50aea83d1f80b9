//! Requests and limits.

use serde_json::Value;

use super::is_settled;
use crate::mistake::{FieldPath, Mistake, word};
use crate::validate::names;
use crate::validate::raw::Raw;
use crate::values::Quantity;

pub(super) fn check(container: &Raw<'_>, found: &mut Vec<Mistake>) {
    let Some(resources) = container.field("resources") else {
        return;
    };
    let limits: Vec<(&str, Option<Quantity>)> =
        resources.entries("limits").map(|(name, limit)| (name, amount(name, &limit, found))).collect();
    for (name, request) in resources.entries("requests") {
        let Some(requested) = amount(name, &request, found) else {
            continue;
        };
        let limit = limits.iter().find(|(limited, _)| *limited == name);
        let Some((_, Some(limit))) = limit else {
            continue;
        };
        if requested > *limit {
            let problem = format!("is more than the limit of {}", limit.as_str());
            let mend = "lower the request or raise the limit";
            found.push(Mistake::wrong(request.path, requested.as_str(), problem, mend));
        } else if requested != *limit && is_never_shared(name) {
            let problem = format!("differs from the limit of {}, and {} can't be shared", limit.as_str(), word(name));
            found.push(Mistake::wrong(request.path, requested.as_str(), problem, "write the limit"));
        }
    }
}

/// The amount of one resource; a mistake if it is not one.
fn amount(name: &str, entry: &Raw<'_>, found: &mut Vec<Mistake>) -> Option<Quantity> {
    found.extend(unknown_resource(&entry.path, name));
    let text = match entry.value {
        Value::String(text) if !is_settled(text) => return None,
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match text.parse::<Quantity>() {
        Err(error) => {
            found.push(Mistake::told(entry.path.clone(), &error.to_string()));
            None
        }
        Ok(quantity) if quantity.is_negative() => {
            found.push(Mistake::wrong(entry.path.clone(), &text, "is less than nothing", "write 0 or more"));
            None
        }
        Ok(quantity) => Some(quantity),
    }
}

/// Resources without a domain are Kubernetes' own, and it knows but a few.
fn unknown_resource(path: &FieldPath, name: &str) -> Option<Mistake> {
    if name.contains('/') {
        return names::label_key(path, name);
    }
    let known = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    (!known).then(|| {
        let mend = match name {
            "mem" | "ram" => "write memory",
            "storage" | "disk" => "write ephemeral-storage",
            _ => "write cpu, memory, ephemeral-storage or hugepages-<size>, or put the vendor's domain before it",
        };
        Mistake::about(path.clone(), "is not a resource that a container can ask for", mend)
    })
}

/// Devices and huge pages are given whole: what is asked for is what is allowed.
fn is_never_shared(name: &str) -> bool {
    let is_kubernetes_own = name.split_once('/').is_none_or(|(domain, _)| domain.ends_with("kubernetes.io"));
    name.starts_with("hugepages-") || !is_kubernetes_own
}
