//! The Rollouts as they are at this moment, read from the cache when somebody asks: no series can be left behind.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use sluice_crds::Rollout;
use sluice_crds::rollout::RolloutPhase;

use super::Labels;
use crate::hub::Hub;

#[derive(Debug)]
pub(super) struct Gauges {
    pub(super) hub: Arc<Hub>,
    pub(super) leading: bool,
}

type Series = Vec<(Labels, i64)>;

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let rollouts = self.hub.rollouts();
        let each = |value: fn(&Rollout) -> Option<i64>| -> Series {
            rollouts.iter().filter_map(|rollout| Some((name(rollout), value(rollout)?))).collect()
        };
        let families: [(&str, &str, Series); 10] = [
            ("rollout_info", "Each Rollout", rollouts.iter().map(|rollout| (info(rollout), 1)).collect()),
            ("rollout_phase", "1 for the phase that it is in", rollouts.iter().flat_map(|r| phases(r)).collect()),
            ("rollout_info_replicas_desired", "Pods wanted", each(|r| Some(i64::from(r.spec.replicas())))),
            ("rollout_info_replicas_available", "Available pods", each(|r| Some(available(r)))),
            ("rollout_info_replicas_unavailable", "Pods wanted and not available", each(|r| Some(unavailable(r)))),
            ("rollout_info_replicas_updated", "Pods of the current revision", each(|r| Some(updated(r)))),
            ("sluice_rollout_weight", "Weight of the new revision as it was last set", each(weight)),
            ("sluice_rollout_step", "Index of the current step", each(step)),
            ("workqueue_depth", "Rollouts that wait for a pass", vec![(Labels::new(), count(self.hub.waiting()))]),
            ("sluice_leading", "1 for the replica that writes", vec![(Labels::new(), i64::from(self.leading))]),
        ];
        for (name, help, series) in families {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in series {
                if labels.is_empty() {
                    family.encode_gauge(&value)?;
                } else {
                    family.encode_family(&labels)?.encode_gauge(&value)?;
                }
            }
        }
        Ok(())
    }
}

fn name(rollout: &Rollout) -> Labels {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![("namespace", text(&rollout.metadata.namespace)), ("name", text(&rollout.metadata.name))]
}

fn info(rollout: &Rollout) -> Labels {
    let mut labels = name(rollout);
    labels.push(("strategy", strategy(rollout).to_owned()));
    labels.push(("traffic_router", router(rollout)));
    labels.push(("phase", phase(rollout).map_or("", |phase| phase.as_str()).to_owned()));
    labels
}

fn phases(rollout: &Rollout) -> Series {
    let now = phase(rollout).map_or("", |phase| phase.as_str());
    let known = RolloutPhase::KNOWN.iter();
    known
        .map(|phase| {
            let mut labels = name(rollout);
            labels.push(("strategy", strategy(rollout).to_owned()));
            labels.push(("phase", (*phase).to_owned()));
            (labels, i64::from(*phase == now))
        })
        .collect()
}

fn phase(rollout: &Rollout) -> Option<&RolloutPhase> {
    rollout.status.as_ref()?.phase.as_ref()
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
    let routers = ["alb", "ambassador", "apisix", "appMesh", "istio", "nginx", "plugins", "smi", "traefik"];
    routers.into_iter().filter(|router| routing.contains_key(*router)).collect::<Vec<_>>().join(",")
}

fn available(rollout: &Rollout) -> i64 {
    rollout.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0).into()
}

fn unavailable(rollout: &Rollout) -> i64 {
    (i64::from(rollout.spec.replicas()) - available(rollout)).max(0)
}

fn updated(rollout: &Rollout) -> i64 {
    rollout.status.as_ref().and_then(|status| status.updated_replicas).unwrap_or(0).into()
}

fn weight(rollout: &Rollout) -> Option<i64> {
    let weights = rollout.status.as_ref()?.canary.as_ref()?.weights.as_ref()?;
    weights.canary.as_ref()?.weight.map(i64::from)
}

fn step(rollout: &Rollout) -> Option<i64> {
    rollout.status.as_ref()?.current_step_index.map(i64::from)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
