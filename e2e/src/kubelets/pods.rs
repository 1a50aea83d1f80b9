//! The pods on the model's nodes: each with its memory, at most one write of each in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use kube::api::DynamicObject;
use kube::runtime::watcher::Event;
use serde_json::Value;
use sluice_sandbox::kubelet::{Addresses, Options, PodMemory, mark_pod_on_lost_node, step};
use tokio::sync::mpsc::UnboundedSender;

use super::events::Told;
use super::nodes::Nodes;
use super::server::{Server, follow};
use super::writes::{Writes, Written};

/// After a write that failed, the pod is looked at again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

pub(super) struct Pods {
    seats: BTreeMap<String, Seat>,
    /// Uids seen in a listing that has not ended.
    listing: BTreeSet<String>,
    addresses: Addresses,
    options: Options,
    told: UnboundedSender<Told>,
}

struct Seat {
    pod: Value,
    memory: PodMemory,
    server: Option<Server>,
    wake_at: Option<Timestamp>,
    writing: bool,
    /// The last patch and the version that it led to: if the model asks for it again on that very version, the
    /// API server does not store all of it, and asking for ever would not help.
    last_write: Option<(Value, String)>,
}

impl Pods {
    pub(super) fn new(options: Options, told: UnboundedSender<Told>) -> Self {
        Self { seats: BTreeMap::new(), listing: BTreeSet::new(), addresses: Addresses::default(), options, told }
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.seats.values().filter(|seat| !seat.writing).filter_map(|seat| seat.wake_at).min()
    }

    pub(super) fn observe(&mut self, event: Event<DynamicObject>, nodes: &Nodes, writes: &mut Writes) {
        match event {
            Event::Apply(pod) => self.apply(&pod, nodes, writes),
            Event::Delete(pod) => {
                self.seats.remove(&uid_of(&pod));
            }
            Event::Init => self.listing.clear(),
            Event::InitApply(pod) => {
                self.listing.insert(uid_of(&pod));
                self.apply(&pod, nodes, writes);
            }
            Event::InitDone => {
                let listing = std::mem::take(&mut self.listing);
                self.seats.retain(|uid, _| listing.contains(uid));
            }
        }
    }

    fn apply(&mut self, pod: &DynamicObject, nodes: &Nodes, writes: &mut Writes) {
        let uid = uid_of(pod);
        let Ok(pod) = serde_json::to_value(pod) else {
            return;
        };
        self.seat(&uid, pod);
        self.look_at(&uid, nodes, writes);
    }

    /// Keeps the newer of two versions: the answer to a write and the watch come on different ways.
    fn seat(&mut self, uid: &str, pod: Value) {
        if let Some(seat) = self.seats.get_mut(uid) {
            if version_of(&pod) > version_of(&seat.pod) {
                seat.pod = pod;
            }
            return;
        }
        let seats = &self.seats;
        let ip = self.addresses.fresh(|ip| seats.values().any(|seat| seat.memory.ip() == ip));
        let memory = PodMemory::of(&pod, &ip);
        let seat = Seat { pod, memory, server: None, wake_at: None, writing: false, last_write: None };
        self.seats.insert(uid.to_owned(), seat);
    }

    pub(super) fn look_at_all_of(&mut self, node: &str, nodes: &Nodes, writes: &mut Writes) {
        let on_node = |seat: &Seat| seat.pod["spec"]["nodeName"] == node;
        self.look_at_those(on_node, nodes, writes);
    }

    pub(super) fn look_at_due(&mut self, now: Timestamp, nodes: &Nodes, writes: &mut Writes) {
        self.look_at_those(|seat| seat.wake_at.is_some_and(|wake_at| wake_at <= now), nodes, writes);
    }

    fn look_at_those(&mut self, which: impl Fn(&Seat) -> bool, nodes: &Nodes, writes: &mut Writes) {
        let uids: Vec<String> = self.seats.iter().filter(|(_, seat)| which(seat)).map(|(uid, _)| uid.clone()).collect();
        for uid in uids {
            self.look_at(&uid, nodes, writes);
        }
    }

    fn look_at(&mut self, uid: &str, nodes: &Nodes, writes: &mut Writes) {
        let Some(seat) = self.seats.get_mut(uid).filter(|seat| !seat.writing) else {
            return;
        };
        seat.wake_at = None;
        let Some(known) = seat.pod["spec"]["nodeName"].as_str().and_then(|name| nodes.get(name)) else {
            return;
        };
        let now = Timestamp::now();
        if known.lost {
            if let Some(status) = mark_pod_on_lost_node(&seat.pod, now) {
                seat.writing = true;
                writes.pod(uid, &seat.pod, Some(status), None);
            }
            return;
        }
        let outcome = step(&seat.pod, &known.node, seat.memory.clone(), now, &self.options);
        seat.memory = outcome.memory;
        follow(&mut seat.server, &seat.pod, &seat.memory);
        seat.wake_at = outcome.wake_at;
        for event in outcome.events {
            // The receiver lives as long as this task.
            let _ = self.told.send(Told { object: event.object(&seat.pod, &known.node.name), repeat: event });
        }
        let version = seat.pod["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let repeated = |status: &Value| seat.last_write.as_ref().is_some_and(|(p, v)| p == status && v == version);
        let status = outcome.status.filter(|status| !repeated(status));
        if status.is_some() || outcome.delete.is_some() {
            seat.writing = true;
            writes.pod(uid, &seat.pod, status, outcome.delete);
        }
    }

    pub(super) fn written(&mut self, written: Written, nodes: &Nodes, writes: &mut Writes) {
        let Some(seat) = self.seats.get_mut(&written.uid) else {
            return;
        };
        seat.writing = false;
        match written.result {
            Ok(Some(pod)) => {
                let version = pod["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
                seat.last_write = written.status.map(|status| (status, version));
                self.seat(&written.uid, pod);
                self.look_at(&written.uid, nodes, writes);
            }
            // Deleted, by us or meanwhile: the watch tells.
            Ok(None) => {}
            Err(error) => {
                eprintln!("writing pod {}: {error:#}", seat.pod["metadata"]["name"]);
                seat.wake_at = Timestamp::now().checked_add(RETRY_AFTER).ok();
            }
        }
    }
}

fn uid_of(pod: &DynamicObject) -> String {
    pod.metadata.uid.clone().unwrap_or_default()
}

fn version_of(pod: &Value) -> u64 {
    pod["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok()).unwrap_or(0)
}
