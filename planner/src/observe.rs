//! What is there: the snapshot read as a release.

use jiff::Timestamp;
use sluice_crds::Rollout;
use sluice_crds::rollout::{CanaryStep, CanaryStrategy, RolloutStatus};
use sluice_crds::template::{StepHash, TemplateHash};
use sluice_crds::values::Rounding;

use crate::plan::Event;
use crate::revisions;
use crate::snapshot::{Pod, ReplicaSet, Service, Snapshot};
use crate::wishes::{self, Facts};

/// A release as it is: who is who, what a user allows, and what is remembered.
pub(crate) struct Release<'a> {
    pub(crate) rollout: &'a Rollout,
    pub(crate) canary: &'a CanaryStrategy,
    /// The status as it is stored.
    pub(crate) stored: &'a RolloutStatus,
    /// Pods wanted in all.
    pub(crate) replicas: i32,
    pub(crate) budgets: Budgets,
    /// The revision that the spec asks for; its ReplicaSet may not exist yet.
    pub(crate) new: Option<&'a ReplicaSet>,
    pub(crate) new_hash: TemplateHash,
    pub(crate) revision: i64,
    /// The revision that serves when all goes wrong; none before the first one was available. The same as `new`
    /// where nothing is being released.
    pub(crate) stable: Option<&'a ReplicaSet>,
    /// All other revisions, newest first.
    pub(crate) others: Vec<&'a ReplicaSet>,
    pub(crate) step_hash: StepHash,
    pub(crate) facts: Facts,
    /// What happened at the door: told with the status.
    pub(crate) news: Vec<Event>,
    /// Whether the stored clock of progress starts anew: another revision, other steps, a retry.
    pub(crate) restarts_clock: bool,
    /// Whether an object that is not ours has the name that the new ReplicaSet would get.
    pub(crate) name_is_taken: bool,
    /// Whether an own ReplicaSet of that name is just being deleted.
    pub(crate) name_is_leaving: bool,
    pub(crate) services: Services<'a>,
    pub(crate) pods: &'a [std::sync::Arc<Pod>],
}

/// How far the number of pods may leave what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budgets {
    /// Pods above `replicas`.
    pub(crate) surge: i32,
    /// Pods that may be missing.
    pub(crate) unavailable: i32,
}

/// The Services of the strategy.
#[derive(Clone, Copy)]
pub(crate) struct Services<'a> {
    pub(crate) stable: Option<&'a Service>,
    pub(crate) canary: Option<&'a Service>,
}

impl Budgets {
    /// Surge is rounded up, what may be missing is rounded down; one of the two is at least 1, else nothing moves.
    pub(crate) fn of(canary: &CanaryStrategy, replicas: i32) -> Self {
        let surge = canary.max_surge().resolve_bare_as_percent(replicas, Rounding::Up).unwrap_or(0).max(0);
        let unavailable = canary.max_unavailable().resolve_bare_as_percent(replicas, Rounding::Down).unwrap_or(0);
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable.max(0) };
        Self { surge, unavailable: unavailable.min(replicas) }
    }

    /// Available pods that no write of ours goes below: what the budget says, and never the last pod that
    /// serves. Where neither a second pod nor a moment without one is possible (one replica, no surge), the
    /// user has chosen the moment without.
    pub(crate) fn least_available(self, replicas: i32) -> i32 {
        let last = i32::from(replicas > 1 || (replicas == 1 && self.surge > 0));
        (replicas - self.unavailable).max(last)
    }
}

impl<'a> Release<'a> {
    /// Reads a snapshot whose spec has no mistakes.
    pub(crate) fn observe(snapshot: &'a Snapshot, stored: &'a RolloutStatus, now: Timestamp) -> Option<Self> {
        let rollout = &*snapshot.rollout;
        let canary = rollout.spec.canary()?;
        let uid = rollout.metadata.uid.as_deref();
        let ours = |set: &ReplicaSet| set.meta.controller.as_deref() == uid;
        let mut owned: Vec<&ReplicaSet> =
            snapshot.replica_sets.iter().map(|set| &**set).filter(|set| ours(set) && !set.meta.deleting).collect();
        owned.sort_by_key(|set| std::cmp::Reverse(revisions::number(set)));
        let template = rollout.spec.template.as_ref()?;
        let new = revisions::of_template(&owned, template, stored.collision_count);
        let new_hash = new.map_or_else(|| TemplateHash::of(template, stored.collision_count), |set| set.hash().into());
        let same = |a: Option<&ReplicaSet>, b: &ReplicaSet| a.is_some_and(|a| a.meta.uid == b.meta.uid);
        let newest_other = owned.iter().filter(|set| !same(new, set)).map(|set| revisions::number(set)).max();
        let newest_other = newest_other.unwrap_or(0);
        let revision = new.map_or(0, revisions::number);
        let revision = if revision > newest_other { revision } else { newest_other + 1 };
        let stable_hash = stored.stable_rs.as_ref().filter(|hash| !hash.is_empty());
        let stable = stable_hash.and_then(|hash| owned.iter().find(|set| set.hash() == hash.as_str()).copied());
        let others = owned.iter().copied().filter(|set| !same(new, set) && !same(stable, set)).collect();
        let step_hash = steps_hash(canary.steps());
        let in_window = wishes::in_rollback_window(rollout, &owned, new, stable);
        let read = wishes::read(stored, canary, &new_hash, &step_hash, in_window, now);
        let name = format!("{}-{new_hash}", rollout.metadata.name.as_deref().unwrap_or_default());
        let namesake = snapshot.replica_sets.iter().find(|set| new.is_none() && set.meta.name == name);
        let leaving = namesake.is_some_and(|set| ours(set) && set.meta.deleting);
        let service = |name: &Option<String>| {
            snapshot.services.iter().map(|service| &**service).find(|service| Some(&service.meta.name) == name.as_ref())
        };
        let replicas = rollout.spec.replicas();
        Some(Self {
            rollout,
            canary,
            stored,
            replicas,
            budgets: Budgets::of(canary, replicas),
            new,
            new_hash,
            revision,
            stable,
            others,
            step_hash,
            facts: read.facts,
            news: read.events,
            restarts_clock: read.restarts_clock,
            name_is_taken: namesake.is_some() && !leaving,
            name_is_leaving: leaving,
            services: Services { stable: service(&canary.stable_service), canary: service(&canary.canary_service) },
            pods: &snapshot.pods,
        })
    }

    /// Whether nothing is being released: the wanted revision is the stable one.
    pub(crate) fn is_fully_promoted(&self) -> bool {
        self.facts.stable_hash.as_ref() == Some(&self.new_hash)
    }

    /// Whether this pass sees that somebody took an abort of this same revision back.
    pub(crate) fn is_retried(&self) -> bool {
        let same = self.stored.current_pod_hash.as_ref() == Some(&self.new_hash);
        same && self.stored.aborted_at.is_some() && self.facts.aborted_at.is_none()
    }

    /// The stable ReplicaSet, if it is another one than the new one.
    pub(crate) fn other_stable(&self) -> Option<&'a ReplicaSet> {
        self.stable.filter(|stable| self.new.is_none_or(|new| new.meta.uid != stable.meta.uid))
    }

    /// All ReplicaSets: stable, new, others.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'a ReplicaSet> + '_ {
        self.other_stable().into_iter().chain(self.new).chain(self.others.iter().copied())
    }

    /// Whether a Service of ours sends traffic to this ReplicaSet.
    pub(crate) fn is_selected(&self, set: &ReplicaSet) -> bool {
        let services = [self.services.stable, self.services.canary];
        services.into_iter().flatten().any(|service| service.hash() == Some(set.hash()))
    }

    pub(crate) fn steps(&self) -> &'a [CanaryStep] {
        self.canary.steps()
    }

    pub(crate) fn namespace(&self) -> &'a str {
        self.rollout.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn name(&self) -> &'a str {
        self.rollout.metadata.name.as_deref().unwrap_or_default()
    }

    /// What the new ReplicaSet is called, or will be.
    pub(crate) fn new_name(&self) -> String {
        self.new.map_or_else(|| format!("{}-{}", self.name(), self.new_hash), |set| set.meta.name.clone())
    }
}

/// The hash by which a change of the steps is noticed: over the JSON that Go writes, where no list is `null`.
pub(crate) fn steps_hash(steps: &[CanaryStep]) -> StepHash {
    let json = if steps.is_empty() { b"null".to_vec() } else { serde_json::to_vec(steps).unwrap_or_default() };
    StepHash::of_json(&json)
}
