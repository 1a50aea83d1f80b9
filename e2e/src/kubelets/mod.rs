//! The kubelet model at work on a real API server.
//!
//! One task watches nodes and pods and asks the model what to do; writes run beside it, at most one at a time for a
//! pod. Everything about nodes is steered through their objects, so that a test needs no door into this process: a
//! Node with [`MODEL_LABEL`] is adopted, one with [`LOST_ANNOTATION`] goes silent.

mod events;
mod nodes;
mod pods;
mod server;
mod writes;

use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use sluice_sandbox::kubelet::{Node, Options};

use crate::cluster::Kind;
use nodes::Nodes;
use pods::Pods;
pub use server::{COUNT_PATH, REVISION_HEADER, SERVES_ANNOTATION, listens_at};
use writes::Writes;

/// Nodes that carry this label belong to the model.
pub const MODEL_LABEL: (&str, &str) = ("sandbox.sluice.dev/kubelet", "model");

/// A node with this annotation at `true` is lost: its kubelet neither reports nor acts.
pub const LOST_ANNOTATION: &str = "sandbox.sluice.dev/lost";

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many nodes to register at the start.
    pub nodes: u16,
    pub options: Options,
}

/// A Node object that the model will adopt.
#[must_use]
pub fn node_object(name: &str, labels: &[(&str, &str)]) -> serde_json::Value {
    let labels: Vec<(&str, &str)> = labels.iter().copied().chain([MODEL_LABEL]).collect();
    Node { name: name.to_owned(), ip: String::new() }.object(&labels)
}

/// Serves the cluster until the future is dropped; it ends by itself only if the nodes can't be registered.
pub async fn run(client: Client, settings: Settings) -> Result<()> {
    nodes::register(&client, settings.nodes).await?;
    let (label, value) = MODEL_LABEL;
    let of_model = watcher::Config::default().labels(&format!("{label}={value}"));
    let mut node_events = watched(&client, Kind::NODE, of_model);
    let mut pod_events = watched(&client, Kind::POD, watcher::Config::default().fields("spec.nodeName!="));

    let (told, telling) = events::channel(client.clone());
    let mut telling = std::pin::pin!(telling);
    let mut writes = Writes::new(client);
    let mut nodes = Nodes::default();
    let mut pods = Pods::new(settings.options, told);
    loop {
        let due = pods.next_wake().map(until);
        tokio::select! {
            event = node_events.next() => match event {
                Some(Ok(event)) => {
                    for node in nodes.observe(event, &mut writes) {
                        pods.look_at_all_of(&node, &nodes, &mut writes);
                    }
                }
                Some(Err(error)) => eprintln!("watching nodes: {error}"),
                None => return Ok(()),
            },
            event = pod_events.next() => match event {
                Some(Ok(event)) => pods.observe(event, &nodes, &mut writes),
                Some(Err(error)) => eprintln!("watching pods: {error}"),
                None => return Ok(()),
            },
            Some(written) = writes.next() => pods.written(written, &nodes, &mut writes),
            () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {
                pods.look_at_due(Timestamp::now(), &nodes, &mut writes);
            }
            () = &mut telling => return Ok(()),
        }
    }
}

fn until(moment: Timestamp) -> Duration {
    moment.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO)
}

type Watched = futures::stream::BoxStream<'static, watcher::Result<Event<DynamicObject>>>;

fn watched(client: &Client, kind: Kind, config: watcher::Config) -> Watched {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
    watcher(api, config)
        .default_backoff()
        // Never read here, and the larger half of a pod.
        .modify(|object| object.metadata.managed_fields = None)
        .boxed()
}
