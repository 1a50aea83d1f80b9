//! The nodes: each pod on one is carried through its life by the kubelet model.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::api::options::DeleteOptions;
use crate::api::status::Answer;
use crate::api::verbs::patch::{Patch, patch};
use crate::api::verbs::{Call, Target, create, delete};
use crate::kubelet::{Addresses, Node, Options, PodEvent, PodMemory, mark_pod_on_lost_node, step};
use crate::world::{Object, ResourceKey, World};

/// `namespace`, `name`
type PodKey = (String, String);

/// All nodes of a cluster, with what their kubelets remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    nodes: BTreeMap<String, Member>,
    /// By uid, so that a pod of the same name starts with an empty memory.
    memories: BTreeMap<String, PodMemory>,
    wakes: BTreeMap<PodKey, Timestamp>,
    seen: Option<u64>,
    addresses: Addresses,
    options: Options,
}

#[derive(Clone, Debug)]
struct Member {
    node: Node,
    lost: bool,
}

impl Nodes {
    pub(super) fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    pub(super) fn join(&mut self, world: &mut World, name: &str, now: Timestamp) {
        let node = Node { name: name.to_owned(), ip: format!("10.0.0.{}", self.nodes.len() + 1) };
        let object = node.object(&[]);
        let status = node.ready_status(now);
        self.nodes.insert(name.to_owned(), Member { node, lost: false });
        let mut call = Call::internal("kubelet", now);
        // A node of that name that is there already is taken over.
        let _joined = Target::find(world, "", "nodes", "", "")
            .and_then(|target| create::create(world, &mut call, &target, object))
            .and_then(|_| change_status(world, "nodes", "", name, status, now));
    }

    pub(super) fn lose(&mut self, world: &mut World, name: &str, now: Timestamp) {
        let Some(member) = self.nodes.get_mut(name) else { return };
        member.lost = true;
        let mut lost = change_status(world, "nodes", "", name, Node::lost_status(now), now);
        for pod in world.list("", "pods", "") {
            if pod.value()["spec"]["nodeName"] == name
                && let Some(status) = mark_pod_on_lost_node(pod.value(), now)
            {
                lost = lost.and_then(|()| change_status(world, "pods", pod.namespace(), pod.name(), status, now));
            }
        }
        debug_assert!(lost.is_ok(), "a node and its pods take a status: {lost:?}");
    }

    pub(super) fn recover(&mut self, world: &mut World, name: &str, now: Timestamp) {
        let Some(member) = self.nodes.get_mut(name) else { return };
        member.lost = false;
        let status = member.node.ready_status(now);
        let back = change_status(world, "nodes", "", name, status, now);
        debug_assert!(back.is_ok(), "a node takes a status: {back:?}");
        // Every pod on it is looked at again.
        self.seen = None;
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.values().min().copied()
    }

    /// Looks at every pod that changed or for which something is due.
    pub(super) fn run(&mut self, world: &mut World, now: Timestamp) {
        let mut due: BTreeSet<PodKey> =
            self.wakes.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        self.take_in(world, &mut due);
        for (namespace, name) in due {
            self.wakes.remove(&(namespace.clone(), name.clone()));
            let Some(pod) = world.get("", "pods", &namespace, &name).cloned() else { continue };
            // A status that is refused was computed from a pod that has changed: its change wakes us again.
            let _looked_at = self.look_at(world, &pod, now);
        }
    }

    fn take_in(&mut self, world: &World, due: &mut BTreeSet<PodKey>) {
        let revision = world.revision();
        if self.seen == Some(revision) {
            return;
        }
        let Some(pods) = world.collection(&ResourceKey::new("", "pods")) else { return };
        let key = |pod: &Object| (pod.namespace().to_owned(), pod.name().to_owned());
        match self.seen.filter(|seen| *seen >= pods.oldest_revision()) {
            Some(seen) => {
                for change in pods.changes_after(seen) {
                    if change.kind == crate::world::ChangeKind::Deleted {
                        self.memories.remove(change.object.uid());
                    }
                    due.insert(key(&change.object));
                }
            }
            None => due.extend(pods.in_namespace("").map(|pod| key(pod))),
        }
        self.seen = Some(revision);
    }

    fn look_at(&mut self, world: &mut World, pod: &Object, now: Timestamp) -> Answer<()> {
        let node_name = pod.value()["spec"]["nodeName"].as_str().unwrap_or_default();
        let Some(member) = self.nodes.get(node_name).filter(|member| !member.lost) else { return Ok(()) };
        let memory = match self.memories.remove(pod.uid()) {
            Some(memory) => memory,
            None => {
                let taken: BTreeSet<&str> = self.memories.values().map(PodMemory::ip).collect();
                PodMemory::of(pod.value(), &self.addresses.fresh(|ip| taken.contains(ip)))
            }
        };
        let outcome = step(pod.value(), &member.node, memory, now, &self.options);
        self.memories.insert(pod.uid().to_owned(), outcome.memory);
        if let Some(at) = outcome.wake_at {
            self.wakes.insert((pod.namespace().to_owned(), pod.name().to_owned()), at);
        }
        for event in &outcome.events {
            // A namespace that is going away takes no events; the pod's life goes on.
            let _told = tell(world, pod, node_name, event, now);
        }
        if let Some(status) = outcome.status {
            change_status(world, "pods", pod.namespace(), pod.name(), status, now)?;
        }
        if let Some(uid) = outcome.delete {
            let target = Target::find(world, "", "pods", pod.namespace(), pod.name())?;
            let options = DeleteOptions { uid: Some(uid), grace_period_seconds: Some(0), ..DeleteOptions::default() };
            delete::delete(world, &Call::internal("kubelet", now), &target, &options)?;
        }
        Ok(())
    }
}

fn change_status(
    world: &mut World,
    plural: &str,
    namespace: &str,
    name: &str,
    status: Value,
    now: Timestamp,
) -> Answer<()> {
    let target = Target::find(world, "", plural, namespace, name)?.subresource("status");
    patch(world, &mut Call::internal("kubelet", now), &target, &Patch::Strategic(status)).map(|_| ())
}

/// A repeated event counts instead of piling up.
fn tell(world: &mut World, pod: &Object, node: &str, event: &PodEvent, now: Timestamp) -> Answer<()> {
    let mut call = Call::internal("kubelet", now);
    let name = event.name(pod.value());
    if world.get("", "events", pod.namespace(), &name).is_some() {
        let target = Target::find(world, "", "events", pod.namespace(), &name)?;
        return patch(world, &mut call, &target, &Patch::Merge(event.repeat())).map(|_| ());
    }
    let target = Target::find(world, "", "events", pod.namespace(), "")?;
    let object = event.object(pod.value(), node);
    create::create(world, &mut call, &target, object).map(|_| ())
}
