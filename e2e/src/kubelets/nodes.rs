//! The nodes of the model: which there are, and which of them are lost.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, PostParams};
use kube::runtime::watcher::Event;
use kube::{Client, ResourceExt};
use sluice_sandbox::kubelet::Node;

use super::LOST_ANNOTATION;
use super::writes::Writes;
use crate::cluster::Kind;

#[derive(Default)]
pub(super) struct Nodes {
    known: BTreeMap<String, Known>,
    /// Names seen in a listing that has not ended.
    listing: Vec<String>,
    last_address: u16,
}

pub(super) struct Known {
    pub(super) node: Node,
    pub(super) lost: bool,
}

/// Makes the nodes `model-1`, `model-2`, … unless they are there.
pub(super) async fn register(client: &Client, count: u16) -> Result<()> {
    let nodes: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::NODE.resource());
    for i in 1..=count {
        let name = format!("model-{i}");
        let object = serde_json::from_value(super::node_object(&name, &[]))?;
        match nodes.create(&PostParams::default(), &object).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            created => {
                created.with_context(|| format!("registering node {name}"))?;
            }
        }
    }
    Ok(())
}

impl Nodes {
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }

    /// Takes in an event; the names of nodes whose pods must be looked at again.
    pub(super) fn observe(&mut self, event: Event<DynamicObject>, writes: &mut Writes) -> Vec<String> {
        match event {
            Event::Apply(node) => self.adopt(&node, writes).into_iter().collect(),
            Event::Delete(node) => {
                self.known.remove(&node.name_any());
                Vec::new()
            }
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(node) => {
                self.listing.push(node.name_any());
                self.adopt(&node, writes).into_iter().collect()
            }
            Event::InitDone => {
                let listing = std::mem::take(&mut self.listing);
                self.known.retain(|name, _| listing.contains(name));
                Vec::new()
            }
        }
    }

    /// Keeps the node's status as it should be; its name if it is new, lost or found again.
    fn adopt(&mut self, object: &DynamicObject, writes: &mut Writes) -> Option<String> {
        let name = object.name_any();
        let lost = object.annotations().get(LOST_ANNOTATION).is_some_and(|value| value == "true");
        let conditions = object.data["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
        let reported = ready.and_then(|ready| ready["status"].as_str());

        let changed = self.known.get(&name).is_none_or(|known| known.lost != lost);
        if changed {
            let ip = match self.known.get(&name) {
                Some(known) => known.node.ip.clone(),
                None => self.fresh_address(),
            };
            let node = Node { name: name.clone(), ip };
            self.known.insert(name.clone(), Known { node, lost });
        }
        let node = &self.known.get(&name)?.node;
        match (lost, reported) {
            (true, Some("True")) => writes.node_status(&name, Node::lost_status(Timestamp::now())),
            (false, reported) if reported != Some("True") => {
                writes.node_status(&name, node.ready_status(Timestamp::now()));
            }
            _ => {}
        }
        changed.then_some(name)
    }

    fn fresh_address(&mut self) -> String {
        self.last_address += 1;
        let [high, low] = self.last_address.to_be_bytes();
        format!("172.18.{high}.{low}")
    }
}
