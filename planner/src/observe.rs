//! What is there: the snapshot read as a release.

use jiff::Timestamp;
use sluice_crds::rollout::{BlueGreenStrategy, CanaryStep, CanaryStrategy, ProgressThreshold, RolloutStatus};
use sluice_crds::template::{StepHash, TemplateHash};
use sluice_crds::values::{IntOrPercent, Rounding};
use sluice_crds::{AnalysisRun, Rollout};

use crate::ping_pong;
use crate::plan::Event;
use crate::read_rollout::ReadRollout;
use crate::revisions;
use crate::snapshot::{Pod, ReplicaSet, Service, Snapshot};
use crate::traffic::Traffic;
use crate::wishes::{self, Facts};
use crate::workload::Scaling;

/// A release as it is: who is who, what a user allows, and what is remembered.
pub(crate) struct Release<'a> {
    pub(crate) rollout: &'a ReadRollout,
    pub(crate) strategy: Strategy<'a>,
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
    /// None where the strategy has no steps.
    pub(crate) step_hash: Option<&'a StepHash>,
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
    /// What routers do with its traffic, if its strategy has any.
    pub(crate) traffic: Option<Traffic<'a>>,
    /// Whether the wanted revision was rejected before and waits at the stable one until somebody retries.
    pub(crate) is_held: bool,
    /// Whether the wanted revision is an earlier one, so near that going back needs no steps.
    pub(crate) in_rollback_window: bool,
    /// Why nothing may begin, if so. What goes back goes back all the same.
    pub(crate) hindrance: Option<Hindrance>,
    /// What becomes of the Deployment that the template is taken from.
    pub(crate) workload: Scaling,
    pub(crate) now: Timestamp,
    pub(crate) pods: &'a [std::sync::Arc<Pod>],
    pub(crate) runs: &'a [std::sync::Arc<AnalysisRun>],
    pub(crate) snapshot: &'a Snapshot,
}

/// What keeps a release from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// The spec has these mistakes.
    Invalid {
        /// As one sentence about the Rollout.
        sentence: String,
        /// As part of another sentence.
        mistakes: String,
    },
    /// Objects that route its traffic can't be edited, as this sentence says. All else goes on.
    Routers(String),
    /// The new revision's ReplicaSet can't be created, as this sentence says.
    Refused(String),
}

/// The revision that a release is about.
struct Wanted<'a> {
    new: Option<&'a ReplicaSet>,
    hash: TemplateHash,
    step_hash: Option<&'a StepHash>,
}

/// How a new revision replaces the old one.
#[derive(Clone, Copy)]
pub(crate) enum Strategy<'a> {
    /// Step by step; the share of traffic is the share of pods, or routers divide it.
    Canary(&'a CanaryStrategy),
    /// Beside the old one, and then all at once, by a Service's selector.
    BlueGreen(&'a BlueGreenStrategy),
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
    /// `canary.stableService`, or the one of `canary.pingPong` that has its role.
    pub(crate) stable: Option<&'a Service>,
    /// `canary.canaryService`, or the other one.
    pub(crate) canary: Option<&'a Service>,
    /// `blueGreen.activeService`
    pub(crate) active: Option<&'a Service>,
    /// `blueGreen.previewService`
    pub(crate) preview: Option<&'a Service>,
}

impl<'a> Strategy<'a> {
    fn of(rollout: &'a Rollout) -> Option<Self> {
        let canary = rollout.spec.canary().map(Self::Canary);
        canary.or_else(|| rollout.spec.blue_green().map(Self::BlueGreen))
    }

    fn steps(self) -> &'a [CanaryStep] {
        match self {
            Self::Canary(canary) => canary.steps(),
            Self::BlueGreen(_) => &[],
        }
    }

    /// The named Services, as far as they exist.
    fn services(self, snapshot: &'a Snapshot) -> Services<'a> {
        let find = |name: Option<&str>| {
            let name = name.filter(|name| !name.is_empty())?;
            snapshot.services.iter().map(|service| &**service).find(|service| service.meta.name == name)
        };
        let none = Services { stable: None, canary: None, active: None, preview: None };
        match self {
            Self::Canary(_) => {
                let (stable, canary) = ping_pong::service_names(&snapshot.rollout);
                Services { stable: find(stable), canary: find(canary), ..none }
            }
            Self::BlueGreen(blue_green) => Services {
                active: find(Some(&blue_green.active_service)),
                preview: find(blue_green.preview_service.as_deref()),
                ..none
            },
        }
    }

    /// With how many available pods a user is content.
    fn progress_threshold(self) -> Option<&'a ProgressThreshold> {
        match self {
            Self::Canary(canary) => canary.replica_progress_threshold.as_ref(),
            Self::BlueGreen(_) => None,
        }
    }

    fn hold_rejected(self) -> bool {
        match self {
            Self::Canary(canary) => canary.hold_rejected(),
            Self::BlueGreen(blue_green) => blue_green.hold_rejected(),
        }
    }

    fn max_unavailable(self) -> IntOrPercent {
        match self {
            Self::Canary(canary) => canary.max_unavailable(),
            Self::BlueGreen(blue_green) => blue_green.max_unavailable(),
        }
    }
}

impl Budgets {
    /// Surge is rounded up, what may be missing is rounded down; one of the two is at least 1, else nothing moves.
    /// Blue-green runs a whole second set of pods.
    fn of(strategy: Strategy<'_>, replicas: i32) -> Self {
        let surge = match strategy {
            Strategy::Canary(canary) => {
                canary.max_surge().resolve_bare_as_percent(replicas, Rounding::Up).unwrap_or(0).max(0)
            }
            Strategy::BlueGreen(_) => replicas,
        };
        let unavailable = strategy.max_unavailable().resolve_bare_as_percent(replicas, Rounding::Down).unwrap_or(0);
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable.max(0) };
        let unavailable = if sabotaged!(IgnoresUnavailable) { replicas } else { unavailable };
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
        let hash = rollout.template_hash()?;
        let new = revisions::of_template(&owned(snapshot), rollout, hash, stored.collision_count);
        let step_hash = rollout.spec.canary().and_then(|_| rollout.step_hash());
        let hash = new.map_or_else(|| hash.clone(), |set| set.hash().into());
        Self::of(snapshot, stored, Wanted { new, hash, step_hash }, now)
    }

    /// Reads the release that the stored status is about, whatever the spec asks for by now.
    pub(crate) fn under_way(snapshot: &'a Snapshot, stored: &'a RolloutStatus, now: Timestamp) -> Option<Self> {
        let hash = stored.current_pod_hash.clone()?;
        let new = owned(snapshot).into_iter().find(|set| set.hash() == hash.as_str());
        Self::of(snapshot, stored, Wanted { new, hash, step_hash: stored.current_step_hash.as_ref() }, now)
    }

    fn of(snapshot: &'a Snapshot, stored: &'a RolloutStatus, wanted: Wanted<'a>, now: Timestamp) -> Option<Self> {
        let rollout = &*snapshot.rollout;
        let strategy = Strategy::of(rollout)?;
        let owned = owned(snapshot);
        let Wanted { new, hash: new_hash, step_hash } = wanted;
        let same = |a: Option<&ReplicaSet>, b: &ReplicaSet| a.is_some_and(|a| a.meta.uid == b.meta.uid);
        let newest_other = owned.iter().filter(|set| !same(new, set)).map(|set| revisions::number(set)).max();
        let newest_other = newest_other.unwrap_or(0);
        let revision = new.map_or(0, revisions::number);
        let revision = if revision > newest_other { revision } else { newest_other + 1 };
        let stable_hash = stored.stable_rs.as_ref().filter(|hash| !hash.is_empty());
        let stable = stable_hash.and_then(|hash| owned.iter().find(|set| set.hash() == hash.as_str()).copied());
        let others = owned.iter().copied().filter(|set| !same(new, set) && !same(stable, set)).collect();
        let was_rejected =
            stored.rejected.iter().flatten().any(|rejected| rejected.pod_hash.as_ref() == Some(&new_hash));
        let in_window = !was_rejected && wishes::in_rollback_window(rollout, &owned, new, stable);
        let mut read = wishes::read(stored, strategy.steps(), &new_hash, step_hash, in_window, now);
        let is_held = wishes::hold(&mut read.facts, stored, &new_hash, strategy.hold_rejected(), now);
        let name = format!("{}-{new_hash}", rollout.metadata.name.as_deref().unwrap_or_default());
        let namesake = snapshot.replica_sets.iter().find(|set| new.is_none() && set.meta.name == name);
        let leaving = namesake.is_some_and(|set| is_owned(snapshot, set) && set.meta.deleting);
        let replicas = rollout.spec.replicas();
        let services = strategy.services(snapshot);
        Some(Self {
            rollout,
            strategy,
            stored,
            replicas,
            budgets: Budgets::of(strategy, replicas),
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
            services,
            traffic: Traffic::observe(snapshot, services),
            is_held,
            in_rollback_window: in_window,
            hindrance: None,
            workload: Scaling::default(),
            now,
            pods: &snapshot.pods,
            runs: &snapshot.runs,
            snapshot,
        })
    }

    /// Whether nothing is being released: the wanted revision is the stable one.
    pub(crate) fn is_fully_promoted(&self) -> bool {
        self.facts.stable_hash.as_ref() == Some(&self.new_hash)
    }

    /// Whether the stored status is about another revision than the wanted one.
    pub(crate) fn is_other_revision(&self) -> bool {
        self.stored.current_pod_hash.as_ref() != Some(&self.new_hash)
    }

    /// Whether no status says yet that this revision is aborted.
    pub(crate) fn is_newly_aborted(&self) -> bool {
        self.stored.aborted_at.is_none() || self.is_other_revision()
    }

    /// Whether this pass sees that somebody took an abort of this same revision back.
    pub(crate) fn is_retried(&self) -> bool {
        let same = self.stored.current_pod_hash.as_ref() == Some(&self.new_hash);
        same && self.stored.aborted_at.is_some() && self.facts.aborted_at.is_none()
    }

    /// Whether it is taken back and the ReplicaSet that it would go back to was deleted: what is rejected does not
    /// begin again by itself, and what serves goes on serving.
    pub(crate) fn has_no_way_back(&self) -> bool {
        self.facts.aborted_at.is_some() && self.facts.stable_hash.is_some() && self.stable.is_none()
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
        let Services { stable, canary, active, preview: _ } = self.services;
        // A preview is looked at; it carries no traffic.
        [stable, canary, active].into_iter().flatten().any(|service| service.hash() == Some(set.hash()))
    }

    /// Whether going back needs no checks: to a revision within the window, or to one that still stands since it
    /// was stable.
    pub(crate) fn is_fast_rollback(&self) -> bool {
        let (Some(new), Some(stable)) = (self.new, self.other_stable()) else { return false };
        let was_rejected =
            self.facts.rejected.iter().any(|rejected| rejected.pod_hash.as_ref() == Some(&self.new_hash));
        let still_stands = matches!(self.strategy, Strategy::BlueGreen(_))
            && new.wanted > 0
            && new.scale_down_deadline.is_some()
            && new.meta.created_at < stable.meta.created_at
            && !was_rejected;
        self.in_rollback_window || still_stands
    }

    /// Pods that may be missing, as the strategy says it.
    pub(crate) fn max_unavailable(&self) -> IntOrPercent {
        self.strategy.max_unavailable()
    }

    pub(crate) fn steps(&self) -> &'a [CanaryStep] {
        self.strategy.steps()
    }

    /// With how many available pods of those wanted a user is content.
    pub(crate) fn progress_threshold(&self) -> Option<&'a ProgressThreshold> {
        self.strategy.progress_threshold()
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

/// The ReplicaSets of the Rollout, newest first.
fn owned(snapshot: &Snapshot) -> Vec<&ReplicaSet> {
    let sets = snapshot.replica_sets.iter().map(|set| &**set);
    let mut owned: Vec<&ReplicaSet> = sets.filter(|set| is_owned(snapshot, set) && !set.meta.deleting).collect();
    owned.sort_by_key(|set| std::cmp::Reverse(revisions::number(set)));
    owned
}

fn is_owned(snapshot: &Snapshot, set: &ReplicaSet) -> bool {
    set.meta.controller.as_deref() == snapshot.rollout.metadata.uid.as_deref()
}
