//! Services that a Rollout points at its pods: they must be able to find them.

use serde_json::Value;

use super::{File, Finding, Here};
use crate::mistake::{FieldPath, Mistake, word};
use crate::template::HASH_LABEL;

const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";

pub(super) fn check(here: &Here<'_>, file: &File<'_>, found: &mut Vec<Finding>) {
    let mut seen = Vec::new();
    for name in services_of(here) {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let Some(service) = file.find("Service", name, here) else {
            continue;
        };
        let Some(json) = service.json().filter(|_| service.api_version == "v1") else {
            continue;
        };
        let mistakes = check_selector(here, json).into_iter().chain(check_owner(here, json));
        found.extend(mistakes.map(|mistake| service.finding(mistake)));
    }
}

/// Every Service that the controller points at pods of the Rollout.
fn services_of<'o>(here: &Here<'o>) -> Vec<&'o str> {
    let mut names: Vec<&str> = Vec::new();
    if let Some(canary) = here.rollout.spec.canary() {
        names.extend(canary.canary_service.as_deref());
        names.extend(canary.stable_service.as_deref());
        if let Some(pair) = &canary.ping_pong {
            names.extend([pair.ping_service.as_str(), pair.pong_service.as_str()]);
        }
    }
    if let Some(blue_green) = here.rollout.spec.blue_green() {
        names.push(&blue_green.active_service);
        names.extend(blue_green.preview_service.as_deref());
    }
    names.retain(|name| !name.is_empty());
    names
}

fn check_selector(here: &Here<'_>, service: &Value) -> Vec<Mistake> {
    let Some(template) = here.rollout.spec.template.as_ref().filter(|_| here.rollout.spec.workload_ref.is_none())
    else {
        return Vec::new();
    };
    let labels = template.labels();
    let path = FieldPath::of("spec.selector");
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    let demands = selector.into_iter().flatten().filter(|(key, _)| *key != HASH_LABEL);
    let unmet = demands.filter_map(|(key, value)| {
        let wanted = value.as_str()?;
        let has = labels.get(key);
        if has.is_some_and(|label| label == wanted) {
            return None;
        }
        let rollout = &here.object.name;
        let problem = format!("is not what the pods of {rollout} have");
        let mend = match has {
            Some(label) => format!("write {}, or change the label of its pod template", word(label)),
            None => format!("add {}: {} to the labels of its pod template, or remove it here", word(key), word(wanted)),
        };
        Some(Mistake::wrong(path.key(key), wanted, problem, mend))
    });
    unmet.collect()
}

fn check_owner(here: &Here<'_>, service: &Value) -> Option<Mistake> {
    let owner = service.get("metadata")?.get("annotations")?.get(MANAGED_BY)?.as_str()?;
    let path = FieldPath::of("metadata.annotations").key(MANAGED_BY);
    let problem = format!("is another Rollout than {}, which names this Service", word(&here.object.name.name));
    let mend = "give each Rollout Services of its own, or remove the annotation";
    (owner != here.object.name.name).then(|| Mistake::wrong(path, owner, problem, mend))
}
