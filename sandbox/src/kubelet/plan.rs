//! What a pod asks of its node, read once from the manifest at the door of the model.

use jiff::SignedDuration;
use serde_json::Value;

use super::behaviour::{Behaviour, BehaviourError};
use super::hook::{self, Hook};
use super::image::{self, Pull};
use super::probe::Probe;
use super::program::{self, Program};
use super::read::{entries, list, text, whole};
use super::shell::Unknown;
use super::time::seconds;

#[derive(Clone, Debug)]
pub(super) struct PodPlan {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) generation: Option<i64>,
    pub(super) restart: Restart,
    pub(super) grace: SignedDuration,
    pub(super) deadline: Option<SignedDuration>,
    pub(super) host_network: bool,
    pub(super) readiness_gates: Vec<String>,
    /// Init containers and sidecars first, in the order in which they start.
    pub(super) containers: Vec<ContainerPlan>,
    pub(super) behaviour: Behaviour,
    pub(super) mistakes: Vec<BehaviourError>,
    /// The grace period of the deletion that is asked for.
    pub(super) deletion: Option<SignedDuration>,
}

#[derive(Clone, Debug)]
pub(super) struct ContainerPlan {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) restart: Restart,
    pub(super) image: String,
    pub(super) pull: Pull,
    pub(super) program: Program,
    pub(super) post_start: Option<Hook>,
    pub(super) pre_stop: Option<Hook>,
    pub(super) startup: Option<Probe>,
    pub(super) readiness: Option<Probe>,
    pub(super) liveness: Option<Probe>,
    /// The pod's scripted behaviour, where it speaks of this container.
    pub(super) scripted: Behaviour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs to its end before the next container starts.
    Init,
    /// Starts among the init containers and stays beside the main ones.
    Sidecar,
    Main,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    Always,
    OnFailure,
    Never,
}

impl Restart {
    fn read(policy: &str) -> Option<Self> {
        match policy {
            "Always" => Some(Self::Always),
            "OnFailure" => Some(Self::OnFailure),
            "Never" => Some(Self::Never),
            _ => None,
        }
    }

    pub(super) fn after(self, code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => code != 0,
            Self::Never => false,
        }
    }
}

impl PodPlan {
    pub(super) fn read(pod: &Value) -> Self {
        let restart = Restart::read(text(pod, "/spec/restartPolicy")).unwrap_or(Restart::Always);
        let (behaviour, mistakes) = Behaviour::from_annotations(entries(pod, "/metadata/annotations"));
        let task = list(pod, "/metadata/ownerReferences")
            .iter()
            .any(|owner| text(owner, "/kind") == "Job" && owner["controller"] == true);
        let unknown = if task { Unknown::SucceedsAtOnce } else { Unknown::RunsForEver };
        let init = list(pod, "/spec/initContainers").iter().map(|c| ContainerPlan::init(c, restart));
        let main = list(pod, "/spec/containers").iter().enumerate().map(|(i, container)| {
            let scripted = if i == 0 { behaviour.clone() } else { Behaviour::default() };
            ContainerPlan::main(container, restart, unknown, scripted)
        });
        let deleted = pod.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string);
        Self {
            name: text(pod, "/metadata/name").to_owned(),
            namespace: text(pod, "/metadata/namespace").to_owned(),
            uid: text(pod, "/metadata/uid").to_owned(),
            generation: whole(pod, "/metadata/generation"),
            restart,
            grace: seconds(whole(pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30)),
            deadline: whole(pod, "/spec/activeDeadlineSeconds").map(seconds),
            host_network: pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)),
            readiness_gates: list(pod, "/spec/readinessGates")
                .iter()
                .map(|gate| text(gate, "/conditionType").to_owned())
                .collect(),
            containers: init.chain(main).collect(),
            behaviour,
            mistakes,
            deletion: deleted.then(|| seconds(whole(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0))),
        }
    }

    pub(super) fn has_init(&self) -> bool {
        self.containers.iter().any(|container| container.role != Role::Main)
    }
}

impl ContainerPlan {
    fn init(container: &Value, pod_restart: Restart) -> Self {
        if text(container, "/restartPolicy") == "Always" {
            let sidecar = Self::read(container, Unknown::RunsForEver);
            return Self { role: Role::Sidecar, restart: Restart::Always, ..sidecar };
        }
        let restart = match pod_restart {
            Restart::Never => Restart::Never,
            Restart::Always | Restart::OnFailure => Restart::OnFailure,
        };
        let init = Self::read(container, Unknown::SucceedsAtOnce);
        Self { role: Role::Init, restart, ..init }
    }

    fn main(container: &Value, pod_restart: Restart, unknown: Unknown, scripted: Behaviour) -> Self {
        let restart = Restart::read(text(container, "/restartPolicy")).unwrap_or(pod_restart);
        Self { restart, scripted, ..Self::read(container, unknown) }
    }

    fn read(container: &Value, unknown: Unknown) -> Self {
        let image = text(container, "/image").to_owned();
        Self {
            name: text(container, "/name").to_owned(),
            role: Role::Main,
            restart: Restart::Always,
            pull: image::pull(&image),
            image,
            program: program::of_container(container, unknown),
            post_start: hook::at(container, "/lifecycle/postStart"),
            pre_stop: hook::at(container, "/lifecycle/preStop"),
            startup: Probe::at(container, "/startupProbe"),
            readiness: Probe::at(container, "/readinessProbe"),
            liveness: Probe::at(container, "/livenessProbe"),
            scripted: Behaviour::default(),
        }
    }
}
