//! What people and the world do.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `kubectl apply` of a manifest.
    Apply(Value),
    /// A merge patch of the Rollout.
    Change(Value),
    /// A merge patch of the Rollout's status, as tools send it.
    Wish(Value),
    /// A merge patch of another object.
    Patch(ObjectPatch),
    /// Deletes `Kind/name`; dependents stay with `orphan`.
    Delete(Deletion),
    /// Another image for the first container.
    SetImage(String),
    /// Through the scale subresource, as an autoscaler does it.
    Scale(u32),
    /// As the kubectl plugin promotes.
    Promote(Promotion),
    /// Go over to the next step, or over all of them.
    Skip(Skipping),
    /// Back to stable.
    Abort,
    /// Once more after an abort.
    Retry,
    /// `spec.paused`.
    Pause,
    /// `spec.paused` and whatever else waits.
    Resume,
    /// The template of an earlier revision.
    Undo(i64),
    /// New pods of the same revision.
    Restart,
    /// Scripted behaviour for the running pods of a revision.
    Behave(Behaviour),
    /// Deletes so many pods of a revision.
    DeletePods(PodsOf),
    /// The node's kubelet falls silent.
    LoseNode(String),
    /// It reports again.
    RecoverNode(String),
    /// The controller's process dies at once and is started again.
    KillController,
}

/// Which object to patch, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectPatch {
    /// `Kind/name`.
    pub object: String,
    /// A merge patch.
    pub with: Value,
}

/// What to delete.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// `Kind/name`.
    pub object: String,
    /// Leave the objects behind that it owns.
    #[serde(default)]
    pub orphan: bool,
}

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promotion {
    /// Over the pause that it waits at.
    Step,
    /// Over all that is left.
    Full,
}

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skipping {
    /// The current step.
    Current,
    /// All that are left.
    All,
}

/// Annotations of the kubelet model, without their prefix.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// The revision.
    pub revision: i64,
    /// Such as `crash-after: 1s`.
    pub with: BTreeMap<String, String>,
}

/// Some pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodsOf {
    /// The revision.
    pub revision: i64,
    /// How many.
    pub count: usize,
}
