//! What can't be released: mistakes, and features that are not finished. All of them at once, each with its field.

use sluice_crds::Rollout;
use sluice_crds::mistake::{FieldPath, Mistake};
use sluice_crds::rollout::{CanaryStrategy, TrafficRouting};
use sluice_crds::validate;

use crate::read_rollout::ReadRollout;
use crate::snapshot::Snapshot;
use crate::{analyses, plugins, pods, references, traffic, trials, workload};

/// Every reason why this Rollout can't be released, by field.
pub(crate) fn mistakes(snapshot: &Snapshot) -> Vec<Mistake> {
    let mut found = snapshot.rollout.mistakes().to_vec();
    references::check(snapshot, &mut found);
    found.extend(workload::mistakes(snapshot));
    found.extend(plugins::unknown(snapshot));
    found.extend(all_taken_out(&snapshot.rollout));
    found.extend(one_taken_out(snapshot));
    found.extend(analyses::mistakes(snapshot));
    found.extend(trials::mistakes(snapshot));
    found.sort();
    found
}

const ROUTING: &str = "spec.strategy.canary.trafficRouting";
const PUT_BACK: &str = "put it back until the release is over or taken back";

/// Routers that are named no more can't be told anything, so their share has to go first.
pub(crate) fn all_taken_out(rollout: &ReadRollout) -> Option<Mistake> {
    let weight = traffic::recorded_weight(rollout);
    let is_named = rollout.routing().is_some();
    let leads = weight > 0 || traffic::remembered(rollout).next().is_some();
    (leads && !is_named).then(|| {
        let problem = format!("is gone while routers give the new version a weight of {weight}");
        Mistake::about(FieldPath::of(ROUTING), problem, PUT_BACK)
    })
}

/// The same for one of several.
fn one_taken_out(snapshot: &Snapshot) -> impl Iterator<Item = Mistake> {
    let objects = if snapshot.rollout.routing().is_some() { traffic::taken_out(snapshot) } else { Vec::new() };
    objects.into_iter().map(|object| {
        let problem = format!("does not name {object} any more, which leads traffic to the new version");
        Mistake::about(FieldPath::of(ROUTING), problem, PUT_BACK)
    })
}

/// Those of them that are in the Rollout, whatever else there is.
pub(crate) fn in_itself(rollout: &Rollout) -> Vec<Mistake> {
    let mut found = validate::rollout(rollout);
    if let Some(canary) = rollout.spec.canary() {
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
    if let Some(routing) = &canary.traffic_routing {
        unfinished_routers(&path.field("trafficRouting"), routing, found);
    }
}

fn unfinished_routers(path: &FieldPath, routing: &TrafficRouting, found: &mut Vec<Mistake>) {
    let routers = [
        (routing.alb.is_some(), "alb"),
        (routing.smi.is_some(), "smi"),
        (routing.ambassador.is_some(), "ambassador"),
        (routing.traefik.is_some(), "traefik"),
        (routing.apisix.is_some(), "apisix"),
        (routing.app_mesh.is_some(), "appMesh"),
    ];
    let used = routers.iter().filter(|(used, _)| *used);
    found.extend(used.map(|(_, field)| unfinished(&path.field(*field), ROUTERS)));
}

const ROUTERS: &str = "use nginx, istio or gatewayAPI";
