//! What is counted. Names that dashboards know from Argo Rollouts stay as they are; labels are bounded, and the
//! series of a Rollout go when it goes.

mod buckets;
mod experiments;
mod gauges;
mod page;
mod releases;
mod runs;
mod text;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_crds::rollout::status::ReleaseDuration;
use sluice_planner::Event;
use sluice_planner::engine::Moment;

use crate::cache::{Name, Watched};
use crate::recorder::Subject;
use crate::work::Work;
use buckets::Buckets;
use releases::Releases;
pub(crate) use text::CONTENT_TYPE;

/// From a pass that writes nothing (well under a millisecond) to one whose every request is slow.
const PASS_BOUNDS: &[f64] = &[0.000_5, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// From a pass that begins at once to one that had to wait for many others.
const QUEUE_BOUNDS: &[f64] = &[0.000_1, 0.001, 0.01, 0.1, 1.0, 10.0, 60.0];

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassEnd {
    /// It wrote.
    Applied,
    /// There was nothing to write.
    Idle,
    /// The cache has yet to show our own last write.
    Waiting,
    /// The object was not what the plan saw.
    Stale,
    /// A write was refused or has no answer.
    Failed,
    /// This replica stopped leading.
    NotLeading,
    /// A bug.
    Panicked,
    /// The object is not there any more.
    Gone,
}

impl PassEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::NotLeading => "not_leading",
            Self::Panicked => "panicked",
            Self::Gone => "gone",
        }
    }
}

/// What is done with an object of the API server, in the words of existing dashboards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Delete,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "Get",
            Self::List => "List",
            Self::Watch => "Watch",
            Self::Create => "Create",
            Self::Patch => "Patch",
            Self::Delete => "Delete",
        }
    }
}

/// All that is counted while the controller runs. A clone counts into the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    counts: Arc<Mutex<Counts>>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    passes: BTreeMap<&'static str, u64>,
    rollouts: OfWork,
    runs: OfWork,
    experiments: OfWork,
    /// By resource, verb and status code; code 0 stands for no answer.
    requests: BTreeMap<(&'static str, Verb, u16), u64>,
    unreadable: BTreeMap<Watched, u64>,
    watch_failures: BTreeMap<Watched, u64>,
    events_dropped: u64,
    releases: Releases,
}

/// What is counted of the passes over objects of one kind.
#[derive(Clone, Debug)]
struct OfWork {
    objects: BTreeMap<Name, OfObject>,
    retries: u64,
    waited: Buckets,
    worked: Buckets,
    /// Passes under way, and since when.
    under_way: BTreeMap<Name, Moment>,
}

/// What is counted of one object: it all goes when the object goes.
#[derive(Clone, Debug)]
struct OfObject {
    passes: Buckets,
    failed: u64,
    /// By type and reason.
    events: BTreeMap<(&'static str, &'static str), u64>,
}

impl Counts {
    fn of(&mut self, work: Work) -> &mut OfWork {
        match work {
            Work::Rollouts => &mut self.rollouts,
            Work::Runs => &mut self.runs,
            Work::Experiments => &mut self.experiments,
        }
    }
}

impl Default for OfWork {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            retries: 0,
            waited: Buckets::new(QUEUE_BOUNDS),
            worked: Buckets::new(QUEUE_BOUNDS),
            under_way: BTreeMap::new(),
        }
    }
}

impl Default for OfObject {
    fn default() -> Self {
        Self { passes: Buckets::new(PASS_BOUNDS), failed: 0, events: BTreeMap::new() }
    }
}

impl Metrics {
    /// A pass begins for which the object has waited so long.
    pub(crate) fn pass_begins(&self, work: Work, name: &Name, waited: Duration, now: Moment) {
        let mut counts = self.counts();
        let of_work = counts.of(work);
        of_work.waited.observe(waited.as_secs_f64());
        of_work.under_way.insert(name.clone(), now);
    }

    /// A pass is over.
    pub(crate) fn pass(&self, work: Work, name: &Name, end: PassEnd, now: Moment) {
        let mut counts = self.counts();
        *counts.passes.entry(end.as_str()).or_default() += 1;
        let of_work = counts.of(work);
        let began = of_work.under_way.remove(name);
        let took = began.map_or(0.0, |began| now.saturating_sub(began).as_secs_f64());
        of_work.worked.observe(took);
        let failed = matches!(end, PassEnd::Failed | PassEnd::Panicked);
        of_work.retries += u64::from(failed || matches!(end, PassEnd::Stale | PassEnd::NotLeading));
        // One that went during the pass is forgotten already, and stays so.
        if began.is_none() || matches!(end, PassEnd::Waiting | PassEnd::Gone) {
            return;
        }
        let object = of_work.objects.entry(name.clone()).or_default();
        object.passes.observe(took);
        object.failed += u64::from(failed);
    }

    /// An event is told in a pass.
    pub(crate) fn event(&self, subject: &Subject, event: &Event) {
        let Some(work) = Work::ALL.into_iter().find(|work| work.kind() == subject.kind) else { return };
        let name = Name::new(&subject.namespace, &subject.name);
        let mut counts = self.counts();
        let of_work = counts.of(work);
        if !of_work.under_way.contains_key(&name) && !of_work.objects.contains_key(&name) {
            return;
        }
        let object = of_work.objects.entry(name).or_default();
        *object.events.entry((event.kind.as_str(), event.reason)).or_default() += 1;
    }

    pub(crate) fn event_dropped(&self) {
        self.counts().events_dropped += 1;
    }

    /// A request was answered with this status; 0 stands for no answer.
    pub(crate) fn request(&self, resource: &'static str, verb: Verb, code: u16) {
        *self.counts().requests.entry((resource, verb, code)).or_default() += 1;
    }

    pub(crate) fn unreadable(&self, kind: Watched) {
        *self.counts().unreadable.entry(kind).or_default() += 1;
    }

    pub(crate) fn watch_failure(&self, kind: Watched) {
        *self.counts().watch_failures.entry(kind).or_default() += 1;
    }

    /// A status was written: perhaps the one with which a release ends.
    pub(crate) fn status_written(&self, before: Option<&ReleaseDuration>, after: &ReleaseDuration) {
        self.counts().releases.observe(before, after);
    }

    /// The object is gone, and its series go too.
    pub(crate) fn forget(&self, work: Work, name: &Name) {
        let mut counts = self.counts();
        let of_work = counts.of(work);
        of_work.objects.remove(name);
        of_work.under_way.remove(name);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
