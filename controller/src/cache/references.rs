//! Which Rollouts name a Service.

use std::collections::{BTreeMap, BTreeSet};

use sluice_crds::Rollout;
use sluice_crds::rollout::experiment::ExperimentStep;
use sluice_crds::rollout::{CanaryStrategy, RolloutAnalysis};
use sluice_planner::ReadRollout;

use super::{Cached, Name, name_of_template};

/// Services by the Rollouts that name them, in both directions.
#[derive(Debug, Default)]
pub(super) struct References {
    users: BTreeMap<Name, BTreeSet<Name>>,
    used: BTreeMap<Name, BTreeSet<Name>>,
}

impl References {
    /// Notes what a Rollout names now.
    pub(super) fn set(&mut self, rollout: &Cached<ReadRollout>) {
        let namespace = &rollout.name.namespace;
        let named: BTreeSet<Name> =
            services_of(&rollout.object).into_iter().map(|name| Name::new(namespace, name)).collect();
        if self.used.get(&rollout.name) == Some(&named) {
            return;
        }
        self.clear(&rollout.name);
        for service in &named {
            self.users.entry(service.clone()).or_default().insert(rollout.name.clone());
        }
        self.used.insert(rollout.name.clone(), named);
    }

    /// The Rollout is gone.
    pub(super) fn clear(&mut self, rollout: &Name) {
        for service in self.used.remove(rollout).unwrap_or_default() {
            if let Some(users) = self.users.get_mut(&service) {
                users.remove(rollout);
                if users.is_empty() {
                    self.users.remove(&service);
                }
            }
        }
    }

    pub(super) fn users_of(&self, service: &Name) -> BTreeSet<Name> {
        self.users.get(service).cloned().unwrap_or_default()
    }
}

/// The templates that a Rollout's analyses and experiments name, and whether they are the cluster's.
pub(super) fn templates_named_by(rollout: &Rollout) -> Vec<(bool, &str)> {
    let canary = rollout.spec.canary();
    let steps = canary.map(CanaryStrategy::steps).unwrap_or_default().iter();
    let of_steps = steps.clone().filter_map(|step| step.analysis.as_ref());
    let background = canary.and_then(|canary| canary.analysis.as_ref()).map(|background| &background.analysis);
    let blue_green = rollout.spec.blue_green();
    let pre = blue_green.and_then(|blue_green| blue_green.pre_promotion_analysis.as_ref());
    let post = blue_green.and_then(|blue_green| blue_green.post_promotion_analysis.as_ref());
    let asked = of_steps.chain(background).chain(pre).chain(post);
    let of_analyses = asked.flat_map(RolloutAnalysis::templates).map(name_of_template);
    let experiments = steps.filter_map(|step| step.experiment.as_ref()).flat_map(ExperimentStep::analyses);
    let of_experiments = experiments.map(|one| (one.cluster_scope(), one.template_name.as_deref().unwrap_or_default()));
    of_analyses.chain(of_experiments).collect()
}

/// The Services that a Rollout's strategy names.
pub(crate) fn services_of(rollout: &Rollout) -> BTreeSet<&str> {
    let canary = rollout.spec.canary();
    let blue_green = rollout.spec.blue_green();
    let ping_pong = canary.and_then(|canary| canary.ping_pong.as_ref());
    let named = [
        canary.and_then(|canary| canary.canary_service.as_deref()),
        canary.and_then(|canary| canary.stable_service.as_deref()),
        ping_pong.map(|both| both.ping_service.as_str()),
        ping_pong.map(|both| both.pong_service.as_str()),
        blue_green.map(|strategy| strategy.active_service.as_str()),
        blue_green.and_then(|strategy| strategy.preview_service.as_deref()),
    ];
    named.into_iter().flatten().filter(|name| !name.is_empty()).collect()
}
