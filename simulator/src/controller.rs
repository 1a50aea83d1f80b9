//! A controller without threads: what it has seen, when it looks again, and the plan that it is carrying out.

use std::sync::Arc;

use crate::cache::{Cache, KINDS};
use crate::history::History;
use crate::oaths::Sight;
use jiff::Timestamp;
use sluice_planner::engine::{Backoff, Gate, Jitter, Moment, Outcome, Queue, Seen as Shown};
use sluice_planner::{Kind, Plan, Write};
use sluice_sandbox::World;
use sluice_sandbox::world::Object;

/// What arrives within so long is looked at together.
const FLOCK: Moment = Moment::from_millis(20);
/// A write that no watch shows holds the next plan for so long.
const PATIENCE: Moment = Moment::from_secs(30);
/// Time that has passed already is not asked for again and again.
const SOONEST_WAKE: Moment = Moment::from_millis(20);

pub(crate) struct Controller {
    pub(crate) cache: Cache,
    queue: Queue<()>,
    gate: Gate<(), (usize, String)>,
    /// How late each watch is, in milliseconds.
    lags_ms: Vec<i64>,
    blind_until: Vec<Timestamp>,
    pub(crate) passing: Option<Passing>,
    /// It does not live before.
    starts_at: Timestamp,
    /// It does not write any more from then on.
    pub(crate) ends_at: Option<Timestamp>,
    /// The latest plan's sentence.
    pub(crate) why: String,
}

/// A plan that is being carried out.
pub(crate) struct Passing {
    pub(crate) rollout: Arc<Object>,
    pub(crate) sight: Arc<Sight>,
    plan: Plan,
    next: usize,
    failed: bool,
    /// When the next request goes out, or the last one is given up.
    pub(crate) at: Timestamp,
}

impl Controller {
    pub(crate) fn new(seed: u64, lags_ms: &[i64], now: Timestamp) -> Self {
        Self {
            cache: Cache::default(),
            queue: Queue::new(Backoff::PASS, Jitter::seeded(seed)),
            gate: Gate::new(PATIENCE),
            lags_ms: lags_ms.to_vec(),
            blind_until: vec![Timestamp::MIN; KINDS.len()],
            passing: None,
            starts_at: now,
            ends_at: None,
            why: String::new(),
        }
    }

    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.starts_at <= now && self.ends_at.is_none_or(|end| now < end)
    }

    /// Another process takes its place. What the first look of that one shows is what this one has seen, unless it is
    /// brought up to date.
    pub(crate) fn restart(&mut self, seed: u64, at: Timestamp, moment: Moment) {
        self.queue = Queue::new(Backoff::PASS, Jitter::seeded(seed));
        self.gate = Gate::new(PATIENCE);
        self.passing = None;
        self.starts_at = at;
        self.queue.add(&(), moment);
    }

    /// Its watch shows nothing until then.
    pub(crate) fn blind(&mut self, kind: Option<usize>, until: Timestamp) {
        for (_, blind) in self.blind_until.iter_mut().enumerate().filter(|(at, _)| kind.is_none_or(|kind| kind == *at))
        {
            *blind = until.max(*blind);
        }
    }

    /// Nothing keeps its watches any more.
    pub(crate) fn clear_sight(&mut self) {
        self.lags_ms.iter_mut().for_each(|lag| *lag = (*lag).min(20));
        self.blind_until.iter_mut().for_each(|until| *until = Timestamp::MIN);
    }

    /// The longest that one of its watches is late.
    pub(crate) fn longest_lag_ms(&self) -> i64 {
        self.lags_ms.iter().copied().max().unwrap_or(0)
    }

    /// Takes in what its watches show by now; all that there is, where it begins with a look at everything.
    pub(crate) fn look(&mut self, world: &World, history: &History, now: Timestamp, moment: Moment, at_all: bool) {
        for kind in 0..KINDS.len() {
            if !at_all && self.blind_until[kind] > now {
                continue;
            }
            let lag = if at_all { 0 } else { self.lags_ms[kind] };
            let revision = history.revision_at(now, lag);
            if !self.cache.is_behind(kind, revision) {
                continue;
            }
            for news in self.cache.catch_up(world, kind, revision) {
                let object = (kind, news.name);
                let version = news.version.map(|version| version.to_string());
                let own = version.as_ref().is_some_and(|version| self.gate.is_own(&object, version));
                let shown = version.as_deref().map_or(Shown::Gone, Shown::Version);
                self.gate.saw(&object, shown);
                if kind == 0 && !own {
                    self.queue.add_afresh(&(), moment);
                } else {
                    self.queue.add(&(), moment + FLOCK);
                }
            }
        }
    }

    /// When one of its watches will show something.
    pub(crate) fn next_sight(&self, world: &World, history: &History) -> Option<Timestamp> {
        let next = |kind: usize| {
            let at = history.next_at(self.cache.next_unseen(world, kind)?, self.lags_ms[kind])?;
            Some(at.max(self.blind_until[kind]).max(self.starts_at))
        };
        (0..KINDS.len()).filter_map(next).min()
    }

    /// When it does something although nothing is seen.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        if self.passing.is_some() { None } else { self.queue.next_due() }
    }

    pub(crate) fn starts_at(&self) -> Timestamp {
        self.starts_at
    }

    /// Begins a pass if one is due. Says whether anything was done.
    pub(crate) fn begin(&mut self, now: Timestamp, moment: Moment) -> bool {
        if self.passing.is_some() || self.queue.next(moment).is_none() {
            return false;
        }
        if let Some(until) = self.gate.held_until(&(), moment) {
            self.queue.done(&(), moment, Outcome::Later { at: until });
            return true;
        }
        let Some((snapshot, rollout)) = self.cache.snapshot().zip(self.cache.rollout().cloned()) else {
            self.queue.done(&(), moment, Outcome::Settled { wake_at: None });
            return true;
        };
        let plan = sluice_planner::plan(&snapshot, now);
        self.why.clone_from(&plan.why);
        let sight = Arc::new(self.cache.sight());
        self.passing = Some(Passing { rollout, sight, plan, next: 0, failed: false, at: now });
        true
    }

    /// The request that is to go out now. `None` where the pass is over.
    pub(crate) fn next_write(&mut self, now: Timestamp, moment: Moment, start: Timestamp) -> Option<Write> {
        let passing = self.passing.as_mut()?;
        let at = passing.next;
        let status = (at == passing.plan.writes.len()).then(|| passing.plan.status.clone()).flatten();
        if let Some(write) = passing.plan.writes.get(at).cloned().or(status) {
            passing.next += 1;
            return Some(write);
        }
        let failed = passing.failed;
        let wake_at = passing.plan.wake_at;
        let wake_at = wake_at.map(|at| crate::history::moment(start, at.max(now)).max(moment + SOONEST_WAKE));
        self.end_pass(moment, if failed { Outcome::Failed } else { Outcome::Settled { wake_at } });
        None
    }

    /// A request failed: the pass is over, unless the rest does not rest on it.
    pub(crate) fn failed(&mut self, write: &Write, moment: Moment) {
        let Some(passing) = &mut self.passing else { return };
        if write.must_succeed() {
            self.end_pass(moment, Outcome::Failed);
        } else if write.target.kind != Kind::Pod {
            passing.failed = true;
        }
    }

    /// A request was carried out and left its object at this version.
    pub(crate) fn wrote(&mut self, write: &Write, version: u64, moment: Moment) {
        let Some(kind) = kind_of(write.target.kind) else { return };
        let name = match &write.action {
            sluice_planner::Action::Evict { name, .. } => name,
            _ => &write.target.name,
        };
        let shown = self.cache.version(kind, name).map(|version| version.to_string());
        self.gate.wrote(&(), &(kind, name.clone()), &version.to_string(), shown.as_deref(), moment);
    }

    fn end_pass(&mut self, moment: Moment, outcome: Outcome) {
        self.passing = None;
        self.queue.done(&(), moment, outcome);
    }
}

/// The place of a kind among those that are watched.
pub(crate) fn kind_of(kind: Kind) -> Option<usize> {
    let group = match kind {
        Kind::Rollout | Kind::RolloutStatus | Kind::AnalysisRun | Kind::Experiment => "argoproj.io",
        Kind::ReplicaSet | Kind::Deployment => "apps",
        Kind::Service | Kind::Pod => "",
        Kind::Routing(kind, _) => kind.group(),
    };
    KINDS.iter().position(|known| *known == (group, kind.plural()))
}
