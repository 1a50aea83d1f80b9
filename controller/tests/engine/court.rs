//! Judges what controllers write: each write that the API server accepted, by the state that it met.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use sluice_planner::{Action, Kind, Target, Write};
use sluice_sandbox::World;
use sluice_scenarios::{Judge, Scene};

/// One judge for all controllers of a shop.
#[derive(Clone, Default)]
pub(crate) struct Court {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    judge: Option<Judge>,
    broken: Vec<String>,
}

impl Court {
    pub(crate) fn open(&self) {
        self.state().judge = Some(Judge::default());
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().judge.is_some()
    }

    pub(crate) fn new_epoch(&self) {
        if let Some(judge) = &mut self.state().judge {
            judge.new_epoch();
        }
    }

    /// A promise that is not about single writes was broken.
    pub(crate) fn charge(&self, what: String) {
        self.state().broken.push(what);
    }

    /// An accepted write, and the world before and after it.
    pub(crate) fn hear(&self, method: &str, path: &str, body: &[u8], before: &World, after: &World) {
        let Some(write) = write(method, path, body) else { return };
        let rollout = |world: &World| {
            let web = world.get("argoproj.io", "rollouts", "default", "web");
            web.map_or(Value::Null, |web| web.value().clone())
        };
        let (was, is) = (rollout(before), rollout(after));
        let mut state = self.state();
        let Some(judge) = &mut state.judge else { return };
        let judged = catch_unwind(AssertUnwindSafe(|| judge.before(&Scene::of(before), &was, &write)));
        // Directions may turn with the step, and where a release is aborted.
        if was["status"]["currentStepIndex"] != is["status"]["currentStepIndex"] {
            judge.new_step();
        }
        if was["status"]["abort"] != is["status"]["abort"] {
            judge.new_epoch();
        }
        if let Err(panic) = judged {
            let why = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "see above".to_owned());
            state.broken.push(format!("{method} {path}: {why}"));
        }
    }

    pub(crate) fn verdict(&self) {
        let state = self.state();
        assert!(state.broken.is_empty(), "{:#?}", state.broken);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}

/// A request as the planner would have said it; none for what the planner doesn't write.
fn write(method: &str, path: &str, body: &[u8]) -> Option<Write> {
    let (_, rest) = path.split_once("/namespaces/default/")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let kind = match (*parts.first()?, parts.get(2)) {
        ("rollouts", None) => Kind::Rollout,
        ("rollouts", Some(_)) => Kind::RolloutStatus,
        ("replicasets", _) => Kind::ReplicaSet,
        ("services", _) => Kind::Service,
        _ => return None,
    };
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = parts.get(1).map_or_else(|| text(&body["metadata"]["name"]), |name| (*name).to_owned());
    let action = match method {
        "POST" => Action::Create(body),
        "DELETE" => Action::Delete {
            uid: text(&body["preconditions"]["uid"]),
            resource_version: text(&body["preconditions"]["resourceVersion"]),
        },
        _ => Action::Patch(body.as_array()?.clone()),
    };
    let target = Target { kind, namespace: "default".to_owned(), name };
    Some(Write { target, action, reason: String::new(), events: Vec::new() })
}
