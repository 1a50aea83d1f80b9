//! The life of a pod on its node: what happens next, and when.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::conditions::{self, Facts};
use super::container::Container;
use super::event::{PodEvent, Teller};
use super::memory::{ContainerMemory, Ended, PodMemory, State, Stopping};
use super::node::Node;
use super::options::Options;
use super::phase::{self, Phase};
use super::plan::{PodPlan, Role};
use super::read::text;
use super::run::Run;
use super::status;
use super::time::{later, since};

/// What the node does about one pod now.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A strategic merge patch for the pod's `status` subresource; it carries the uid, so that it can't hit a
    /// later pod of the same name.
    pub status: Option<Value>,
    /// The pod is over: after the status, delete it with a grace period of 0 and this uid as precondition.
    pub delete: Option<String>,
    pub events: Vec<PodEvent>,
    /// When to look again if nothing else happens before.
    pub wake_at: Option<Timestamp>,
    /// To be handed in with the next call.
    pub memory: PodMemory,
}

/// Lives through everything that is due up to `now`, each at its own moment, and says what to write.
///
/// The same arguments give the same outcome. A pod that is not bound to `node` is none of its business.
#[must_use]
pub fn step(pod: &Value, node: &Node, memory: PodMemory, now: Timestamp, options: &Options) -> Outcome {
    if text(pod, "/spec/nodeName") != node.name {
        return Outcome { status: None, delete: None, events: Vec::new(), wake_at: None, memory };
    }
    let plan = PodPlan::read(pod);
    if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
        let delete = plan.final_delete();
        return Outcome { status: None, delete, events: Vec::new(), wake_at: None, memory };
    }
    let mut life = Life::resume(&plan, node, pod, memory, options);
    let wake_at = life.catch_up(now);
    let status = status::patch(&life, now);
    let over = plan.deletion.is_some() && life.phase().is_final();
    let Life { mut memory, teller, .. } = life;
    memory.wake_at = wake_at;
    memory.told = teller.told;
    Outcome { status, delete: if over { plan.final_delete() } else { None }, events: teller.events, wake_at, memory }
}

impl PodPlan {
    /// The uid to delete, unless the API server has that delete already (a finalizer holds the pod).
    fn final_delete(&self) -> Option<String> {
        self.deletion.filter(|grace| !grace.is_zero()).map(|_| self.uid.clone())
    }
}

pub(super) struct Life<'a> {
    pub(super) plan: &'a PodPlan,
    pub(super) node: &'a Node,
    pub(super) live: &'a Value,
    pub(super) memory: PodMemory,
    pub(super) runs: Vec<Run>,
    options: &'a Options,
    teller: Teller,
}

/// More changes than one moment can bring; a model that oscillates must not hang its driver.
const CHANGES_PER_MOMENT: usize = 1_000;
const MOMENTS_PER_STEP: usize = 10_000;

impl<'a> Life<'a> {
    fn resume(plan: &'a PodPlan, node: &'a Node, live: &'a Value, mut memory: PodMemory, options: &'a Options) -> Self {
        for container in &plan.containers {
            memory.containers.entry(container.name.clone()).or_default();
        }
        if plan.host_network {
            memory.ip.clone_from(&node.ip);
        }
        conditions::adopt_foreign(&mut memory.conditions, live);
        let teller = Teller::resume(std::mem::take(&mut memory.told));
        let runs = plan.containers.iter().map(Run::of).collect();
        Self { plan, node, live, memory, runs, options, teller }
    }

    /// Every moment at which something was due gets its own turn, so that what follows from it (restart counts,
    /// back-offs, transition times) is the same whether the driver came in time or an hour late.
    fn catch_up(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut t = self.memory.wake_at.filter(|wake| *wake <= now).unwrap_or(now);
        for _ in 0..MOMENTS_PER_STEP {
            if t == now {
                self.notice_deletion(now);
                self.tell_mistakes(now);
            }
            self.settle(t);
            let next = self.next_change(t);
            match next {
                Some(next) if next <= now => t = next,
                _ if t < now => t = now,
                _ => return next,
            }
        }
        // The rest at once, but in another step.
        Some(t)
    }

    fn settle(&mut self, t: Timestamp) {
        for _ in 0..CHANGES_PER_MOMENT {
            let changed = self.arrive(t)
                || self.end_by_node(t)
                || self.advance_containers(t)
                || self.start_next(t)
                || self.stop_sidecars(t);
            if !changed {
                break;
            }
        }
        let conditions = self.facts(t).conditions(&self.memory);
        conditions::mark(&mut self.memory.conditions, &conditions, t);
    }

    fn arrive(&mut self, t: Timestamp) -> bool {
        let arrives = self.memory.arrived.is_none();
        self.memory.arrived.get_or_insert(t);
        arrives
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.memory.arrived.map(|arrived| later(arrived, self.options.start_takes))
    }

    fn notice_deletion(&mut self, now: Timestamp) {
        let Some(grace) = self.plan.deletion else {
            return;
        };
        match self.memory.stopping {
            None => self.stop_all(now, grace),
            // A second delete with less patience.
            Some(stopping) if grace < stopping.grace => {
                self.memory.stopping = Some(Stopping { grace, ..stopping });
                for container in self.memory.containers.values_mut() {
                    if let State::Stopping { since: asked, grace: left, .. } = &mut container.state {
                        *left = (*left).min(since(*asked, now).saturating_add(grace));
                    }
                }
            }
            Some(_) => {}
        }
    }

    fn tell_mistakes(&mut self, now: Timestamp) {
        for mistake in &self.plan.mistakes {
            let message = mistake.to_string();
            let key = format!("{BAD_ANNOTATION}//{message}");
            if !self.teller.told.contains_key(&key) {
                self.teller.warning(now, BAD_ANNOTATION, "", message);
            }
        }
    }

    /// The node ends a pod by itself: its deadline, or no room.
    fn end_by_node(&mut self, t: Timestamp) -> bool {
        if self.memory.stopping.is_some() || self.phase().is_final() {
            return false;
        }
        let Some((ended, grace)) = self.due_end(t) else {
            return false;
        };
        self.teller.warning(t, ended.reason, "", ended.message.clone());
        self.memory.ended = Some(ended);
        self.stop_all(t, grace);
        true
    }

    fn due_end(&self, t: Timestamp) -> Option<(Ended, SignedDuration)> {
        let ran = since(self.memory.arrived?, t);
        if self.plan.behaviour.evict_after.is_some_and(|after| after <= ran) {
            let ended = Ended {
                reason: "Evicted",
                message: "The node was low on resource: memory.".to_owned(),
                disrupted: true,
            };
            return Some((ended, SignedDuration::ZERO));
        }
        if self.plan.deadline.is_some_and(|deadline| deadline <= ran) {
            let ended = Ended {
                reason: "DeadlineExceeded",
                message: "Pod was active on the node longer than the specified deadline".to_owned(),
                disrupted: false,
            };
            return Some((ended, self.plan.grace));
        }
        None
    }

    /// Main and init containers stop together; sidecars when those are gone.
    fn stop_all(&mut self, t: Timestamp, grace: SignedDuration) {
        self.memory.stopping = Some(Stopping { since: t, grace });
        for i in 0..self.plan.containers.len() {
            if self.plan.containers[i].role != Role::Sidecar {
                self.with(i, |container| container.stop(t, grace));
            }
        }
    }

    fn advance_containers(&mut self, t: Timestamp) -> bool {
        (0..self.plan.containers.len()).any(|i| self.with(i, |container| container.advance(t)))
    }

    /// Init containers one after another, sidecars among them once they have started, then the main ones.
    fn start_next(&mut self, t: Timestamp) -> bool {
        let early = self.started_at().is_none_or(|start| start > t);
        if early || self.memory.stopping.is_some() {
            return false;
        }
        for i in 0..self.plan.containers.len() {
            let container = &self.plan.containers[i];
            let memory = &self.memory.containers[&container.name];
            if matches!(memory.state, State::Idle) {
                self.with(i, |container| container.start(t));
                return true;
            }
            let done = match container.role {
                Role::Init => memory.succeeded(),
                Role::Sidecar => memory.is_started(&self.runs[i], t),
                Role::Main => !matches!(memory.state, State::InHook { .. }),
            };
            let passed = container.role != Role::Main && self.main_has_begun();
            if !done && !passed {
                return false;
            }
        }
        false
    }

    /// Sidecars outlive the main containers and go in reverse order, within what is left of the grace period.
    fn stop_sidecars(&mut self, t: Timestamp) -> bool {
        let main_alive =
            self.containers().any(|(i, memory)| self.plan.containers[i].role != Role::Sidecar && memory.is_alive());
        if main_alive || !(self.memory.stopping.is_some() || self.work_is_over()) {
            return false;
        }
        let last_alive = self.containers().filter(|(_, memory)| memory.is_alive()).map(|(i, _)| i).last();
        let Some(last_alive) = last_alive else {
            return false;
        };
        let grace = self.memory.stopping.map_or(self.plan.grace, |stopping| {
            let deadline = later(stopping.since, stopping.grace);
            let left = since(t, deadline);
            if stopping.grace.is_zero() { left } else { left.max(LEAST_FOR_SIDECARS) }
        });
        self.with(last_alive, |container| container.stop(t, grace))
    }

    fn containers(&self) -> impl Iterator<Item = (usize, &ContainerMemory)> {
        self.plan.containers.iter().enumerate().map(|(i, container)| (i, &self.memory.containers[&container.name]))
    }

    fn work_is_over(&self) -> bool {
        phase::work_is_over(self.plan, &self.memory)
    }

    fn main_has_begun(&self) -> bool {
        self.containers().any(|(i, memory)| self.plan.containers[i].role == Role::Main && memory.state != State::Idle)
    }

    fn with<R>(&mut self, i: usize, act: impl FnOnce(&mut Container<'_>) -> R) -> R {
        let plan = &self.plan.containers[i];
        let finished = plan.role == Role::Sidecar && self.work_is_over();
        let may_start = self.memory.stopping.is_none() && !finished;
        let memory = self.memory.containers.entry(plan.name.clone()).or_default();
        act(&mut Container {
            pod: self.plan,
            plan,
            run: &self.runs[i],
            options: self.options,
            memory,
            teller: &mut self.teller,
            may_start,
        })
    }

    fn next_change(&mut self, t: Timestamp) -> Option<Timestamp> {
        let mut next: Vec<Timestamp> = (0..self.plan.containers.len())
            .filter_map(|i| self.with(i, |container| container.next_change(t)))
            .collect();
        if self.memory.stopping.is_none() && !self.phase().is_final() {
            next.extend(self.started_at().filter(|start| *start > t));
            let arrived = self.memory.arrived.unwrap_or(t);
            let ends = [self.plan.behaviour.evict_after, self.plan.deadline];
            next.extend(ends.into_iter().flatten().map(|after| later(arrived, after)));
        }
        next.into_iter().filter(|next| *next > t).min()
    }

    pub(super) fn phase(&self) -> Phase {
        phase::of(self.plan, &self.memory)
    }

    pub(super) fn facts(&self, t: Timestamp) -> Facts<'a> {
        let phase = self.phase();
        let ready = |i: usize, role: Role| {
            let memory = &self.memory.containers[&self.plan.containers[i].name];
            memory.is_ready(&self.runs[i], role, t)
        };
        let containers = || self.plan.containers.iter().enumerate();
        let init_done = |i: usize, role: Role| match role {
            Role::Init => ready(i, role),
            Role::Sidecar => {
                let memory = &self.memory.containers[&self.plan.containers[i].name];
                memory.is_started(&self.runs[i], t) || self.main_has_begun()
            }
            Role::Main => true,
        };
        Facts {
            plan: self.plan,
            phase,
            has_room: self.started_at().is_some_and(|start| start <= t) && !phase.is_final(),
            init_missing: containers()
                .filter(|(i, container)| !init_done(*i, container.role))
                .map(|(_, container)| container.name.as_str())
                .collect(),
            unready: containers()
                .filter(|(i, container)| container.role != Role::Init && !ready(*i, container.role))
                .map(|(_, container)| container.name.as_str())
                .collect(),
            live: self.live,
        }
    }
}

const BAD_ANNOTATION: &str = "InvalidSandboxAnnotation";
const LEAST_FOR_SIDECARS: SignedDuration = SignedDuration::from_secs(2);
