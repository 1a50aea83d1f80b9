//! What is wrong between a Rollout and the Services that it names: each must be there, be its own, and select its
//! pods. Whatever happens to one of them wakes the Rollout, so that what is mended goes on at once.

use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::template::HASH_LABEL;

use crate::names::MANAGED_BY;
use crate::ping_pong;
use crate::snapshot::{Service, Snapshot};

/// Adds all such mistakes.
pub(crate) fn check(snapshot: &Snapshot, found: &mut Vec<Mistake>) {
    let spec = &snapshot.rollout.spec;
    if let Some(canary) = spec.canary() {
        let path = FieldPath::of("spec.strategy.canary");
        check_service(snapshot, &path.field("stableService"), canary.stable_service.as_deref(), found);
        check_service(snapshot, &path.field("canaryService"), canary.canary_service.as_deref(), found);
        if let Some(both) = ping_pong::of(&snapshot.rollout) {
            let path = path.field("pingPong");
            check_service(snapshot, &path.field("pingService"), Some(&both.ping_service), found);
            check_service(snapshot, &path.field("pongService"), Some(&both.pong_service), found);
        }
    }
    if let Some(blue_green) = spec.blue_green() {
        let path = FieldPath::of("spec.strategy.blueGreen");
        check_service(snapshot, &path.field("activeService"), Some(&blue_green.active_service), found);
        check_service(snapshot, &path.field("previewService"), blue_green.preview_service.as_deref(), found);
    }
}

fn check_service(snapshot: &Snapshot, path: &FieldPath, name: Option<&str>, found: &mut Vec<Mistake>) {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return };
    let Some(service) = snapshot.services.iter().find(|service| service.meta.name == name) else {
        found.push(Mistake::about(path.clone(), format!("service \"{name}\" not found"), "create it"));
        return;
    };
    let rollout = snapshot.rollout.metadata.name.as_deref().unwrap_or_default();
    if let Some(owner) = service.meta.annotations.get(MANAGED_BY).filter(|owner| *owner != rollout) {
        let problem = format!("service \"{name}\" is managed by Rollout \"{owner}\"");
        found.push(Mistake::about(path.clone(), problem, "give each Rollout its own"));
    }
    check_selector(snapshot, path, service, found);
}

/// A label that the pods don't have makes a Service without pods, whatever revision it selects.
fn check_selector(snapshot: &Snapshot, path: &FieldPath, service: &Service, found: &mut Vec<Mistake>) {
    let Some(labels) = snapshot.rollout.template_labels() else { return };
    let is_own = snapshot.rollout.spec.workload_ref.is_none();
    let template = if is_own { "spec.template" } else { "the template that spec.workloadRef names" };
    let unmet =
        service.selector.iter().filter(|(key, value)| *key != HASH_LABEL && labels.get(key) != Some(value.as_str()));
    for (key, value) in unmet {
        let name = &service.meta.name;
        let problem = format!("service \"{name}\" selects {key}={value}, which the pods of {template} don't have");
        found.push(Mistake::about(
            path.clone(),
            problem,
            "give the Service's selector and the template the same label",
        ));
    }
}
