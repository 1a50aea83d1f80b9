//! What a plan can't be made for: mistakes, and features that are not finished. All of them at once, each with its
//! field, and nothing is half done: the running pods stay as they are.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::{BlueGreenStrategy, CanaryStep, CanaryStrategy, RolloutSpec, StepKind};
use sluice_crds::template::PodTemplate;
use sluice_crds::values::{LabelSelector, Rounding};

use crate::names::MANAGED_BY;
use crate::snapshot::Snapshot;

/// Every reason why this Rollout can't be released, in the order of the manifest.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<String> {
    let spec = &snapshot.rollout.spec;
    let mut found = Vec::new();
    basics(spec, &mut found);
    if asks_for_restart(snapshot) {
        let mend = "remove it; to restart pods change an annotation of spec.template";
        found.push(unfinished("spec.restartAt", mend));
    }
    match &spec.strategy {
        Some(strategy) => match (&strategy.canary, &strategy.blue_green) {
            (Some(canary), None) => {
                canary_mistakes(spec, canary, &mut found);
                canary_services(snapshot, canary, &mut found);
            }
            (None, Some(blue_green)) => blue_green_mistakes(snapshot, blue_green, &mut found),
            _ => found.push("spec.strategy: must have exactly one of canary and blueGreen".to_owned()),
        },
        None => found.push("spec.strategy: is missing; write canary: {}".to_owned()),
    }
    found
}

fn unfinished(field: &str, mend: &str) -> String {
    format!("{field}: is not supported yet; {mend}")
}

fn basics(spec: &RolloutSpec, found: &mut Vec<String>) {
    if spec.workload_ref.is_some() {
        found.push(unfinished("spec.workloadRef", "write the pod template into spec.template"));
    }
    if let Some(replicas) = spec.replicas.filter(|replicas| *replicas < 0) {
        found.push(format!("spec.replicas: {replicas} is less than none; write 0 or more"));
    }
    let (deadline, ready) = (spec.progress_deadline_seconds(), spec.min_ready_seconds());
    if deadline <= ready {
        found.push(format!(
            "spec.progressDeadlineSeconds: {deadline} must be more than minReadySeconds, which is {ready}"
        ));
    }
    match (&spec.selector, &spec.template) {
        (Some(selector), Some(template)) => selector_mistakes(selector, template, found),
        (selector, template) => {
            let missing = [(selector.is_none(), "selector"), (template.is_none(), "template")];
            let missing = missing.iter().filter(|(missing, _)| *missing && spec.workload_ref.is_none());
            found.extend(missing.map(|(_, field)| format!("spec.{field}: is missing")));
        }
    }
    if let Some(template) = &spec.template
        && template.containers().next().is_none()
    {
        found.push("spec.template.spec.containers: is empty; a pod needs at least one container".to_owned());
    }
}

/// A time at which all has been restarted already asks for nothing, and stays in a manifest for ever.
fn asks_for_restart(snapshot: &Snapshot) -> bool {
    let Some(Time(at)) = &snapshot.rollout.spec.restart_at else { return false };
    let done = snapshot.rollout.status.as_ref().and_then(|status| status.restarted_at.as_ref());
    done.is_none_or(|Time(done)| done != at)
        && snapshot.pods.iter().any(|pod| pod.meta.created_at.is_some_and(|created| created < *at))
}

fn selector_mistakes(selector: &LabelSelector, template: &PodTemplate, found: &mut Vec<String>) {
    match selector.read() {
        Err(mistakes) => {
            found.extend(
                mistakes.into_iter().map(|mistake| format!("spec.selector.{}: {}", mistake.field, mistake.message)),
            );
        }
        Ok(selector) if selector.is_empty() => {
            found.push(
                "spec.selector: selects every pod of the namespace; name the labels of this Rollout's pods".to_owned(),
            );
        }
        Ok(selector) if !selector.matches(&template.labels()) => {
            found.push(format!(
                "spec.selector: \"{selector}\" does not match spec.template.metadata.labels; give both the same labels"
            ));
        }
        Ok(_) => {}
    }
}

fn canary_mistakes(spec: &RolloutSpec, canary: &CanaryStrategy, found: &mut Vec<String>) {
    let path = "spec.strategy.canary";
    let unfinished_parts = [
        (canary.traffic_routing.is_some(), "trafficRouting", "leave it out to release by number of pods"),
        (canary.analysis.is_some(), "analysis", "leave it out"),
        (canary.anti_affinity.is_some(), "antiAffinity", "leave it out"),
        (canary.canary_metadata.is_some(), "canaryMetadata", "leave it out"),
        (canary.stable_metadata.is_some(), "stableMetadata", "leave it out"),
        (canary.ping_pong.is_some(), "pingPong", "leave it out"),
    ];
    let unfinished_parts = unfinished_parts.iter().filter(|(used, ..)| *used);
    found.extend(unfinished_parts.map(|(_, field, mend)| unfinished(&format!("{path}.{field}"), mend)));
    let budgets =
        [("maxSurge", canary.max_surge(), Rounding::Up), ("maxUnavailable", canary.max_unavailable(), Rounding::Down)];
    for (field, value, rounding) in &budgets {
        match value.resolve_bare_as_percent(spec.replicas().max(0), *rounding) {
            Err(mistake) => found.push(format!("{path}.{field}: {mistake}")),
            Ok(count) if count < 0 => found.push(format!("{path}.{field}: {value} is less than none; write 0 or more")),
            Ok(_) => {}
        }
    }
    let is_zero = |text: &str| matches!(text.trim_end_matches('%'), "0");
    if budgets.iter().all(|(_, value, _)| is_zero(&value.to_string())) {
        found.push(format!("{path}.maxSurge: must not be 0 together with maxUnavailable; nothing could ever move"));
    }
    for (index, step) in canary.steps().iter().enumerate() {
        found.extend(step_mistake(step).map(|mistake| format!("{path}.steps[{index}]{mistake}")));
    }
}

fn canary_services(snapshot: &Snapshot, canary: &CanaryStrategy, found: &mut Vec<String>) {
    let (stable, new) = (canary.stable_service.as_deref(), canary.canary_service.as_deref());
    if stable.is_some() && stable == new {
        found.push("spec.strategy.canary.canaryService: must not be the same Service as stableService".to_owned());
    }
    services(snapshot, "spec.strategy.canary", [("stableService", stable), ("canaryService", new)], found);
}

fn blue_green_mistakes(snapshot: &Snapshot, blue_green: &BlueGreenStrategy, found: &mut Vec<String>) {
    let path = "spec.strategy.blueGreen";
    let unfinished_parts = [
        (blue_green.pre_promotion_analysis.is_some(), "prePromotionAnalysis"),
        (blue_green.post_promotion_analysis.is_some(), "postPromotionAnalysis"),
        (blue_green.anti_affinity.is_some(), "antiAffinity"),
        (blue_green.preview_metadata.is_some(), "previewMetadata"),
        (blue_green.active_metadata.is_some(), "activeMetadata"),
    ];
    let unfinished_parts = unfinished_parts.iter().filter(|(used, _)| *used);
    found.extend(unfinished_parts.map(|(_, field)| unfinished(&format!("{path}.{field}"), "leave it out")));
    let (active, preview) = (blue_green.active_service.as_str(), blue_green.preview_service.as_deref());
    if active.is_empty() {
        found.push(format!("{path}.activeService: is missing; name the Service that carries the traffic"));
    }
    if preview == Some(active) {
        found.push(format!("{path}.previewService: must not be the same Service as activeService"));
    }
    services(snapshot, path, [("activeService", Some(active)), ("previewService", preview)], found);
}

fn step_mistake(step: &CanaryStep) -> Option<String> {
    let unfinished = |field: &str| Some(format!(".{field}: is not supported yet; use setWeight and pause"));
    match step.kind() {
        None => Some(": must be exactly one of setWeight and pause".to_owned()),
        Some(StepKind::SetWeight(weight)) if !(0..=100).contains(&weight) => {
            Some(format!(".setWeight: {weight} is not a weight; write a number from 0 to 100"))
        }
        Some(StepKind::SetWeight(_)) => None,
        Some(StepKind::Pause(pause)) => match pause.duration.as_ref()?.parse() {
            Err(mistake) => Some(format!(".pause.duration: {mistake}")),
            Ok(duration) if duration.is_negative() => {
                Some(".pause.duration: is negative; write 30s, 10m or 1h".to_owned())
            }
            Ok(_) => None,
        },
        Some(StepKind::SetCanaryScale(_)) => unfinished("setCanaryScale"),
        Some(StepKind::SetHeaderRoute(_)) => unfinished("setHeaderRoute"),
        Some(StepKind::SetMirrorRoute(_)) => unfinished("setMirrorRoute"),
        Some(StepKind::Analysis(_)) => unfinished("analysis"),
        Some(StepKind::Experiment(_)) => unfinished("experiment"),
        Some(StepKind::Plugin(_)) => unfinished("plugin"),
    }
}

/// Named Services that are not there, or that belong to another Rollout.
fn services(snapshot: &Snapshot, path: &str, named: [(&str, Option<&str>); 2], found: &mut Vec<String>) {
    let rollout = snapshot.rollout.metadata.name.as_deref().unwrap_or_default();
    for (field, name) in named {
        let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
        let Some(service) = snapshot.services.iter().find(|service| service.meta.name == name) else {
            found.push(format!("{path}.{field}: service \"{name}\" not found; create it"));
            continue;
        };
        if let Some(owner) = service.meta.annotations.get(MANAGED_BY).filter(|owner| *owner != rollout) {
            found.push(format!(
                "{path}.{field}: service \"{name}\" is managed by Rollout \"{owner}\"; give each Rollout its own"
            ));
        }
    }
}
