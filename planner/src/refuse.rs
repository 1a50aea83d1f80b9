//! What can't be released: mistakes, and features that are not finished. All of them at once, each with its field.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::{BlueGreenStrategy, CanaryStrategy, StepKind};
use sluice_crds::validate;

use crate::references;
use crate::snapshot::Snapshot;

/// Every reason why this Rollout can't be released, by field.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<Mistake> {
    let spec = &snapshot.rollout.spec;
    let mut found = validate::rollout(&snapshot.rollout);
    let path = FieldPath::of("spec");
    if spec.workload_ref.is_some() {
        found.push(unfinished(&path.field("workloadRef"), "write the pod template into spec.template"));
    }
    if asks_for_restart(snapshot) {
        let mend = "remove it; to restart pods change an annotation of spec.template";
        found.push(unfinished(&path.field("restartAt"), mend));
    }
    if let Some(canary) = spec.canary() {
        unfinished_canary(canary, &mut found);
    }
    if let Some(blue_green) = spec.blue_green() {
        unfinished_blue_green(blue_green, &mut found);
    }
    references::check(snapshot, &mut found);
    found.sort();
    found
}

fn unfinished(path: &FieldPath, mend: &str) -> Mistake {
    Mistake::about(path.clone(), "is not supported yet", mend)
}

/// A time at which all has been restarted already asks for nothing, and stays in a manifest for ever.
fn asks_for_restart(snapshot: &Snapshot) -> bool {
    let Some(Time(at)) = &snapshot.rollout.spec.restart_at else { return false };
    let done = snapshot.rollout.status.as_ref().and_then(|status| status.restarted_at.as_ref());
    done.is_none_or(|Time(done)| done != at)
        && snapshot.pods.iter().any(|pod| pod.meta.created_at.is_some_and(|created| created < *at))
}

fn unfinished_canary(canary: &CanaryStrategy, found: &mut Vec<Mistake>) {
    let path = FieldPath::of("spec.strategy.canary");
    let parts = [
        (canary.traffic_routing.is_some(), "trafficRouting", "leave it out to release by number of pods"),
        (canary.analysis.is_some(), "analysis", "leave it out"),
        (canary.anti_affinity.is_some(), "antiAffinity", "leave it out"),
        (canary.canary_metadata.is_some(), "canaryMetadata", "leave it out"),
        (canary.stable_metadata.is_some(), "stableMetadata", "leave it out"),
        (canary.ping_pong.is_some(), "pingPong", "leave it out"),
    ];
    let used = parts.iter().filter(|(used, ..)| *used);
    found.extend(used.map(|(_, field, mend)| unfinished(&path.field(*field), mend)));
    // Steps that need trafficRouting are mistakes without it, and it is not there yet.
    for (index, step) in canary.steps().iter().enumerate() {
        let field = match step.kind() {
            Some(StepKind::Analysis(_)) => "analysis",
            Some(StepKind::Experiment(_)) => "experiment",
            _ => continue,
        };
        found.push(unfinished(&path.field("steps").index(index).field(field), "use setWeight and pause"));
    }
}

fn unfinished_blue_green(blue_green: &BlueGreenStrategy, found: &mut Vec<Mistake>) {
    let path = FieldPath::of("spec.strategy.blueGreen");
    let parts = [
        (blue_green.pre_promotion_analysis.is_some(), "prePromotionAnalysis"),
        (blue_green.post_promotion_analysis.is_some(), "postPromotionAnalysis"),
        (blue_green.anti_affinity.is_some(), "antiAffinity"),
        (blue_green.preview_metadata.is_some(), "previewMetadata"),
        (blue_green.active_metadata.is_some(), "activeMetadata"),
    ];
    let used = parts.iter().filter(|(used, _)| *used);
    found.extend(used.map(|(_, field)| unfinished(&path.field(*field), "leave it out")));
}
