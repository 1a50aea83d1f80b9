//! What is being measured for which run, and which answers have come: all that is not in a run's status yet.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use jiff::Timestamp;
use sluice_analysis::provider::Failure;
use sluice_analysis::run::{Answer, Outcome, Prepared};
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::AnalysisRunSpec;
use sluice_planner::engine::Moment;
use tokio::task::{AbortHandle, JoinSet};

use crate::cache::Name;
use crate::hub::Hub;
use crate::pass::text_of;

/// The memory of all runs. Losing it loses no more than answers that are asked for again.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    runs: BTreeMap<Name, Memory>,
    opened: u64,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Memory {
    uid: String,
    /// The spec that was read, by its generation, and as text for when that has changed.
    generation: Option<i64>,
    spec: Box<str>,
    /// Tells it from an earlier memory of the same name, whose answers may still come.
    number: u64,
    prepared: Arc<Prepared>,
    questions: BTreeMap<usize, Question>,
    first_answer: Option<Moment>,
}

/// A question to a provider; dropping it takes it back.
#[derive(Debug)]
struct Question {
    attempt: i64,
    asked_at: Timestamp,
    task: AbortHandle,
    outcome: Option<Outcome>,
}

impl Drop for Question {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is under way for a run.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    /// Metrics whose answers are still to come.
    pub(crate) asking: BTreeSet<usize>,
    /// Answers with the attempts to which they belong.
    pub(crate) answers: Vec<(i64, Answer)>,
    /// When the first of these answers came.
    pub(crate) first_answer: Option<Moment>,
}

impl Desk {
    /// What was read of this run, if it still says the same.
    pub(crate) fn prepared(&self, name: &Name, run: &AnalysisRun) -> Option<Arc<Prepared>> {
        let mut state = self.state();
        let memory = state.runs.get_mut(name)?;
        let generation = run.metadata.generation;
        if memory.uid != uid(run) {
            return None;
        }
        if generation.is_none() || generation != memory.generation {
            if memory.spec != measured(&run.spec) {
                return None;
            }
            memory.generation = generation;
        }
        Some(Arc::clone(&memory.prepared))
    }

    /// Begins anew with what a run says now.
    pub(crate) fn open(&self, name: &Name, run: &AnalysisRun, prepared: Prepared) -> Arc<Prepared> {
        let prepared = Arc::new(prepared);
        let mut state = self.state();
        state.opened += 1;
        let memory = Memory {
            uid: uid(run).to_owned(),
            generation: run.metadata.generation,
            spec: measured(&run.spec),
            number: state.opened,
            prepared: Arc::clone(&prepared),
            questions: BTreeMap::new(),
            first_answer: None,
        };
        state.runs.insert(name.clone(), memory);
        prepared
    }

    /// Nothing more is to be measured for this run.
    pub(crate) fn close(&self, name: &Name) {
        self.state().runs.remove(name);
    }

    /// Nothing more is to be measured for anybody.
    pub(crate) fn close_all(&self) {
        self.state().runs.clear();
    }

    pub(crate) fn under_way(&self, name: &Name) -> UnderWay {
        let state = self.state();
        let Some(memory) = state.runs.get(name) else { return UnderWay::default() };
        let mut under_way = UnderWay { first_answer: memory.first_answer, ..UnderWay::default() };
        for (metric, question) in &memory.questions {
            match &question.outcome {
                None => drop(under_way.asking.insert(*metric)),
                Some(outcome) => {
                    let answer = Answer { metric: *metric, asked_at: question.asked_at, outcome: outcome.clone() };
                    under_way.answers.push((question.attempt, answer));
                }
            }
        }
        under_way
    }

    /// Asks in the background; the run has a pass when the answer is there.
    pub(crate) fn ask(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        name: &Name,
        (metric, attempt, asked_at): (usize, i64, Timestamp),
        question: impl Future<Output = Outcome> + Send + 'static,
        now: impl Fn() -> Moment + Send + 'static,
    ) {
        let mut guard = self.state();
        let state = &mut *guard;
        while state.tasks.try_join_next().is_some() {}
        let Some(memory) = state.runs.get_mut(name) else { return };
        let number = memory.number;
        let (desk, hub, owner) = (Arc::downgrade(self), Arc::clone(hub), name.clone());
        let task = state.tasks.spawn(async move {
            let outcome = match AssertUnwindSafe(question).catch_unwind().await {
                Ok(outcome) => outcome,
                Err(panic) => {
                    let what = text_of(panic.as_ref());
                    tracing::error!(run = %owner, "a bug: measuring panicked: {what}");
                    Outcome::Failure(Failure("a bug of the controller ended it; its log has more".to_owned()))
                }
            };
            if let Some(desk) = desk.upgrade() {
                desk.answered(&owner, number, metric, outcome, now());
                hub.add_run(&owner);
            }
        });
        memory.questions.insert(metric, Question { attempt, asked_at, task, outcome: None });
    }

    fn answered(&self, name: &Name, number: u64, metric: usize, outcome: Outcome, now: Moment) {
        let mut state = self.state();
        let memory = state.runs.get_mut(name).filter(|memory| memory.number == number);
        let Some(memory) = memory else { return };
        if let Some(question) = memory.questions.get_mut(&metric) {
            question.outcome = Some(outcome);
            memory.first_answer.get_or_insert(now);
        }
    }

    /// These answers are in the run's status, or come too late to be.
    pub(crate) fn settled(&self, name: &Name, metrics: impl IntoIterator<Item = usize>) {
        let mut state = self.state();
        let Some(memory) = state.runs.get_mut(name) else { return };
        for metric in metrics {
            memory.questions.remove(&metric);
        }
        if memory.questions.values().all(|question| question.outcome.is_none()) {
            memory.first_answer = None;
        }
    }

    /// A poisoned lock only means that a task panicked between two changes; each change is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uid(run: &AnalysisRun) -> &str {
    run.metadata.uid.as_deref().unwrap_or_default()
}

/// What of a spec says how to measure; how a run ends may change at any time.
fn measured(spec: &AnalysisRunSpec) -> Box<str> {
    let spec = AnalysisRunSpec { terminate: None, ttl_strategy: None, ..spec.clone() };
    // What was read as JSON can be written as such.
    serde_json::to_string(&spec).unwrap_or_default().into()
}
