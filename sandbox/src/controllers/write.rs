//! What a controller wants done: the vocabulary shared by all of them.

use jiff::Timestamp;
use serde_json::Value;

/// The resources that the built-in controllers write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `deployments.apps`
    Deployment,
    /// `endpointslices.discovery.k8s.io`
    EndpointSlice,
    /// `endpoints`
    Endpoints,
    /// `jobs.batch`
    Job,
    /// `pods`
    Pod,
    /// `poddisruptionbudgets.policy`
    PodDisruptionBudget,
    /// `replicasets.apps`
    ReplicaSet,
}

impl Kind {
    /// The `apiVersion` under which the controllers speak of this kind.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::ReplicaSet => "apps/v1",
            Self::EndpointSlice => "discovery.k8s.io/v1",
            Self::Endpoints | Self::Pod => "v1",
            Self::Job => "batch/v1",
            Self::PodDisruptionBudget => "policy/v1",
        }
    }

    /// The `kind` field of its objects.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::EndpointSlice => "EndpointSlice",
            Self::Endpoints => "Endpoints",
            Self::Job => "Job",
            Self::Pod => "Pod",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::ReplicaSet => "ReplicaSet",
        }
    }

    /// The plural in its URL.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::EndpointSlice => "endpointslices",
            Self::Endpoints => "endpoints",
            Self::Job => "jobs",
            Self::Pod => "pods",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::ReplicaSet => "replicasets",
        }
    }
}

/// One request of a controller. Replacing an object carries the `resourceVersion` that was read, so
/// that a decision taken on old facts is refused by the API server and taken again.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Create this object (it carries its namespace).
    Create(Kind, Value),
    /// Replace the whole object.
    Replace(Kind, Value),
    /// Replace its status.
    ReplaceStatus(Kind, Value),
    /// Merge-patch a named object.
    Patch {
        /// What it is.
        kind: Kind,
        /// Where it is.
        namespace: String,
        /// Which one.
        name: String,
        /// The merge patch; it names the uid that was read, as a precondition.
        patch: Value,
    },
    /// Delete a named object, if it is still the one that was read.
    Delete {
        /// What it is.
        kind: Kind,
        /// Where it is.
        namespace: String,
        /// Which one.
        name: String,
        /// The uid that was read.
        uid: String,
    },
}

/// What one look at one object led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// In this order; the loop stops at the first that fails.
    pub writes: Vec<Write>,
    /// When to look again although nothing changed.
    pub wake_at: Option<Timestamp>,
}

impl Decision {
    /// Nothing to do until something changes.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Look again no later than `at`.
    pub(crate) fn wake_no_later_than(&mut self, at: Option<Timestamp>) {
        self.wake_at = match (self.wake_at, at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}
