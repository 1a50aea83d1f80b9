//! The split that routers are told: the weight, the revisions behind subsets, and the routes that steps have made.

use sluice_crds::rollout::StepKind;
use sluice_crds::rollout::step::{SetHeaderRoute, SetMirrorRoute};
use sluice_traffic::Split;

use super::goal::{bears, goes_forward};
use super::{Traffic, canary_goal, stable_goal};
use crate::observe::Release;
use crate::trials;

/// The split at this step, with this weight.
pub(super) fn at(release: &Release<'_>, traffic: &Traffic<'_>, weight: i32, step: usize) -> Split {
    let mut split = all_to(release, traffic, weight);
    for (service, weight) in trials::destinations(release, traffic) {
        split = split.with_additional(&service, i64::from(weight));
    }
    let hash = |set: Option<&crate::snapshot::ReplicaSet>| set.map(|set| set.hash().to_owned());
    split.stable_hash = hash(stable_goal(release, traffic));
    split.canary_hash = hash(canary_goal(release, traffic));
    let own_ways = step < release.steps().len() && !release.facts.promote_full && goes_forward(release, traffic);
    if own_ways {
        // A route of its own begins when the pods of its step are there; once it is there they need only be ready.
        let is_held = release.rollout.spec.paused();
        let begins = release.facts.step == step && (is_held || !bears(release, traffic, step));
        let so_far = if begins { step } else { step + 1 };
        (split.header_routes, split.mirror_routes) = routes(release, so_far);
    }
    split
}

/// The split of this weight, without routes of steps, and with subsets as they are.
pub(super) fn all_to(release: &Release<'_>, traffic: &Traffic<'_>, weight: i32) -> Split {
    let mut split = Split::new(i64::from(traffic.total()), i64::from(weight));
    split.version = release.new_hash.to_string();
    split
}

/// Whether a step wants requests to go their own way to the new revision.
pub(super) fn has_own_ways(release: &Release<'_>, step: usize) -> bool {
    let (headers, mirrors) = routes(release, step + 1);
    step < release.steps().len() && !(headers.is_empty() && mirrors.is_empty())
}

/// The routes that the first steps have made and not taken away.
fn routes(release: &Release<'_>, steps: usize) -> (Vec<SetHeaderRoute>, Vec<SetMirrorRoute>) {
    let mut headers: Vec<SetHeaderRoute> = Vec::new();
    let mut mirrors: Vec<SetMirrorRoute> = Vec::new();
    for step in release.steps().iter().take(steps) {
        match step.kind() {
            Some(StepKind::SetHeaderRoute(route)) => {
                headers.retain(|there| there.name != route.name);
                headers.push(route.clone());
            }
            Some(StepKind::SetMirrorRoute(route)) => {
                mirrors.retain(|there| there.name != route.name);
                mirrors.push(route.clone());
            }
            _ => {}
        }
    }
    headers.retain(|route| route.r#match.as_ref().is_some_and(|all| !all.is_empty()));
    mirrors.retain(|route| route.r#match.as_ref().is_some_and(|any| !any.is_empty()));
    (headers, mirrors)
}
