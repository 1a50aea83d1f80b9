//! What happens in one simulated release: told in advance, so that each part can be left out to see whether it matters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A release and all that happens to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Story {
    /// What it was drawn from, and what the cluster's uids are drawn from.
    pub seed: u64,
    /// What is there before the Rollout: path of the collection and object.
    pub given: Vec<(String, Value)>,
    /// The Rollout.
    pub rollout: Value,
    /// How late the controller's watches are, in milliseconds: one number for each kind, in the order of
    /// [`crate::cache::KINDS`].
    pub lags_ms: Vec<i64>,
    /// Whether the controller dies after each single write.
    pub dies_after_each_write: bool,
    /// How long each request takes.
    pub request_ms: i64,
    /// What happens, in the order of time.
    pub happenings: Vec<Happening>,
    /// What becomes of single requests of controllers.
    pub faults: Vec<RequestFault>,
}

/// Something happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Happening {
    /// So long after the beginning.
    pub at_ms: i64,
    /// What.
    pub what: What,
}

/// What people, tools, nodes and networks do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum What {
    /// A merge patch of the Rollout's spec.
    Change(Value),
    /// A merge patch of the Rollout's status.
    Wish(Value),
    /// As the kubectl plugin promotes: over the pause, or over all that is left.
    Promote {
        /// Over all that is left.
        full: bool,
    },
    /// Over the current step, or over all of them.
    Skip {
        /// All of them.
        all: bool,
    },
    /// The template of an earlier revision: so many before the latest.
    Undo(u64),
    /// New pods of the same revision.
    Restart,
    /// What an autoscaler does.
    Scale(u64),
    /// Somebody changes an object, or deletes it.
    ByHand {
        /// Path of the collection.
        collection: String,
        /// Which of them, counted round.
        nth: u64,
        /// A merge patch; none deletes it.
        change: Option<Value>,
    },
    /// A Git tool applies everything as it was declared.
    Reapply,
    /// The node's kubelet falls silent, or reports again.
    Node {
        /// Its name.
        name: String,
        /// Whether it is lost.
        lost: bool,
    },
    /// What metrics say from now on.
    Metrics(Answers),
    /// The controller's watches of a kind (or of all) show nothing for so long, and then all at once.
    Blind {
        /// Index of the kind.
        kind: Option<usize>,
        /// How long.
        for_ms: i64,
    },
    /// The API server can't be reached.
    Outage {
        /// How long.
        for_ms: i64,
    },
    /// The controller's process dies and another one starts.
    Crash {
        /// After so long.
        restart_ms: i64,
        /// Whether its first look is at what the one before has seen, and not at what is there by now.
        stale: bool,
    },
    /// A second controller takes itself for the leader, too.
    Rival {
        /// How late its watches are.
        lag_ms: i64,
        /// How long it writes.
        for_ms: i64,
    },
}

/// What a metrics server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answers {
    /// The new version is fine.
    Good,
    /// It is not.
    Bad,
    /// Neither.
    Between,
    /// Nothing is measured.
    Silent,
    /// It is no number.
    NotANumber,
    /// The server answers with an error.
    Broken,
}

/// What becomes of one request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestFault {
    /// Counted over all requests of the story.
    pub nth: u64,
    /// What.
    pub fault: Fault,
}

/// What can become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// 409, although nobody else wrote.
    Conflict,
    /// 500.
    Error,
    /// It is lost on its way, and the client waits for its time-out.
    LostBefore,
    /// It is carried out, and the client hears nothing of it.
    LostAfter,
    /// It arrives so late that its client has given it up.
    Late(i64),
    /// The process dies before it is sent.
    CrashBefore,
    /// The process dies after it was carried out.
    CrashAfter,
}
