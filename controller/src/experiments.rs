//! One pass over one Experiment: look, have it planned, carry the plan out in order, stop at the first failure.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use sluice_planner::engine::{Moment, Outcome};
use sluice_planner::experiment::{self, Snapshot};
use sluice_planner::{Plan, Write};

use crate::cache::Name;
use crate::clock::Clock;
use crate::dispatch::Worker;
use crate::hub::{Begin, Hub};
use crate::informer::INSTANCE_LABEL;
use crate::metrics::PassEnd;
use crate::pass::text_of;
use crate::recorder::{Recorder, Subject};
use crate::requests::{RequestError, Requests, kind_name};
use crate::send::Sender;
use crate::work::Work;

/// Time that has passed already is not asked for again and again.
const SOONEST_WAKE: Moment = Moment::from_millis(20);

/// What every pass over an Experiment needs.
#[derive(Debug)]
pub(crate) struct ExperimentPasses {
    pub(crate) hub: Arc<Hub>,
    pub(crate) clock: Clock,
    pub(crate) requests: Arc<Requests>,
    pub(crate) recorder: Recorder,
    /// Whose Experiments these are; empty for those without one.
    pub(crate) instance_id: String,
}

impl Worker for ExperimentPasses {
    fn work(&self) -> Work {
        Work::Experiments
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    /// Runs one pass. A panic in it is a bug of ours: it is counted, this Experiment is held back, the others go on.
    async fn pass(&self, name: &Name) -> Outcome {
        let (outcome, end) = match AssertUnwindSafe(self.try_pass(name)).catch_unwind().await {
            Ok(ended) => ended,
            Err(panic) => {
                let what = text_of(panic.as_ref());
                let (namespace, experiment) = (&*name.namespace, &*name.name);
                tracing::error!(namespace, experiment, "a bug: the pass panicked: {what}");
                (Outcome::Failed, PassEnd::Panicked)
            }
        };
        self.hub.metrics().pass(Work::Experiments, name, end, self.clock.moment());
        outcome
    }

    /// Nothing goes on between two passes.
    fn stand_by(&self) {}
}

impl ExperimentPasses {
    async fn try_pass(&self, name: &Name) -> (Outcome, PassEnd) {
        let snapshot = match self.hub.begin_experiment(name) {
            Begin::Plan(snapshot) => snapshot,
            Begin::Wait(until) => return (Outcome::Later { at: until }, PassEnd::Waiting),
            Begin::Gone => return (SETTLED, PassEnd::Gone),
        };
        let labels = snapshot.experiment.metadata.labels.as_ref();
        let instance = labels.and_then(|labels| labels.get(INSTANCE_LABEL)).map_or("", String::as_str);
        if instance != self.instance_id {
            // Known only because it has a name that one of ours would get.
            return (SETTLED, PassEnd::Idle);
        }
        let plan = experiment::plan(&snapshot, self.clock.now());
        self.carry_out(name, &snapshot, plan).await
    }

    async fn carry_out(&self, name: &Name, snapshot: &Snapshot, plan: Plan) -> (Outcome, PassEnd) {
        let subject = Subject::of(Work::Experiments, &snapshot.experiment.metadata);
        let mut end = PassEnd::Idle;
        for write in &plan.writes {
            if let Err(problem) = self.send(name, write).await {
                self.tell_refusal(name, snapshot, write, &problem).await;
                return self.failed(name, write, &problem);
            }
            end = PassEnd::Applied;
            self.recorder.tell(&subject, &write.events);
        }
        if let Some(status) = &plan.status {
            if let Err(problem) = self.send(name, status).await {
                return self.failed(name, status, &problem);
            }
            end = PassEnd::Applied;
        }
        self.recorder.tell(&subject, &plan.events);
        tracing::debug!(namespace = &*name.namespace, experiment = &*name.name, "{}", plan.why);
        let soonest = self.clock.moment().saturating_add(SOONEST_WAKE);
        let wake_at = plan.wake_at.map(|at| self.clock.moment_of(at).max(soonest));
        (Outcome::Settled { wake_at }, end)
    }

    async fn send(&self, name: &Name, write: &Write) -> Result<(), RequestError> {
        let sender = Sender { hub: &self.hub, requests: &self.requests, work: Work::Experiments };
        sender.send(name, write, &write.action).await.map(drop)
    }

    /// The status comes last, so a pass that ends before it can't say why: what was refused is said here.
    async fn tell_refusal(&self, name: &Name, snapshot: &Snapshot, write: &Write, problem: &RequestError) {
        let RequestError::Refused { message, .. } = problem else { return };
        let said = experiment::create_refused(snapshot, write, message, self.clock.now());
        let Some((status, events)) = said.and_then(|plan| Some((plan.status?, plan.events))) else { return };
        match self.send(name, &status).await {
            Ok(()) => self.recorder.tell(&Subject::of(Work::Experiments, &snapshot.experiment.metadata), &events),
            Err(problem) => tracing::debug!("what was refused could not be written down: {problem}"),
        }
    }

    fn failed(&self, name: &Name, write: &Write, problem: &RequestError) -> (Outcome, PassEnd) {
        let (namespace, experiment) = (&*name.namespace, &*name.name);
        let (kind, object, wanted) = (kind_name(write.target.kind), &write.target.name, &write.reason);
        match problem {
            RequestError::NotLeading => (Outcome::Failed, PassEnd::NotLeading),
            // The usual race; one that goes on and on is worth a look.
            RequestError::Stale { .. } if self.hub.failures(Work::Experiments, name) < 5 => {
                tracing::debug!(namespace, experiment, kind, object, "planned again ({wanted}): {problem}");
                (Outcome::Failed, PassEnd::Stale)
            }
            _ => {
                tracing::warn!(namespace, experiment, kind, object, "a write failed ({wanted}): {problem}");
                (Outcome::Failed, PassEnd::Failed)
            }
        }
    }
}

const SETTLED: Outcome = Outcome::Settled { wake_at: None };
