//! What the model must know of a pod beyond its manifest. The driver keeps it per uid; after a restart it is read
//! back from the status, and like a restarted kubelet the model then begins its back-offs anew.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::read::{list, text, whole};
use super::time::parse_stamp;

/// The model's memory of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodMemory {
    pub(super) ip: String,
    /// When the pod arrived on its node.
    pub(super) arrived: Option<Timestamp>,
    /// The next moment at which something was due when the pod was last looked at.
    pub(super) wake_at: Option<Timestamp>,
    pub(super) stopping: Option<Stopping>,
    pub(super) ended: Option<Ended>,
    pub(super) containers: BTreeMap<String, ContainerMemory>,
    pub(super) conditions: BTreeMap<String, Mark>,
    /// How often each event was told, so that a repeat counts instead of piling up.
    pub(super) told: BTreeMap<String, Told>,
}

/// The pod's containers have been asked to stop and none is started any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopping {
    pub(super) since: Timestamp,
    pub(super) grace: SignedDuration,
}

/// The kubelet itself ended the pod: it stays as a failed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// The node took the pod's room for others.
    pub(super) disrupted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ContainerMemory {
    pub(super) state: State,
    pub(super) restarts: u32,
    /// How the run before this one ended.
    pub(super) last: Option<Exit>,
    /// Ends in a row that count for the crash back-off.
    pub(super) crashes: u32,
    /// Failed pulls in a row.
    pub(super) failed_pulls: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Its turn has not come.
    #[default]
    Idle,
    /// The image name can't be parsed; nothing will change that.
    BadName,
    PullFailed {
        at: Timestamp,
        retry_at: Timestamp,
        noticed: bool,
    },
    /// The process runs, its postStart hook has not ended.
    InHook {
        start: Timestamp,
    },
    Running {
        start: Timestamp,
        /// Up to which offset failed probes were told; `None` after the memory was rebuilt.
        told: Option<SignedDuration>,
    },
    /// Asked to stop; when it is gone follows from its run.
    Stopping {
        start: Timestamp,
        since: Timestamp,
        grace: SignedDuration,
    },
    Exited {
        exit: Exit,
        retry_at: Option<Timestamp>,
        noticed: bool,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) code: i32,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Timestamp,
}

/// The reason of an exit whose process never ran.
pub(super) const START_ERROR: &str = "StartError";

impl Exit {
    pub(super) fn never_started(&self) -> bool {
        self.reason == START_ERROR
    }
}

/// A condition's value and since when it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) yes: bool,
    pub(super) since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) first_at: Timestamp,
    pub(super) count: u32,
}

impl PodMemory {
    /// The memory of a pod that the driver sees for the first time: empty for a new pod, rebuilt from the status
    /// for one that already ran. `fresh_ip` is the address that a pod without one gets.
    #[must_use]
    pub fn of(pod: &Value, fresh_ip: &str) -> Self {
        let status = &pod["status"];
        let statuses =
            ["/initContainerStatuses", "/containerStatuses"].into_iter().flat_map(|pointer| list(status, pointer));
        let known_ip = text(status, "/podIP");
        Self {
            ip: if known_ip.is_empty() { fresh_ip } else { known_ip }.to_owned(),
            arrived: parse_stamp(text(status, "/startTime")),
            wake_at: None,
            stopping: None,
            ended: None,
            containers: statuses
                .map(|status| (text(status, "/name").to_owned(), ContainerMemory::read(status)))
                .collect(),
            conditions: list(status, "/conditions").iter().filter_map(Mark::read).collect(),
            told: BTreeMap::new(),
        }
    }

    /// Whether any of its processes runs, be it on its way out.
    #[must_use]
    pub fn has_living_container(&self) -> bool {
        self.containers.values().any(ContainerMemory::is_alive)
    }

    /// Whether the pod takes requests, as its kubelet sees it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.conditions.get("Ready").is_some_and(|ready| ready.yes)
    }

    /// The pod's address on the cluster network.
    #[must_use]
    pub fn ip(&self) -> &str {
        &self.ip
    }
}

impl ContainerMemory {
    fn read(status: &Value) -> Self {
        let last = status.pointer("/lastState/terminated").and_then(Exit::read);
        let running = parse_stamp(text(status, "/state/running/startedAt"));
        let exit = status.pointer("/state/terminated").and_then(Exit::read);
        let waited = !matches!(
            text(status, "/state/waiting/reason"),
            "" | "ContainerCreating" | "PodInitializing" | "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName"
        );
        let (state, last) = match (running, exit, last) {
            (Some(start), _, last) => (State::Running { start, told: None }, last),
            (None, Some(exit), last) => (State::exited(exit), last),
            // In its back-off: the run in `lastState` is the one that ended.
            (None, None, Some(exit)) if waited => (State::exited(exit), None),
            (None, None, last) => (State::Idle, last),
        };
        Self {
            state,
            restarts: whole(status, "/restartCount").and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            last,
            crashes: 0,
            failed_pulls: 0,
        }
    }
}

impl State {
    fn exited(exit: Exit) -> Self {
        let retry_at = Some(exit.finished_at);
        Self::Exited { exit, retry_at, noticed: true }
    }
}

impl Exit {
    fn read(terminated: &Value) -> Option<Self> {
        Some(Self {
            code: i32::try_from(whole(terminated, "/exitCode")?).ok()?,
            reason: text(terminated, "/reason").to_owned(),
            message: text(terminated, "/message").to_owned(),
            started_at: parse_stamp(text(terminated, "/startedAt")).unwrap_or(Timestamp::UNIX_EPOCH),
            finished_at: parse_stamp(text(terminated, "/finishedAt")).unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }
}

impl Mark {
    pub(super) fn read(condition: &Value) -> Option<(String, Self)> {
        let mark = Self {
            yes: text(condition, "/status") == "True",
            since: parse_stamp(text(condition, "/lastTransitionTime"))?,
        };
        Some((text(condition, "/type").to_owned(), mark))
    }
}
