//! The stable and the canary Service behind routers that divide the traffic.

use super::canary::has_pods_for;
use crate::observe::Release;
use crate::snapshot::{ReplicaSet, Service};
use crate::traffic::{Traffic, canary_goal, stable_goal};

/// Each Service that may move now, and where to.
pub(super) fn moves<'a>(release: &Release<'a>, traffic: &Traffic<'_>) -> Vec<(&'a Service, &'a ReplicaSet)> {
    let stable = release.services.stable.and_then(|service| Some((service, stable_goal(release, traffic)?)));
    let canary = release.services.canary.and_then(|service| Some((service, canary_goal(release, traffic)?)));
    let moves = [stable, canary].into_iter().flatten();
    moves.filter(|(service, set)| has_pods_for(service, set)).collect()
}
