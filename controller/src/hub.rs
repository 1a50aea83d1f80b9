//! The one place where what is seen and what is to be done meet: cache, queue and gate behind one short lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_planner::engine::{Backoff, Gate, Jitter, Moment, Outcome, Queue, Seen, WatchHealth};
use sluice_planner::{ReadRollout, Snapshot};
use tokio::sync::Notify;

use crate::cache::{Cache, Cached, Name, Object, Watched};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::unkept::Unkept;

/// A write that no watch shows holds its Rollout for so long and no longer.
const PATIENCE: Moment = Moment::from_secs(30);

/// What the cluster does comes in flocks (pods that get ready together, the echo of our own writes): one pass is
/// made of what arrives within so long. What a person does is acted on at once.
const FLOCK: Moment = Moment::from_millis(20);

/// An object that was written: of one Rollout's own, or the Rollout itself.
pub(crate) type Written = (Watched, Name);

/// What a pass begins with.
pub(crate) enum Begin {
    /// The Rollout and all around it.
    Plan(Box<Snapshot>),
    /// The cache has yet to show our own last write.
    Wait(Moment),
    /// There is no such Rollout.
    Gone,
}

/// Shared by all tasks. The lock is never held across a wait.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    stirred: Notify,
    clock: Clock,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    cache: Cache,
    queue: Queue<Name>,
    gate: Gate<Name, Written>,
    unkept: Unkept,
    watches: BTreeMap<Watched, WatchHealth>,
}

impl Hub {
    pub(crate) fn new(clock: Clock, jitter: Jitter, metrics: Metrics) -> Self {
        let state = State {
            cache: Cache::default(),
            queue: Queue::new(Backoff::PASS, jitter),
            gate: Gate::new(PATIENCE),
            unkept: Unkept::default(),
            watches: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), stirred: Notify::new(), clock, metrics }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn apply(&self, object: Object) {
        let (written, version) = identity(&object);
        let is_rollout = written.0 == Watched::Rollout;
        let now = self.clock.moment();
        let mut state = self.state();
        let own = state.gate.is_own(&written, &version);
        let concerned = state.cache.apply(object);
        let opened = state.gate.saw(&written, Seen::Version(&version));
        for name in concerned {
            // Somebody changed the Rollout itself: what failed before may go well now.
            if is_rollout && !own {
                state.queue.add_afresh(&name, now);
            } else {
                state.queue.add(&name, now + FLOCK);
            }
        }
        state.wake(opened, now + FLOCK);
        drop(state);
        self.stirred.notify_one();
    }

    pub(crate) fn remove(&self, kind: Watched, name: &Name) {
        let now = self.clock.moment();
        let mut state = self.state();
        let concerned = state.cache.remove(kind, name);
        self.gone(&mut state, kind, name, &concerned, now);
        drop(state);
        self.stirred.notify_one();
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
        }
        drop(state);
        self.stirred.notify_one();
    }

    /// The kinds of which no complete list was seen yet.
    pub(crate) fn missing(&self) -> Vec<Watched> {
        self.state().cache.missing()
    }

    /// The API server answers the watch of this kind.
    pub(crate) fn watch_works(&self, kind: Watched) {
        let now = self.clock.moment();
        let broken_for = self.state().watches.entry(kind).or_default().works(now);
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

    /// Asks for a pass over each Rollout.
    pub(crate) fn add_all(&self) {
        let now = self.clock.moment();
        let mut state = self.state();
        let names: Vec<Name> = state.cache.rollouts().map(|rollout| rollout.name.clone()).collect();
        for name in names {
            state.queue.add(&name, now);
        }
        drop(state);
        self.stirred.notify_one();
    }

    /// Takes the next Rollout to look at.
    pub(crate) fn next(&self) -> Option<Name> {
        let now = self.clock.moment();
        let mut state = self.state();
        let due = state.queue.next_due()?;
        let name = state.queue.next(now)?;
        self.metrics.pass_begins(&name, now.saturating_sub(due), now);
        Some(name)
    }

    /// When [`Self::next`] will have something although nothing is seen.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.state().queue.next_due()
    }

    /// Waits until something was seen.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    pub(crate) fn begin(&self, name: &Name) -> Begin {
        let mut state = self.state();
        if let Some(until) = state.gate.held_until(name, self.clock.moment()) {
            return Begin::Wait(until);
        }
        state.cache.snapshot(name).map_or(Begin::Gone, |snapshot| Begin::Plan(Box::new(snapshot)))
    }

    pub(crate) fn done(&self, name: &Name, outcome: Outcome) {
        let now = self.clock.moment();
        let mut state = self.state();
        state.queue.done(name, now, outcome);
    }

    pub(crate) fn failures(&self, name: &Name) -> u32 {
        self.state().queue.failures(name)
    }

    /// How many Rollouts wait for a pass.
    pub(crate) fn waiting(&self) -> usize {
        self.state().queue.waiting(self.clock.moment())
    }

    /// How many passes were asked for so far.
    pub(crate) fn added(&self) -> u64 {
        self.state().queue.added()
    }

    /// A write for a Rollout was accepted.
    pub(crate) fn wrote(&self, owner: &Name, object: &Written, version: &str) {
        let mut guard = self.state();
        let State { cache, gate, .. } = &mut *guard;
        gate.wrote(owner, object, version, cache.version(object.0, &object.1), self.clock.moment());
    }

    /// The version at which an object was last seen.
    pub(crate) fn version(&self, object: &Written) -> Option<String> {
        self.state().cache.version(object.0, &object.1).map(str::to_owned)
    }

    /// A request for a Rollout was accepted that changes an object, and whose answer doesn't say to which version:
    /// to a later one than what the cache had `before`.
    pub(crate) fn changed(&self, owner: &Name, object: &Written, before: Option<&str>) {
        if let Some(next) = before.and_then(|version| version.parse::<u64>().ok()?.checked_add(1)) {
            self.wrote(owner, object, &next.to_string());
        }
    }

    /// Works with the list of fields that this cluster does not keep.
    pub(crate) fn with_unkept<T>(&self, act: impl FnOnce(&mut Unkept) -> T) -> T {
        act(&mut self.state().unkept)
    }

    /// All Rollouts, for metrics.
    pub(crate) fn rollouts(&self) -> Vec<Arc<ReadRollout>> {
        self.state().cache.rollouts().map(|rollout| Arc::clone(&rollout.object)).collect()
    }

    fn gone(&self, state: &mut State, kind: Watched, name: &Name, concerned: &BTreeSet<Name>, now: Moment) {
        let opened = state.gate.saw(&(kind, name.clone()), Seen::Gone);
        if kind == Watched::Rollout {
            state.gate.forget(name);
            state.queue.forget(name);
            self.metrics.forget(name);
            return;
        }
        for name in concerned {
            state.queue.add(name, now + FLOCK);
        }
        state.wake(opened, now + FLOCK);
    }

    /// A poisoned lock only means that a task panicked between two changes; each change is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self, opened: Option<Name>, at: Moment) {
        if let Some(owner) = opened {
            self.queue.add(&owner, at);
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
        Object::AnalysisTemplate(cached) => of(Watched::AnalysisTemplate, cached),
        Object::ClusterAnalysisTemplate(cached) => of(Watched::ClusterAnalysisTemplate, cached),
    }
}
