//! The pod status as the API server should have it, and the patch that gets it there.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::conditions;
use super::digest;
use super::image::{Pull, full_name, image_id};
use super::memory::{ContainerMemory, Exit, State};
use super::phase::Phase;
use super::plan::{ContainerPlan, PodPlan, Role};
use super::pod::Life;
use super::qos;
use super::read::text;
use super::run::Run;
use super::time::stamp;

/// What differs from the live status, or nothing. Lists of container statuses go as a whole, conditions one by
/// one, so that those of others stay.
pub(super) fn patch(life: &Life<'_>, now: Timestamp) -> Option<Value> {
    let live = &life.live["status"];
    let mut changed = wanted(life, now);
    changed.retain(|field, value| live.get(field.as_str()) != Some(value));

    let conditions = life.facts(now).conditions(&life.memory);
    let conditions = conditions::changed(&conditions, &life.memory.conditions, life.plan.generation, life.live);
    if !conditions.is_empty() {
        changed.insert("conditions".to_owned(), Value::Array(conditions));
    }
    (!changed.is_empty()).then(|| json!({"metadata": {"uid": life.plan.uid}, "status": changed}))
}

fn wanted(life: &Life<'_>, now: Timestamp) -> Map<String, Value> {
    let (memory, phase) = (&life.memory, life.phase());
    let mut status = Map::new();
    let mut put = |field: &str, value: Value| status.insert(field.to_owned(), value);
    put("phase", json!(phase.word()));
    if let Some(generation) = life.plan.generation {
        put("observedGeneration", json!(generation));
    }
    if let Some(arrived) = memory.arrived {
        put("startTime", json!(stamp(arrived)));
    }
    put("hostIP", json!(life.node.ip));
    put("hostIPs", json!([{"ip": life.node.ip}]));
    if !memory.ip.is_empty() {
        put("podIP", json!(memory.ip));
        put("podIPs", json!([{"ip": memory.ip}]));
    }
    if text(life.live, "/status/qosClass").is_empty() {
        put("qosClass", json!(qos::class(life.live)));
    }
    if let Some(ended) = memory.ended.as_ref().filter(|_| phase == Phase::Failed) {
        put("reason", json!(ended.reason));
        put("message", json!(ended.message));
    }
    put("containerStatuses", statuses(life, now, |role| role == Role::Main));
    if life.plan.has_init() {
        put("initContainerStatuses", statuses(life, now, |role| role != Role::Main));
    }
    status
}

fn statuses(life: &Life<'_>, now: Timestamp, belongs: impl Fn(Role) -> bool) -> Value {
    let containers = life.plan.containers.iter().zip(&life.runs).filter(|(plan, _)| belongs(plan.role));
    containers.map(|(plan, run)| status_of(life, plan, run, now)).collect()
}

fn status_of(life: &Life<'_>, plan: &ContainerPlan, run: &Run, now: Timestamp) -> Value {
    let memory = &life.memory.containers[&plan.name];
    let looks = Looks { pod: life.plan, plan, memory };
    let (state, last_state) = looks.states();
    let mut status = json!({
        "name": plan.name,
        "image": plan.image,
        "imageID": "",
        "restartCount": memory.restarts,
        "ready": memory.is_ready(run, plan.role, now),
        "started": memory.is_started(run, now),
        "state": state,
        "lastState": last_state,
    });
    if memory.has_run() || matches!(memory.state, State::InHook { .. }) {
        status["image"] = json!(full_name(&plan.image));
        status["imageID"] = json!(image_id(&plan.image));
        status["containerID"] = json!(looks.id_of_run(memory.restarts));
    }
    status
}

/// How one container's memory reads in a status.
struct Looks<'a> {
    pod: &'a PodPlan,
    plan: &'a ContainerPlan,
    memory: &'a ContainerMemory,
}

impl Looks<'_> {
    fn states(&self) -> (Value, Value) {
        match &self.memory.state {
            State::Idle | State::InHook { .. } => {
                let reason = if self.pod.has_init() { "PodInitializing" } else { "ContainerCreating" };
                (waiting(reason, ""), self.last())
            }
            State::BadName => (waiting("InvalidImageName", self.pull_problem()), self.last()),
            State::PullFailed { noticed: false, .. } => (waiting("ErrImagePull", self.pull_problem()), self.last()),
            State::PullFailed { noticed: true, .. } => {
                let message = format!("Back-off pulling image \"{}\"", self.plan.image);
                (waiting("ImagePullBackOff", &message), self.last())
            }
            State::Running { start, .. } | State::Stopping { start, .. } => {
                (json!({"running": {"startedAt": stamp(*start)}}), self.last())
            }
            State::Exited { exit, retry_at, noticed } => self.after_exit(exit, *retry_at, *noticed),
        }
    }

    fn pull_problem(&self) -> &str {
        match &self.plan.pull {
            Pull::BadName { why } | Pull::Fails { why } => why,
            Pull::Works => "",
        }
    }

    fn after_exit(&self, exit: &Exit, retry_at: Option<Timestamp>, noticed: bool) -> (Value, Value) {
        match retry_at {
            Some(_) if exit.never_started() && !noticed => {
                (waiting("RunContainerError", &exit.message), self.terminated(exit, 0))
            }
            Some(retry_at) if noticed => {
                let PodPlan { name: pod, namespace, uid, .. } = self.pod;
                let wait = retry_at.duration_since(exit.finished_at);
                let container = &self.plan.name;
                let message =
                    format!("back-off {wait:#} restarting failed container={container} pod={pod}_{namespace}({uid})");
                (waiting("CrashLoopBackOff", &message), self.terminated(exit, 0))
            }
            _ => (self.terminated(exit, 0), self.last()),
        }
    }

    fn last(&self) -> Value {
        self.memory.last.as_ref().map_or(json!({}), |exit| self.terminated(exit, 1))
    }

    /// The end of the current run (`ago` 0) or of the one before it.
    fn terminated(&self, exit: &Exit, ago: u32) -> Value {
        let mut terminated = json!({
            "exitCode": exit.code,
            "reason": exit.reason,
            "startedAt": stamp(exit.started_at),
            "finishedAt": stamp(exit.finished_at),
            "containerID": self.id_of_run(self.memory.restarts.saturating_sub(ago)),
        });
        if !exit.message.is_empty() {
            terminated["message"] = json!(exit.message);
        }
        json!({"terminated": terminated})
    }

    fn id_of_run(&self, run: u32) -> String {
        let id = digest::hex(&[&self.pod.uid, &self.plan.name, &run.to_string()], 64);
        format!("containerd://{id}")
    }
}

fn waiting(reason: &str, message: &str) -> Value {
    if message.is_empty() {
        json!({"waiting": {"reason": reason}})
    } else {
        json!({"waiting": {"reason": reason, "message": message}})
    }
}
