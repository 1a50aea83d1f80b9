//! What can't be released: mistakes, and features that are not finished. All of them at once, each with its field.

use sluice_crds::Rollout;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::{CanaryStrategy, StepKind};
use sluice_crds::validate;

use crate::snapshot::Snapshot;
use crate::{analyses, pods, references};

/// Every reason why this Rollout can't be released, by field.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<Mistake> {
    let mut found = snapshot.rollout.mistakes().to_vec();
    references::check(snapshot, &mut found);
    found.extend(analyses::mistakes(snapshot));
    found.sort();
    found
}

/// Those of them that are in the Rollout, whatever else there is.
pub(crate) fn in_itself(rollout: &Rollout) -> Vec<Mistake> {
    let spec = &rollout.spec;
    let mut found = validate::rollout(rollout);
    if spec.workload_ref.is_some() {
        found.push(unfinished(&FieldPath::of("spec.workloadRef"), "write the pod template into spec.template"));
    }
    if let Some(canary) = spec.canary() {
        unfinished_canary(canary, &mut found);
    }
    found.extend(pods::mistakes::find(rollout));
    found
}

fn unfinished(path: &FieldPath, mend: &str) -> Mistake {
    Mistake::about(path.clone(), "is not supported yet", mend)
}

fn unfinished_canary(canary: &CanaryStrategy, found: &mut Vec<Mistake>) {
    let path = FieldPath::of("spec.strategy.canary");
    let parts = [
        (canary.traffic_routing.is_some(), "trafficRouting", "leave it out to release by number of pods"),
        (canary.ping_pong.is_some(), "pingPong", "leave it out"),
    ];
    let used = parts.iter().filter(|(used, ..)| *used);
    found.extend(used.map(|(_, field, mend)| unfinished(&path.field(*field), mend)));
    // Steps that need trafficRouting are mistakes without it, and it is not there yet.
    for (index, step) in canary.steps().iter().enumerate() {
        if let Some(StepKind::Experiment(_)) = step.kind() {
            let path = path.field("steps").index(index).field("experiment");
            found.push(unfinished(&path, "use setWeight, pause and analysis"));
        }
    }
}
