//! What verbs read of a Rollout before they decide.

use serde_json::Value;

use super::change::{Change, Part};

const REVISION_PATH: &str = "/metadata/annotations/rollout.argoproj.io~1revision";

/// A Rollout as the API server has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a>(pub(crate) &'a Value);

impl<'a> Seen<'a> {
    fn status(self) -> &'a Value {
        &self.0["status"]
    }

    fn hash(self, field: &str) -> &'a str {
        self.status()[field].as_str().unwrap_or_default()
    }

    pub(crate) fn revision(self) -> Option<&'a str> {
        self.0.pointer(REVISION_PATH)?.as_str()
    }

    /// How the revision that is wanted now is called.
    pub(crate) fn revision_named(self) -> String {
        self.revision().map_or_else(|| "what the spec asks for".to_owned(), |number| format!("revision {number}"))
    }

    pub(crate) fn is_paused_by_spec(self) -> bool {
        self.0["spec"]["paused"] == true
    }

    /// The first reason why the release waits.
    pub(crate) fn pause_reason(self) -> Option<&'a str> {
        self.status()["pauseConditions"].as_array()?.first()?["reason"].as_str()
    }

    pub(crate) fn is_aborted(self) -> bool {
        self.status()["abort"] == true || self.status()["abortedAt"].is_string()
    }

    pub(crate) fn is_promoted_full(self) -> bool {
        self.status()["promoteFull"] == true
    }

    /// Whether nothing is being released.
    pub(crate) fn is_stable(self) -> bool {
        !self.hash("stableRS").is_empty() && self.hash("stableRS") == self.hash("currentPodHash")
    }

    pub(crate) fn is_canary(self) -> bool {
        self.0["spec"]["strategy"]["canary"].is_object()
    }

    pub(crate) fn steps(self) -> &'a [Value] {
        self.0["spec"]["strategy"]["canary"]["steps"].as_array().map_or(&[], Vec::as_slice)
    }

    /// So many steps are done.
    pub(crate) fn step(self) -> usize {
        self.status()["currentStepIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
    }

    /// Whether the controller has seen the spec as it is now. Text that counts nothing is from a controller that counts
    /// otherwise.
    pub(crate) fn is_observed(self) -> bool {
        let observed = &self.status()["observedGeneration"];
        let number = observed.as_i64().or_else(|| observed.as_str()?.parse().ok());
        match (self.0["metadata"]["generation"].as_i64(), number) {
            (Some(generation), Some(observed)) => observed >= generation,
            _ => !observed.is_null(),
        }
    }

    /// A write to this very object.
    pub(crate) fn change(self, part: Part) -> Change {
        Change::of(part).test("/metadata/uid", self.0["metadata"]["uid"].clone())
    }

    /// A write to the release that was seen: another revision, or another step, is not touched.
    pub(crate) fn change_of_step(self, part: Part) -> Change {
        let change = self.change_of_release(part);
        if self.is_canary() {
            change.test("/status/currentStepIndex", self.status()["currentStepIndex"].clone())
        } else {
            change
        }
    }

    /// A write to the release that was seen: another revision is not touched.
    pub(crate) fn change_of_release(self, part: Part) -> Change {
        self.change(part).test("/status/currentPodHash", self.status()["currentPodHash"].clone())
    }
}
