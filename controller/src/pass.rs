//! One pass over one Rollout: look, have it planned, carry the plan out in order, stop at the first failure.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use sluice_crds::Rollout;
use sluice_crds::rollout::status::ReleaseDuration;
use sluice_planner::engine::{Moment, Outcome};
use sluice_planner::{Action, Event, EventType, Kind, Plan, Snapshot, Target, Write};
use tracing::Instrument;

use crate::cache::Name;
use crate::clock::Clock;
use crate::dispatch::Worker;
use crate::hub::{Begin, Hub};
use crate::metrics::PassEnd;
use crate::plugins::Caller;
use crate::recorder::{Recorder, Subject};
use crate::requests::{RequestError, Requests, kind_name};
use crate::routing::Prober;
use crate::send::Sender;
use crate::work::Work;

/// The decision: what is to be done, from what was observed and what time it is.
pub type Decide = fn(&Snapshot, jiff::Timestamp) -> Plan;

/// Time that has passed already is not asked for again and again: changes wake at once, timers can wait so long.
const SOONEST_WAKE: Moment = Moment::from_millis(20);

/// What every pass needs.
#[derive(Debug)]
pub(crate) struct Passes {
    pub(crate) hub: Arc<Hub>,
    pub(crate) clock: Clock,
    pub(crate) requests: Arc<Requests>,
    pub(crate) recorder: Recorder,
    pub(crate) decide: Decide,
    pub(crate) prober: Prober,
    pub(crate) caller: Caller,
}

impl Worker for Passes {
    fn work(&self) -> Work {
        Work::Rollouts
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    fn clock(&self) -> Clock {
        self.clock
    }

    /// Runs one pass. A panic in it is a bug of ours: it is counted, this Rollout is held back, the others go on.
    async fn pass(&self, name: &Name) -> Outcome {
        let (outcome, end) = match AssertUnwindSafe(self.try_pass(name)).catch_unwind().await {
            Ok(ended) => ended,
            Err(panic) => {
                let what = text_of(panic.as_ref());
                tracing::error!(
                    namespace = &*name.namespace,
                    rollout = &*name.name,
                    "a bug: the pass panicked: {what}"
                );
                (Outcome::Failed, PassEnd::Panicked)
            }
        };
        self.hub.metrics().pass(Work::Rollouts, name, end, self.clock.moment());
        outcome
    }

    /// Only the leader asks through routers and calls plugins.
    fn stand_by(&self) {
        self.prober.end_all();
        self.caller.end_all();
    }
}

impl Passes {
    async fn try_pass(&self, name: &Name) -> (Outcome, PassEnd) {
        let snapshot = match self.hub.begin(name) {
            Begin::Plan(snapshot) => snapshot,
            Begin::Wait(until) => return (Outcome::Later { at: until }, PassEnd::Waiting),
            Begin::Gone => {
                self.prober.want(name, None);
                self.caller.want(name, None);
                return (Outcome::Settled { wake_at: None }, PassEnd::Gone);
            }
        };
        let plan = (self.decide)(&snapshot, self.clock.now());
        let span = tracing::info_span!(
            "pass",
            namespace = &*name.namespace,
            rollout = &*name.name,
            revision = revision(&snapshot.rollout),
            step = snapshot.rollout.status.as_ref().and_then(|status| status.current_step_index),
        );
        self.carry_out(name, &snapshot, plan).instrument(span).await
    }

    async fn carry_out(&self, name: &Name, snapshot: &Snapshot, plan: Plan) -> (Outcome, PassEnd) {
        let rollout = &*snapshot.rollout;
        let subject = Subject::of(Work::Rollouts, &rollout.metadata);
        let soonest = self.clock.moment().saturating_add(SOONEST_WAKE);
        let wake_at = plan.wake_at.map(|at| self.clock.moment_of(at).max(soonest));
        let settled = Outcome::Settled { wake_at };
        let mut written = false;
        let mut delayed = None;
        self.prober.want(name, plan.probe.as_ref());
        if rollout.status.is_none() && !(plan.writes.is_empty() && plan.status.is_none()) {
            self.recorder.tell(&subject, &[first_seen(name)]);
        }
        for write in &plan.writes {
            match self.send(name, write).await {
                Ok(stored) => written |= stored.is_some(),
                Err(RequestError::Refused { code, message, .. }) if write.target.kind == Kind::Pod => {
                    self.recorder.tell(&subject, &[refused(write, code, &message)]);
                    continue;
                }
                Err(problem) if is_routing(write) && !matches!(problem, RequestError::NotLeading) => {
                    let ended = self.failed(name, write, &problem);
                    if ended.1 != PassEnd::Stale {
                        self.recorder.tell(&subject, &[not_routed(write, &problem)]);
                    }
                    delayed = delayed.or(Some(ended));
                    continue;
                }
                Err(problem) => {
                    self.tell_refusal(name, snapshot, write, &problem).await;
                    return self.failed(name, write, &problem);
                }
            }
            self.recorder.tell(&subject, &write.events);
        }
        match &plan.status {
            None => self.recorder.tell(&subject, &plan.events),
            Some(status) => match self.send(name, status).await {
                Ok(Some(stored)) => {
                    written = true;
                    self.count_release(rollout, &stored);
                    self.recorder.tell(&subject, &plan.events);
                }
                Ok(None) => {}
                Err(problem) => return self.failed(name, status, &problem),
            },
        }
        tracing::debug!("{}", plan.why);
        self.caller.want(name, plan.call.as_ref());
        delayed.unwrap_or((settled, if written { PassEnd::Applied } else { PassEnd::Idle }))
    }

    /// A release that this status ends is counted where it is written, so that each counts once.
    fn count_release(&self, rollout: &Rollout, stored: &Value) {
        let before = rollout.status.as_ref().and_then(|status| status.duration.as_ref());
        if let Ok(after) = ReleaseDuration::deserialize(&stored["status"]["duration"]) {
            self.hub.metrics().status_written(before, &after);
        }
    }

    /// The status comes last, so a pass that ends before it can't say why: what was refused is said here.
    async fn tell_refusal(&self, name: &Name, snapshot: &Snapshot, write: &Write, problem: &RequestError) {
        let RequestError::Refused { message, .. } = problem else { return };
        let said = sluice_planner::create_refused(snapshot, write, message, self.clock.now());
        let Some((status, events)) = said.and_then(|plan| Some((plan.status?, plan.events))) else { return };
        match self.send(name, &status).await {
            Ok(Some(_)) => self.recorder.tell(&Subject::of(Work::Rollouts, &snapshot.rollout.metadata), &events),
            Ok(None) => {}
            Err(problem) => tracing::debug!("what was refused could not be written down: {problem}"),
        }
    }

    /// Sends one write and returns what was stored. `None` where nothing of it would stick, so that nothing was sent.
    async fn send(&self, owner: &Name, write: &Write) -> Result<Option<Value>, RequestError> {
        let is_rollout = matches!(write.target.kind, Kind::Rollout | Kind::RolloutStatus);
        let mut trimmed = None;
        if let (true, Action::Patch(operations)) = (is_rollout, &write.action) {
            let Some(kept) = self.hub.with_unkept(|unkept| unkept.without(operations)) else { return Ok(None) };
            trimmed = Some(Action::Patch(kept));
        }
        let action = trimmed.as_ref().unwrap_or(&write.action);
        let sender = Sender { hub: &self.hub, requests: &self.requests, work: Work::Rollouts };
        let stored = sender.send(owner, write, action).await?;
        if let Action::Patch(operations) = action
            && is_rollout
        {
            self.learn(operations, &stored);
        }
        Ok(Some(stored))
    }

    fn learn(&self, operations: &[Value], stored: &Value) {
        let lost = self.hub.with_unkept(|unkept| unkept.learn(operations, stored));
        if !lost.is_empty() {
            tracing::warn!(
                fields = lost.join(" "),
                "the installed CRDs don't have these fields, so they are left out from now on; all else works"
            );
        }
    }

    fn failed(&self, name: &Name, write: &Write, problem: &RequestError) -> (Outcome, PassEnd) {
        let (kind, object) = (kind_name(write.target.kind), &write.target.name);
        let wanted = &write.reason;
        match problem {
            RequestError::NotLeading => {
                tracing::info!(kind, object, "stopped before a write ({wanted}): {problem}");
                (Outcome::Failed, PassEnd::NotLeading)
            }
            // The usual race; one that goes on and on is worth a look.
            RequestError::Stale { .. } if self.hub.failures(Work::Rollouts, name) < 5 => {
                tracing::debug!(kind, object, "planned again ({wanted}): {problem}");
                (Outcome::Failed, PassEnd::Stale)
            }
            _ => {
                tracing::warn!(kind, object, "a write failed ({wanted}): {problem}");
                (Outcome::Failed, PassEnd::Failed)
            }
        }
    }
}

/// What is told of a pod that may not be touched now; it is tried again.
fn refused(write: &Write, code: u16, message: &str) -> Event {
    let (verb, reason) = match (&write.action, code) {
        (Action::Evict { .. }, 429) => ("evicted", "PodEvictionPostponed"),
        (Action::Evict { .. }, _) => ("evicted", "PodEvictionRefused"),
        _ => ("changed", "PodChangeRefused"),
    };
    let kind = if code == 429 { EventType::Normal } else { EventType::Warning };
    Event { kind, reason, message: format!("pod {} can't be {verb} yet: {message}", write.target.name) }
}

fn is_routing(write: &Write) -> bool {
    matches!(write.target.kind, Kind::Routing(..))
}

/// What is told of a routing object that can't be written. It delays what waits for it and nothing else.
fn not_routed(write: &Write, problem: &RequestError) -> Event {
    let verb = match &write.action {
        Action::Create(_) => "created",
        Action::Delete { .. } => "deleted",
        Action::Patch(_) | Action::Evict { .. } => "changed",
    };
    let Target { kind, namespace, name } = &write.target;
    let message = format!("{} {namespace}/{name} can't be {verb}, it is tried again: {problem}", kind_name(*kind));
    Event { kind: EventType::Warning, reason: "TrafficRoutingError", message }
}

/// The event that stands before all others of a Rollout.
fn first_seen(name: &Name) -> Event {
    let message = format!("{name} is new here");
    Event { kind: EventType::Normal, reason: "RolloutAddedToInformer", message }
}

fn revision(rollout: &Rollout) -> Option<&str> {
    rollout.metadata.annotations.as_ref()?.get("rollout.argoproj.io/revision").map(String::as_str)
}

pub(crate) fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
