//! The Rollouts as they are at this moment, read from the cache when somebody asks: no series can be left behind.

use std::sync::Arc;

use sluice_crds::Rollout;
use sluice_crds::rollout::RolloutPhase;
use sluice_planner::ReadRollout;

use super::text::{Kind, Text};

/// A number of a Rollout; none where it has none.
type Number = fn(&Rollout) -> Option<i64>;

/// One number of each Rollout: name, help, and where it is read.
const NUMBERS: [(&str, &str, Number); 7] = [
    ("rollout_info_replicas_desired", "Pods wanted", |rollout| Some(rollout.spec.replicas().into())),
    ("rollout_info_replicas_available", "Available pods", |rollout| Some(available(rollout))),
    ("rollout_info_replicas_unavailable", "Pods wanted and not available", |rollout| {
        Some((i64::from(rollout.spec.replicas()) - available(rollout)).max(0))
    }),
    ("rollout_info_replicas_updated", "Pods of the current revision", |rollout| {
        Some(rollout.status.as_ref().and_then(|status| status.updated_replicas).unwrap_or(0).into())
    }),
    ("sluice_rollout_weight", "Share of the new revision, in percent", |rollout| {
        rollout.status.as_ref()?.exposure.as_ref()?.percent.map(i64::from)
    }),
    (
        "sluice_rollout_exposure_seconds",
        "Seconds of all traffic that the new revision has met, up to its last change",
        |rollout| Some(rollout.status.as_ref()?.exposure.as_ref()?.percent_seconds? / 100),
    ),
    ("sluice_rollout_step", "Index of the current step", |rollout| {
        rollout.status.as_ref()?.current_step_index.map(i64::from)
    }),
];

pub(super) fn write(text: &mut Text, rollouts: &[Arc<ReadRollout>]) {
    let mut info = text.family("rollout_info", Kind::Gauge, "Each Rollout");
    for rollout in rollouts {
        let [namespace, name] = name(rollout);
        let (router, phase) = (router(rollout), phase(rollout));
        let strategy = ("strategy", strategy(rollout));
        info.value(&[namespace, name, strategy, ("traffic_router", &router), ("phase", phase)], 1);
    }
    let mut phases = text.family("rollout_phase", Kind::Gauge, "1 for the phase that it is in");
    for rollout in rollouts {
        let [namespace, name] = name(rollout);
        let (now, strategy) = (phase(rollout), ("strategy", strategy(rollout)));
        for phase in RolloutPhase::KNOWN {
            phases.value(&[namespace, name, strategy, ("phase", phase)], u8::from(*phase == now));
        }
    }
    for (name_of_family, help, number) in NUMBERS {
        let mut family = text.family(name_of_family, Kind::Gauge, help);
        for rollout in rollouts {
            if let Some(value) = number(rollout) {
                family.value(&name(rollout), value);
            }
        }
    }
}

fn name(rollout: &Rollout) -> [(&'static str, &str); 2] {
    let meta = &rollout.metadata;
    let [namespace, name] = [&meta.namespace, &meta.name].map(|text| text.as_deref().unwrap_or_default());
    [("namespace", namespace), ("name", name)]
}

fn phase(rollout: &Rollout) -> &str {
    let phase = rollout.status.as_ref().and_then(|status| status.phase.as_ref());
    phase.map_or("", RolloutPhase::as_str)
}

fn strategy(rollout: &Rollout) -> &'static str {
    if rollout.spec.blue_green().is_some() {
        "blueGreen"
    } else if rollout.spec.canary().is_some() {
        "canary"
    } else {
        "none"
    }
}

/// The names of the routers that are set, as they are written in the spec.
fn router(rollout: &Rollout) -> String {
    let routing = rollout.spec.canary().and_then(|canary| canary.traffic_routing.as_ref());
    let Some(Ok(serde_json::Value::Object(routing))) = routing.map(serde_json::to_value) else { return String::new() };
    let routers =
        ["alb", "ambassador", "apisix", "appMesh", "gatewayAPI", "istio", "nginx", "plugins", "smi", "traefik"];
    routers.into_iter().filter(|router| routing.contains_key(*router)).collect::<Vec<_>>().join(",")
}

fn available(rollout: &Rollout) -> i64 {
    rollout.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0).into()
}
