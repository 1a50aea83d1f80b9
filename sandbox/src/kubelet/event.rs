//! Events about a pod, as objects that repeat by counting.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::digest;
use super::memory::Told;
use super::time::stamp;

/// Something worth telling the pod's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodEvent {
    pub kind: EventKind,
    pub reason: &'static str,
    pub message: String,
    /// The field that it is about, such as `spec.containers{main}`; empty for the pod itself.
    pub field: String,
    pub first_at: Timestamp,
    pub at: Timestamp,
    /// How often this very event was told, this time included.
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Normal,
    Warning,
}

/// Collects events and counts repeats.
#[derive(Debug)]
pub(super) struct Teller {
    pub(super) told: BTreeMap<String, Told>,
    pub(super) events: Vec<PodEvent>,
}

impl Teller {
    pub(super) fn resume(told: BTreeMap<String, Told>) -> Self {
        Self { told, events: Vec::new() }
    }

    pub(super) fn normal(&mut self, at: Timestamp, reason: &'static str, field: &str, message: String) {
        self.tell(EventKind::Normal, at, reason, field, message);
    }

    pub(super) fn warning(&mut self, at: Timestamp, reason: &'static str, field: &str, message: String) {
        self.tell(EventKind::Warning, at, reason, field, message);
    }

    fn tell(&mut self, kind: EventKind, at: Timestamp, reason: &'static str, field: &str, message: String) {
        let told = self
            .told
            .entry(format!("{reason}/{field}/{message}"))
            .and_modify(|told| told.count = told.count.saturating_add(1))
            .or_insert(Told { first_at: at, count: 1 });
        self.events.push(PodEvent {
            kind,
            reason,
            message,
            field: field.to_owned(),
            first_at: told.first_at,
            at,
            count: told.count,
        });
    }
}

impl PodEvent {
    /// The Event's name: the same for each repeat, so that the second one is a patch of the first.
    #[must_use]
    pub fn name(&self, pod: &Value) -> String {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let suffix = digest::hex(&[text("/metadata/uid"), self.reason, &self.field, &self.message], 16);
        format!("{}.{suffix}", text("/metadata/name"))
    }

    /// The whole Event, for its first appearance.
    #[must_use]
    pub fn object(&self, pod: &Value, node: &str) -> Value {
        let metadata = &pod["metadata"];
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self.name(pod), "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "fieldPath": self.field,
            },
            "type": match self.kind {
                EventKind::Normal => "Normal",
                EventKind::Warning => "Warning",
            },
            "reason": self.reason,
            "message": self.message,
            "source": {"component": "kubelet", "host": node},
            "reportingComponent": "kubelet",
            "reportingInstance": node,
            "firstTimestamp": stamp(self.first_at),
            "lastTimestamp": stamp(self.at),
            "count": self.count,
        })
    }

    /// The merge patch that counts a repeat.
    #[must_use]
    pub fn repeat(&self) -> Value {
        json!({"count": self.count, "lastTimestamp": stamp(self.at)})
    }
}
