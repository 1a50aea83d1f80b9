//! What is remembered of a Deployment that was scaled down: on it, in the very write that scales it; and on the
//! Rollout, before that write, so that no deletion gets ahead of the way back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_crds::Rollout;

use super::{Workload, WorkloadKind, WorkloadName};
use crate::names::SCALED_DOWN;
use crate::packed_map::PackedMap;
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Target, Write};
use crate::revisions::TextMap;

/// Our name among `metadata.finalizers`.
const FINALIZER: &str = "rollouts.argoproj.io/sluice-workload";

/// What is written on a Deployment, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Held {
    /// The Rollout that scales it.
    pub(super) rollout: String,
    /// Pods that it had before.
    pub(super) from: i32,
    /// Pods that it was last given.
    pub(super) to: i32,
    /// How often others gave it more since, and that was taken back.
    #[serde(default)]
    pub(super) taken_back: u32,
    /// When it was last scaled.
    pub(super) at: Timestamp,
}

impl Held {
    /// What is remembered on this Deployment. A text that can't be read was written by nobody.
    pub(super) fn on(deployment: &Workload) -> Option<Self> {
        serde_json::from_str(deployment.meta.annotations.get(SCALED_DOWN)?).ok()
    }

    /// The same, if this Rollout wrote it.
    pub(super) fn by(rollout: &Rollout, deployment: &Workload) -> Option<Self> {
        Self::on(deployment).filter(|held| Some(&held.rollout) == rollout.metadata.name.as_ref())
    }
}

/// The Deployment that this Rollout has scaled down, or was about to.
pub(super) fn scaled_down_by(rollout: &Rollout) -> Option<WorkloadName> {
    let name = rollout.metadata.annotations.as_ref()?.get(SCALED_DOWN)?.clone();
    is_held(rollout).then_some(WorkloadName { kind: WorkloadKind::Deployment, name })
}

pub(super) fn is_held(rollout: &Rollout) -> bool {
    rollout.metadata.finalizers.iter().flatten().any(|name| name == FINALIZER)
}

/// Holds the Rollout before its Deployment is scaled down.
pub(super) fn hold(rollout: &Rollout, deployment: &Workload) -> Option<Write> {
    let name = &deployment.meta.name;
    if scaled_down_by(rollout).is_some_and(|held| held.name == *name) {
        return None;
    }
    let mut finalizers = rollout.metadata.finalizers.clone().unwrap_or_default();
    finalizers.retain(|there| there != FINALIZER);
    finalizers.push(FINALIZER.to_owned());
    let there = rollout.metadata.annotations.as_ref().map(PackedMap::from);
    let patch = with_finalizers(rollout, &finalizers)
        .annotate(there.as_ref(), &TextMap::from([(SCALED_DOWN.to_owned(), name.clone())]));
    Some(rollout_write(rollout, patch, format!("Deployment {name} gets its pods back before this Rollout is deleted")))
}

/// Lets go of the Rollout.
pub(super) fn let_go(rollout: &Rollout, reason: String, events: Vec<Event>) -> Write {
    let all = rollout.metadata.finalizers.iter().flatten();
    let left: Vec<String> = all.filter(|name| *name != FINALIZER).cloned().collect();
    let mut patch = with_finalizers(rollout, &left);
    if let Some(name) = rollout.metadata.annotations.as_ref().and_then(|there| there.get(SCALED_DOWN)) {
        patch = patch.unannotate(SCALED_DOWN, name);
    }
    Write { events, ..rollout_write(rollout, patch, reason) }
}

/// Gives a Deployment so many pods, and remembers `held` on it, or nothing any more.
pub(super) fn resize(deployment: &Workload, to: i32, held: Option<&Held>, reason: String) -> Write {
    let meta = &deployment.meta;
    let mut patch = Patch::of(&meta.uid).read("/spec/replicas", deployment.replicas);
    if to != deployment.replicas {
        patch = patch.set("/spec/replicas", to);
    }
    let before = meta.annotations.get(SCALED_DOWN);
    patch = match (held, before) {
        (Some(held), _) => {
            let text = serde_json::to_string(held).unwrap_or_default();
            let there = meta.has_annotations.then_some(&meta.annotations);
            patch.annotate(there, &TextMap::from([(SCALED_DOWN.to_owned(), text)]))
        }
        (None, Some(before)) => patch.unannotate(SCALED_DOWN, before),
        (None, None) => patch,
    };
    Write {
        target: Target { kind: Kind::Deployment, namespace: meta.namespace.clone(), name: meta.name.clone() },
        action: Action::Patch(patch.operations()),
        reason,
        events: Vec::new(),
    }
}

fn with_finalizers(rollout: &Rollout, wanted: &[String]) -> Patch {
    let metadata = &rollout.metadata;
    let path = "/metadata/finalizers";
    let seen = metadata.finalizers.as_ref().map_or(Value::Null, |there| json!(there));
    let patch = Patch::of(metadata.uid.as_deref().unwrap_or_default()).read(path, seen);
    if wanted.is_empty() { patch.remove(path) } else { patch.set(path, json!(wanted)) }
}

pub(super) fn rollout_write(rollout: &Rollout, patch: Patch, reason: String) -> Write {
    let metadata = &rollout.metadata;
    Write {
        target: Target {
            kind: Kind::Rollout,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        action: Action::Patch(patch.operations()),
        reason,
        events: Vec::new(),
    }
}
