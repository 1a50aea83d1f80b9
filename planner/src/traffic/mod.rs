//! Traffic that routers divide: what they do with it now, what they may be told next, and whether they do it.
//!
//! Two destinations stand behind every router, the stable and the canary one. Which revision a destination leads to
//! is decided by Services and subsets (`destinations`), how much of the traffic it gets by weights (`goal`).

mod destinations;
mod finalizer;
mod force;
mod goal;
mod remembered;
mod routed;
mod split;

use std::collections::BTreeMap;

use sluice_traffic::{ObjectRef, Observed, Routing};

use crate::observe::Services;
use crate::snapshot::Snapshot;

pub(crate) use destinations::{Side, canary_goal, stable_goal};
pub(crate) use finalizer::{LONGEST_HOLD, deleted_at, give_back, give_back_for_good, held, let_go, recorded_weight};
pub(crate) use force::Wait;
pub(crate) use remembered::{remembered, taken_out, to_remember};
pub(crate) use routed::{Routed, missing_at};

/// What the routers of a release do now.
pub(crate) struct Traffic<'a> {
    pub(crate) routing: &'a Routing,
    snapshot: &'a Snapshot,
    observed: Observed,
    is_known: bool,
    stable: Vec<Option<String>>,
    canary: Vec<Option<String>>,
}

impl<'a> Traffic<'a> {
    /// Reads the routing objects, if the strategy routes traffic.
    pub(crate) fn observe(snapshot: &'a Snapshot, services: Services<'a>) -> Option<Self> {
        let routing = snapshot.rollout.routing()?;
        let observed = sluice_traffic::split(routing, &snapshot.routing);
        let subsets = observed.subsets.as_ref();
        let of_service = |service: Option<&crate::snapshot::Service>| {
            service.map(|service| service.hash().map(str::to_owned)).into_iter().collect::<Vec<_>>()
        };
        let mut stable = of_service(services.stable);
        stable.extend(subsets.map(|subsets| subsets.stable.clone()));
        let mut canary = of_service(services.canary);
        canary.extend(subsets.map(|subsets| subsets.canary.clone()));
        let is_known = observed.unclear.is_empty() && !observed.shares.is_empty();
        Some(Self { routing, snapshot, observed, is_known, stable, canary })
    }

    /// The weight that means all traffic.
    pub(crate) fn total(&self) -> i32 {
        to_weight(self.routing.total())
    }

    /// Whether all routers say how they divide the traffic. What isn't known is neither waited out nor drained.
    pub(crate) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Whether any router says how it divides the traffic.
    pub(crate) fn shows_any(&self) -> bool {
        !self.observed.shares.is_empty()
    }

    /// The smallest and the largest weight that the canary destination has anywhere.
    pub(crate) fn weights(&self) -> (i32, i32) {
        let weight = |share: Option<&sluice_traffic::Share>| share.map_or(0, |share| to_weight(share.weights.canary));
        (weight(self.observed.least_shifted()), weight(self.observed.most_shifted()))
    }

    /// The largest weight that each Service of an Experiment has anywhere.
    pub(crate) fn additional(&self) -> BTreeMap<String, i32> {
        let mut weights = BTreeMap::new();
        for (service, weight) in self.observed.shares.iter().flat_map(|share| &share.weights.additional) {
            let most = weights.entry(service.clone()).or_insert(0);
            *most = to_weight(*weight).max(*most);
        }
        weights
    }

    /// What the routers themselves say of their weights; `None` where none of them can say.
    pub(crate) fn verified(&self) -> Option<bool> {
        self.observed.verified()
    }

    /// Whether nobody has looked for this object yet.
    pub(crate) fn is_unread(&self, object: &ObjectRef) -> bool {
        !self.snapshot.routing.knows(object)
    }
}

fn to_weight(weight: i64) -> i32 {
    i32::try_from(weight).unwrap_or(i32::MAX)
}
