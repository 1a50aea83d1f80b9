//! A kubelet without machines: what a node does with a pod, as a pure function of the pod, of what it remembers,
//! and of the time.
//!
//! There are no processes and no images. What a container does follows from what its manifest says: the command
//! (`sleep 5 && exit 3` runs five seconds and fails; what is unknown runs for ever, or succeeds at once in an init
//! container and in a Job), the probes, the hooks, the grace period. Where a manifest can't say it, names and
//! annotations do:
//!
//! | to get | write |
//! |---|---|
//! | an image that can't be pulled | `does-not-exist`, `no-such`, `nonexistent`, `not-found` or `missing` anywhere in the reference |
//! | an invalid image name | an invalid image name |
//! | a command that can't be executed | one of the same words in the program's name |
//! | everything else | annotations under `sandbox.sluice.dev/`, see [`Behaviour`] |
//!
//! The driver (against a real API server, or inside the sandbox) calls [`step`] whenever a pod changed and at each
//! `wake_at`, and writes what it says. A lost node is a node for which the driver no longer calls [`step`]; what
//! the control plane then does is in [`Node::lost_status`] and [`mark_pod_on_lost_node`].

mod absent;
mod behaviour;
mod conditions;
mod container;
mod digest;
mod event;
mod files;
mod hook;
mod image;
mod memory;
mod node;
mod options;
mod phase;
mod plan;
mod pod;
mod probe;
mod program;
mod qos;
mod read;
mod run;
mod shell;
mod status;
mod steps;
mod time;

pub use behaviour::{Behaviour, BehaviourError, ErrorRate, Latency, PREFIX, Shutdown};
pub use event::{EventKind, PodEvent};
pub use memory::PodMemory;
pub use node::{Addresses, Node, mark_pod_on_lost_node};
pub use options::{BackOff, Options};
pub use pod::{Outcome, step};
