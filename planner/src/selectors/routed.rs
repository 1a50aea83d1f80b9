//! The stable and the canary Service behind routers that divide the traffic.

use super::canary::has_pods_for;
use crate::observe::Release;
use crate::ping_pong;
use crate::snapshot::{ReplicaSet, Service};
use crate::traffic::{Traffic, canary_goal, stable_goal};

/// Each Service that may move now, and where to.
pub(super) fn moves<'a>(release: &Release<'a>, traffic: &Traffic<'_>) -> Vec<(&'a Service, &'a ReplicaSet)> {
    let stable = release.services.stable.and_then(|service| Some((service, stable_goal(release, traffic)?)));
    let canary = release.services.canary.and_then(|service| Some((service, canary_goal(release, traffic)?)));
    let has_pods = |(service, set): &(&Service, &ReplicaSet)| has_pods_for(service, set);
    let takes_turns = ping_pong::of(release.rollout).is_some();
    let canary = canary.filter(|moves| takes_turns || has_pods(moves));
    stable.filter(has_pods).into_iter().chain(canary).collect()
}
