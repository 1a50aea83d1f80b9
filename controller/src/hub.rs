//! The one place where what is seen and what is to be done meet: cache, queue and gate behind one short lock.

mod routing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::{AnalysisRun, Experiment};
use sluice_planner::engine::{Backoff, Gate, Jitter, Moment, Outcome, Queue, Seen, WatchHealth};
use sluice_planner::{ReadRollout, Snapshot, Template, experiment, plugins, probe};
use tokio::sync::Notify;

use crate::cache::{Cache, Cached, Concerned, Name, Object, RunView, Watched};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::unkept::Unkept;
use crate::work::Work;

/// A write that no watch shows holds its Rollout for so long and no longer.
const PATIENCE: Moment = Moment::from_secs(30);

/// What the cluster does comes in flocks (pods that get ready together, the echo of our own writes): one pass is
/// made of what arrives within so long. What a person does is acted on at once.
const FLOCK: Moment = Moment::from_millis(20);

/// An object that was written: of one Rollout's or run's own, or it itself.
pub(crate) type Written = (Watched, Name);

/// What a pass begins with.
pub(crate) enum Begin<T> {
    /// The object and all around it.
    Plan(Box<T>),
    /// The cache has yet to show our own last write.
    Wait(Moment),
    /// There is no such object.
    Gone,
}

/// Shared by all tasks. The lock is never held across a wait.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    rollouts_stirred: Notify,
    runs_stirred: Notify,
    experiments_stirred: Notify,
    routes_stirred: Notify,
    templates_stirred: Notify,
    clock: Clock,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    cache: Cache,
    rollouts: Lane,
    runs: Lane,
    experiments: Lane,
    unkept: Unkept,
    /// Plugins that steps can name.
    plugins: Arc<BTreeSet<String>>,
    /// What plugins have answered last, by Rollout.
    called: BTreeMap<Name, plugins::Answer>,
    /// What requests through the routers of a Rollout have found.
    probed: BTreeMap<Name, probe::Answer>,
    watches: BTreeMap<Watched, WatchHealth>,
    /// Kinds that can be done without, and that this account may not watch.
    refused: BTreeSet<Watched>,
}

/// The passes over objects of one kind.
#[derive(Debug)]
struct Lane {
    queue: Queue<Name>,
    gate: Gate<Name, Written>,
}

impl Lane {
    fn new(jitter: Jitter) -> Self {
        Self { queue: Queue::new(Backoff::PASS, jitter), gate: Gate::new(PATIENCE) }
    }

    /// A watch has shown an object.
    fn saw(&mut self, object: &Written, seen: Seen<'_>, at: Moment) {
        if let Some(owner) = self.gate.saw(object, seen) {
            self.queue.add(&owner, at);
        }
    }
}

impl Hub {
    pub(crate) fn new(clock: Clock, jitter: Jitter, metrics: Metrics) -> Self {
        let state = State {
            cache: Cache::default(),
            rollouts: Lane::new(jitter.clone()),
            runs: Lane::new(jitter.clone()),
            experiments: Lane::new(jitter),
            unkept: Unkept::default(),
            plugins: Arc::default(),
            called: BTreeMap::new(),
            probed: BTreeMap::new(),
            watches: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        Self {
            state: Mutex::new(state),
            rollouts_stirred: Notify::new(),
            runs_stirred: Notify::new(),
            experiments_stirred: Notify::new(),
            routes_stirred: Notify::new(),
            templates_stirred: Notify::new(),
            clock,
            metrics,
        }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn apply(&self, object: Object) {
        let (written, version) = identity(&object);
        let is_verdict = is_verdict(&object);
        let now = self.clock.moment();
        let mut guard = self.state();
        let state = &mut *guard;
        let own = |lane: &Lane| lane.gate.is_own(&written, &version);
        let [own_of_rollouts, own_of_runs] = [own(&state.rollouts), own(&state.runs)];
        let is_ours = own_of_rollouts || own(&state.experiments);
        let concerned = state.cache.apply(object);
        for work in Work::ALL {
            state.lane(work).saw(&written, Seen::Version(&version), now + FLOCK);
        }
        let haste = match written.0 {
            Watched::Rollout if !own_of_rollouts => Haste::Afresh,
            _ if is_verdict => Haste::AtOnce,
            _ => Haste::InAFlock,
        };
        state.wake(&concerned, haste, now);
        match written.0 {
            Watched::AnalysisRun if !own_of_runs => state.runs.queue.add_afresh(&written.1, now),
            Watched::Experiment if !is_ours => state.experiments.queue.add_afresh(&written.1, now),
            _ => {}
        }
        self.stir(guard);
        if matches!(written.0, Watched::AnalysisTemplate | Watched::ClusterAnalysisTemplate) {
            self.templates_stirred.notify_one();
        }
    }

    pub(crate) fn remove(&self, kind: Watched, name: &Name) {
        let now = self.clock.moment();
        let mut state = self.state();
        let concerned = state.cache.remove(kind, name);
        self.gone(&mut state, kind, name, &concerned, now);
        self.stir(state);
    }

    pub(crate) fn keep(&self, kind: Watched, name: &Name) {
        self.state().cache.keep(kind, name);
    }

    pub(crate) fn begin_list(&self, kind: Watched) {
        self.state().cache.begin_list(kind);
    }

    pub(crate) fn end_list(&self, kind: Watched) {
        let now = self.clock.moment();
        let mut state = self.state();
        for (name, concerned) in state.cache.end_list(kind) {
            tracing::debug!(kind = kind.as_str(), object = %name, "vanished while the watch was broken");
            self.gone(&mut state, kind, &name, &concerned, now);
        }
        if kind == Watched::Rollout {
            // The CRDs may have been replaced meanwhile: each field gets its chance again.
            state.unkept = Unkept::default();
            // Only now is it known what all of them need of their routing.
            self.routes_stirred.notify_one();
        }
        self.stir(state);
    }

    /// The kinds of which no complete list was seen yet, but for those that are done without.
    pub(crate) fn missing(&self) -> Vec<Watched> {
        let state = self.state();
        state.cache.missing().into_iter().filter(|kind| !state.refused.contains(kind)).collect()
    }

    /// The kinds that are done without.
    pub(crate) fn refused(&self) -> BTreeSet<Watched> {
        self.state().refused.clone()
    }

    /// This account has no right to watch this kind. Where it can be done without, nothing waits for it any more.
    pub(crate) fn watch_refused(&self, kind: Watched) {
        if kind.can_be_done_without() {
            let mut state = self.state();
            state.refused.insert(kind);
            self.stir(state);
        } else {
            self.forbidden(kind);
        }
    }

    /// The API server answers the watch of this kind.
    pub(crate) fn watch_works(&self, kind: Watched) {
        let now = self.clock.moment();
        let mut state = self.state();
        state.refused.remove(&kind);
        let broken_for = state.watches.entry(kind).or_default().works(now);
        drop(state);
        if let Some(broken_for) = broken_for {
            tracing::info!(kind = kind.as_str(), "the watch works again after {broken_for:.1?}");
        }
    }

    /// The watch of this kind broke, so often in a row.
    pub(crate) fn watch_broke(&self, kind: Watched) -> u32 {
        self.metrics.watch_failure(kind);
        self.state().watches.entry(kind).or_default().broke(self.clock.moment())
    }

    /// The watches that show nothing at this moment, and for how long.
    pub(crate) fn broken_watches(&self, now: Moment) -> Vec<(Watched, Duration)> {
        let state = self.state();
        let broken = state.watches.iter().filter_map(|(kind, health)| Some((*kind, health.broken_for(now)?)));
        broken.collect()
    }

    /// Asks for a pass over each object.
    pub(crate) fn add_all(&self, work: Work) {
        let now = self.clock.moment();
        let mut state = self.state();
        let names: Vec<Name> = match work {
            Work::Rollouts => state.cache.rollouts().map(|rollout| rollout.name.clone()).collect(),
            Work::Runs => state.cache.runs().map(|run| run.name.clone()).collect(),
            Work::Experiments => state.cache.experiments().map(|one| one.name.clone()).collect(),
        };
        for name in names {
            state.lane(work).queue.add(&name, now);
        }
        self.stir(state);
    }

    /// Asks for a pass over a run for which an answer has come: it may be the one that takes a release back. (A pass
    /// that finds no verdict writes nothing yet, so nothing is lost by not waiting for others.)
    pub(crate) fn add_run(&self, name: &Name) {
        let now = self.clock.moment();
        self.state().runs.queue.add(name, now);
        self.runs_stirred.notify_one();
    }

    /// Takes the next object to look at.
    pub(crate) fn next(&self, work: Work) -> Option<Name> {
        let now = self.clock.moment();
        let mut state = self.state();
        let queue = &mut state.lane(work).queue;
        let due = queue.next_due()?;
        let name = queue.next(now)?;
        self.metrics.pass_begins(work, &name, now.saturating_sub(due), now);
        Some(name)
    }

    /// When [`Self::next`] will have something although nothing is seen.
    pub(crate) fn next_due(&self, work: Work) -> Option<Moment> {
        self.state().lane(work).queue.next_due()
    }

    /// Waits until something was seen.
    pub(crate) async fn stirred(&self, work: Work) {
        match work {
            Work::Rollouts => self.rollouts_stirred.notified().await,
            Work::Runs => self.runs_stirred.notified().await,
            Work::Experiments => self.experiments_stirred.notified().await,
        }
    }

    pub(crate) fn begin(&self, name: &Name) -> Begin<Snapshot> {
        self.begin_with(Work::Rollouts, name, |state| {
            let snapshot = state.cache.snapshot(name)?;
            let (probed, called) = (state.probed.get(name).cloned(), state.called.get(name).cloned());
            Some(Snapshot { probed, called, plugins: Arc::clone(&state.plugins), ..snapshot })
        })
    }

    pub(crate) fn begin_run(&self, name: &Name) -> Begin<RunView> {
        self.begin_with(Work::Runs, name, |state| state.cache.run(name))
    }

    pub(crate) fn begin_experiment(&self, name: &Name) -> Begin<experiment::Snapshot> {
        self.begin_with(Work::Experiments, name, |state| state.cache.experiment(name))
    }

    fn begin_with<T>(&self, work: Work, name: &Name, look: impl FnOnce(&State) -> Option<T>) -> Begin<T> {
        let now = self.clock.moment();
        let mut state = self.state();
        if let Some(until) = state.lane(work).gate.held_until(name, now) {
            return Begin::Wait(until);
        }
        look(&state).map_or(Begin::Gone, |seen| Begin::Plan(Box::new(seen)))
    }

    pub(crate) fn done(&self, work: Work, name: &Name, outcome: Outcome) {
        let now = self.clock.moment();
        self.state().lane(work).queue.done(name, now, outcome);
    }

    pub(crate) fn failures(&self, work: Work, name: &Name) -> u32 {
        self.state().lane(work).queue.failures(name)
    }

    /// How many objects wait for a pass.
    pub(crate) fn waiting(&self, work: Work) -> usize {
        let now = self.clock.moment();
        self.state().lane(work).queue.waiting(now)
    }

    /// How many passes were asked for so far.
    pub(crate) fn added(&self, work: Work) -> u64 {
        self.state().lane(work).queue.added()
    }

    /// A write for an object was accepted.
    pub(crate) fn wrote(&self, work: Work, owner: &Name, object: &Written, version: &str) {
        let now = self.clock.moment();
        let mut guard = self.state();
        let shown = guard.cache.version(object.0, &object.1).map(str::to_owned);
        guard.lane(work).gate.wrote(owner, object, version, shown.as_deref(), now);
    }

    /// The version at which an object was last seen.
    pub(crate) fn version(&self, object: &Written) -> Option<String> {
        self.state().cache.version(object.0, &object.1).map(str::to_owned)
    }

    /// A request for a Rollout was accepted that changes an object, and whose answer doesn't say to which version:
    /// to a later one than what the cache had `before`.
    pub(crate) fn changed(&self, owner: &Name, object: &Written, before: Option<&str>) {
        let Some(next) = before.and_then(|version| version.parse::<u64>().ok()?.checked_add(1)) else { return };
        let now = self.clock.moment();
        let mut guard = self.state();
        // What is gone already, because the watch was faster than the answer, is shown no more.
        let Some(shown) = guard.cache.version(object.0, &object.1).map(str::to_owned) else { return };
        guard.lane(Work::Rollouts).gate.wrote(owner, object, &next.to_string(), Some(&shown), now);
    }

    /// Works with the list of fields that this cluster does not keep.
    pub(crate) fn with_unkept<T>(&self, act: impl FnOnce(&mut Unkept) -> T) -> T {
        act(&mut self.state().unkept)
    }

    /// Templates that can't be judged.
    pub(crate) fn wrong_templates(&self) -> Vec<(Watched, Arc<Template>)> {
        self.state().cache.wrong_templates()
    }

    /// Waits until a template was seen.
    pub(crate) async fn templates_stirred(&self) {
        self.templates_stirred.notified().await;
    }

    /// All Rollouts, for metrics.
    pub(crate) fn rollouts(&self) -> Vec<Arc<ReadRollout>> {
        self.state().cache.rollouts().map(|rollout| Arc::clone(&rollout.object)).collect()
    }

    /// All AnalysisRuns, for metrics.
    pub(crate) fn runs(&self) -> Vec<Arc<AnalysisRun>> {
        self.state().cache.runs().map(|run| Arc::clone(&run.object)).collect()
    }

    /// All Experiments, for metrics.
    pub(crate) fn experiments(&self) -> Vec<Arc<Experiment>> {
        self.state().cache.experiments().map(|one| Arc::clone(&one.object)).collect()
    }

    fn gone(&self, state: &mut State, kind: Watched, name: &Name, concerned: &Concerned, now: Moment) {
        let object = (kind, name.clone());
        for work in Work::ALL {
            state.lane(work).saw(&object, Seen::Gone, now + FLOCK);
            if kind == work.kind() {
                let lane = state.lane(work);
                lane.gate.forget(name);
                lane.queue.forget(name);
                self.metrics.forget(work, name);
            }
        }
        match kind {
            Watched::Rollout => {
                state.probed.remove(name);
                state.called.remove(name);
            }
            // A last pass finds that it is gone, and forgets what was being measured for it.
            Watched::AnalysisRun => {
                state.runs.queue.add(name, now);
                state.wake(concerned, Haste::InAFlock, now);
            }
            _ => state.wake(concerned, Haste::InAFlock, now),
        }
    }

    /// Lets go of the lock and tells all who wait for something to do.
    fn stir(&self, mut state: MutexGuard<'_, State>) {
        let routes_stirred = state.cache.routes.take_stirred();
        drop(state);
        self.rollouts_stirred.notify_one();
        self.runs_stirred.notify_one();
        self.experiments_stirred.notify_one();
        if routes_stirred {
            self.routes_stirred.notify_one();
        }
    }

    /// A poisoned lock only means that a task panicked between two changes; each change is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How soon a change is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Haste {
    /// At once, and not held back by earlier failures: somebody changed the Rollout itself, so what failed before may go
    /// well now.
    Afresh,
    /// At once: a verdict may take a release back.
    AtOnce,
    /// With whatever else comes in a flock.
    InAFlock,
}

fn is_verdict(object: &Object) -> bool {
    let phase = match object {
        Object::AnalysisRun(run) => run.object.status.as_ref().and_then(|status| status.phase.as_ref()),
        Object::Experiment(one) => one.object.status.as_ref().and_then(|status| status.phase.as_ref()),
        _ => None,
    };
    phase.is_some_and(AnalysisPhase::is_completed)
}

impl State {
    fn lane(&mut self, work: Work) -> &mut Lane {
        match work {
            Work::Rollouts => &mut self.rollouts,
            Work::Runs => &mut self.runs,
            Work::Experiments => &mut self.experiments,
        }
    }

    /// Asks for passes over those that a change concerns.
    fn wake(&mut self, concerned: &Concerned, haste: Haste, now: Moment) {
        for (work, name) in concerned {
            let queue = &mut self.lane(*work).queue;
            match haste {
                Haste::Afresh => queue.add_afresh(name, now),
                Haste::AtOnce => queue.add(name, now),
                Haste::InAFlock => queue.add(name, now + FLOCK),
            }
        }
    }
}

fn identity(object: &Object) -> (Written, String) {
    fn of<T>(kind: Watched, cached: &Cached<T>) -> (Written, String) {
        ((kind, cached.name.clone()), cached.version.clone())
    }
    match object {
        Object::Rollout(cached) => of(Watched::Rollout, cached),
        Object::ReplicaSet(cached) => of(Watched::ReplicaSet, cached),
        Object::Pod(cached) => of(Watched::Pod, cached),
        Object::Service(cached) => of(Watched::Service, cached),
        Object::AnalysisRun(cached) => of(Watched::AnalysisRun, cached),
        Object::Experiment(cached) => of(Watched::Experiment, cached),
        Object::Job(cached) => of(Watched::Job, cached),
        Object::Needed(kind, cached) => of(*kind, cached),
        Object::AnalysisTemplate(cached) => of(Watched::AnalysisTemplate, cached),
        Object::ClusterAnalysisTemplate(cached) => of(Watched::ClusterAnalysisTemplate, cached),
    }
}

#[cfg(test)]
mod tests;
