//! What comes out of a pass: an ordered list of small writes, each safe to be the last one before a crash.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_traffic::Kind as RoutingKind;

use crate::plugins::Call;
use crate::probe::Question;

/// What is to be done now, and when to look again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// To be done in this order; the first that fails ends the pass.
    pub writes: Vec<Write>,
    /// The new status, if it differs from the stored one: written after all writes, and only if they succeeded.
    pub status: Option<Write>,
    /// Told once `status` has been written (or right away where there is none), in this order. What a single
    /// write has to tell is in that write.
    pub events: Vec<Event>,
    /// When to plan again although nothing changes.
    pub wake_at: Option<Timestamp>,
    /// Requests that are to find out, beside the pass, whether a weight is in force. The answer belongs into
    /// [`Snapshot::probed`](crate::Snapshot::probed) and wakes the Rollout.
    pub probe: Option<Question>,
    /// A plugin that is to be called beside the pass. The answer belongs into
    /// [`Snapshot::called`](crate::Snapshot::called) and wakes the Rollout.
    pub call: Option<Call>,
    /// What is going on and what it waits for, in one sentence with its numbers.
    pub why: String,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object.
    pub target: Target,
    /// What happens to it, and under which condition.
    pub action: Action,
    /// Why, in one sentence.
    pub reason: String,
    /// Told once this write has succeeded.
    pub events: Vec<Event>,
}

/// The object that a write is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The kinds that a plan writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `argoproj.io/v1alpha1` Rollout.
    Rollout,
    /// The `status` subresource of a Rollout.
    RolloutStatus,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `apps/v1` Deployment, the one that a template is taken from.
    Deployment,
    /// `v1` Service.
    Service,
    /// `argoproj.io/v1alpha1` AnalysisRun.
    AnalysisRun,
    /// `argoproj.io/v1alpha1` Experiment.
    Experiment,
    /// `v1` Pod.
    Pod,
    /// An object that traffic is routed by, in the version of its API in which it was read.
    Routing(RoutingKind, &'static str),
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Creates it. The precondition is its absence: an answer `AlreadyExists` means that the plan was made from an
    /// old view; nothing was changed.
    Create(Value),
    /// A JSON Patch. It begins with a `test` of the uid and of every field that the decision was made from, so
    /// that it fails as a whole where the object is not what the plan saw.
    Patch(Vec<Value>),
    /// Deletes it, if it is still the object that was seen, in the state in which it was seen.
    Delete {
        /// `preconditions.uid`
        uid: String,
        /// `preconditions.resourceVersion`: the whole object was read.
        resource_version: String,
    },
    /// Asks for the end of a pod through the eviction API, which minds its disruption budget. What ends is this pod
    /// and no other of its name.
    Evict {
        /// `metadata.name`
        name: String,
        /// `preconditions.uid`
        uid: String,
    },
}

/// Something to tell people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether somebody should look.
    pub kind: EventType,
    /// One word.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

/// The `type` of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// As expected.
    Normal,
    /// Somebody should look.
    Warning,
}

impl EventType {
    /// The type as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

impl Event {
    pub(crate) fn normal(reason: &'static str, message: String) -> Self {
        Self { kind: EventType::Normal, reason, message }
    }

    pub(crate) fn warning(reason: &'static str, message: String) -> Self {
        Self { kind: EventType::Warning, reason, message }
    }
}

impl Kind {
    /// API group and version in a request's path.
    pub fn api_prefix(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Rollout | Self::RolloutStatus | Self::AnalysisRun | Self::Experiment => "/apis/argoproj.io/v1alpha1",
            Self::ReplicaSet | Self::Deployment => "/apis/apps/v1",
            Self::Service | Self::Pod => "/api/v1",
            Self::Routing(kind, version) => return Cow::Owned(format!("/apis/{}/{version}", kind.group())),
        })
    }

    /// The plural in a request's path.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Rollout | Self::RolloutStatus => "rollouts",
            Self::ReplicaSet => "replicasets",
            Self::Deployment => "deployments",
            Self::Service => "services",
            Self::AnalysisRun => "analysisruns",
            Self::Experiment => "experiments",
            Self::Pod => "pods",
            Self::Routing(kind, _) => kind.plural(),
        }
    }

    /// Who wrote a field, as the API server remembers it. Routing objects are shared with others, who leave our
    /// fields alone by this name.
    pub const fn field_manager(self) -> &'static str {
        match self {
            Self::Routing(..) => sluice_traffic::FIELD_MANAGER,
            _ => "sluice",
        }
    }
}

impl Write {
    /// Whether a failure of it ends the pass. What is done to a single pod is not what the rest rests on: a disruption
    /// budget or a webhook that says no delays that pod, and the release goes on. Of several routing objects one that
    /// can't be written delays only itself; what is to follow it waits until it is seen.
    pub fn must_succeed(&self) -> bool {
        !matches!(self.target.kind, Kind::Pod | Kind::Routing(..))
    }
}

impl Target {
    /// The path of a request: of the collection for a creation, of the object (or its subresource) for all else.
    pub fn path(&self, action: &Action) -> String {
        let collection = format!("{}/namespaces/{}/{}", self.kind.api_prefix(), self.namespace, self.kind.plural());
        match (action, self.kind) {
            (Action::Create(_), _) => collection,
            (Action::Evict { name, .. }, _) => format!("{collection}/{name}/eviction"),
            (_, Kind::RolloutStatus) => format!("{collection}/{}/status", self.name),
            _ => format!("{collection}/{}", self.name),
        }
    }
}

impl Action {
    /// The HTTP method.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Create(_) | Self::Evict { .. } => "POST",
            Self::Patch(_) => "PATCH",
            Self::Delete { .. } => "DELETE",
        }
    }

    /// The content type of the body.
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Patch(_) => "application/json-patch+json",
            Self::Create(_) | Self::Delete { .. } | Self::Evict { .. } => "application/json",
        }
    }

    /// The body of the request.
    pub fn body(&self) -> Value {
        match self {
            Self::Create(object) => object.clone(),
            Self::Patch(operations) => Value::Array(operations.clone()),
            Self::Delete { uid, resource_version } => json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": "Background",
                "preconditions": {"uid": uid, "resourceVersion": resource_version},
            }),
            Self::Evict { name, uid } => json!({
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": name},
                "deleteOptions": {"preconditions": {"uid": uid}},
            }),
        }
    }
}
