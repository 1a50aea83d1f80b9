//! The object that a Rollout takes its pod template from: how it is read, what becomes of a Deployment's own pods, and
//! the way back.

mod held;
mod resolve;
mod scale;
mod way_back;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use sluice_crds::Rollout;
use sluice_crds::values::LabelSelector;

use crate::packed_template::PackedTemplate;
use crate::snapshot::{Metadata, count, to_count};

pub(crate) use resolve::{mistakes, note_generation, resolved, told_of_workload};
pub(crate) use scale::Scaling;
pub(crate) use way_back::{is_waiting, let_go, stays, way_back};

/// The kinds that `spec.workloadRef` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `v1` PodTemplate.
    PodTemplate,
}

/// A workload in the namespace of the Rollout that needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadName {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
}

/// What a look for a workload found. One that nobody looked for is unknown, which is not the same as absent.
#[derive(Clone, Debug)]
pub enum WorkloadSeen {
    /// It is there.
    There(Arc<Workload>),
    /// No object of its kind has this name.
    Absent,
    /// This account may not look.
    Forbidden,
}

/// Workloads as they are.
pub type Workloads = BTreeMap<WorkloadName, WorkloadSeen>;

/// A workload, trimmed to what is read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Who it is.
    pub meta: Metadata,
    /// Its pod template.
    pub template: PackedTemplate,
    /// `spec.selector`; a PodTemplate has none.
    pub selector: Option<LabelSelector>,
    /// `spec.replicas`.
    pub replicas: i32,
    /// Its own pods that are available.
    pub available: i32,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deployment, Self::ReplicaSet, Self::PodTemplate];

    /// The kind as manifests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::PodTemplate => "PodTemplate",
        }
    }

    /// The API group; empty for the core one.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Deployment | Self::ReplicaSet => "apps",
            Self::PodTemplate => "",
        }
    }

    /// The plural in a request's path.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::PodTemplate => "podtemplates",
        }
    }

    fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }
}

/// As people name it: `Deployment web`.
impl fmt::Display for WorkloadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

impl Workload {
    /// Reads a workload of this kind as the API server sends it.
    ///
    /// # Errors
    /// It has no name or no uid, or a selector that is none.
    pub fn from_json(kind: WorkloadKind, object: &Value) -> Result<Self, String> {
        let (spec, status) = (&object["spec"], &object["status"]);
        let template = if kind == WorkloadKind::PodTemplate { &object["template"] } else { &spec["template"] };
        let selector = Option::<LabelSelector>::deserialize(&spec["selector"]);
        Ok(Self {
            meta: Metadata::from_json(object)?,
            template: PackedTemplate::from(template),
            selector: selector.map_err(|problem| format!("spec.selector: {problem}"))?,
            replicas: spec["replicas"].as_i64().map_or(1, to_count),
            available: count(&status["availableReplicas"]),
            observed_generation: status["observedGeneration"].as_i64().unwrap_or(0),
        })
    }

    /// Whether its status describes its spec, and as many of its own pods are available as it wants.
    fn is_complete(&self) -> bool {
        self.observed_generation >= self.meta.generation && self.available >= self.replicas
    }
}

/// The object that the template is taken from, where that is said so that it can be looked for.
fn named(rollout: &Rollout) -> Option<WorkloadName> {
    let reference = rollout.spec.workload_ref.as_ref()?;
    let name = reference.name.clone().filter(|name| !name.is_empty())?;
    Some(WorkloadName { kind: WorkloadKind::of(reference.kind.as_deref()?)?, name })
}

/// Whether the template is taken from the ReplicaSet of this name: then it is none of the Rollout's own.
pub(crate) fn is_taken_from(snapshot: &crate::Snapshot, replica_set: &str) -> bool {
    let name = named(&snapshot.rollout);
    name.is_some_and(|name| name.kind == WorkloadKind::ReplicaSet && name.name == replica_set)
}

/// Pods that serve before the first release: those of the Deployment that the template is taken from.
pub(crate) fn pods_before(snapshot: &crate::Snapshot) -> i32 {
    resolve::deployment(snapshot).map_or(0, |deployment| deployment.replicas)
}

/// What has to be read and watched: the object that the template is taken from, and the Deployment that was scaled
/// down and is to be given back.
pub(crate) fn needs(rollout: &Rollout) -> BTreeSet<WorkloadName> {
    named(rollout).into_iter().chain(held::scaled_down_by(rollout)).collect()
}
