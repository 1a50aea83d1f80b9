//! Writes that run beside the watching task.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cluster::Kind;

/// Each request in flight holds a connection of its own; more of them than this only wait in the server.
const AT_A_TIME: usize = 16;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Writes {
    client: Client,
    room: Arc<Semaphore>,
    running: JoinSet<Option<Written>>,
}

/// A pod write that has ended.
pub(super) struct Written {
    pub(super) uid: String,
    /// The patch that was written.
    pub(super) status: Option<Value>,
    /// The pod as stored then, or nothing if it is gone.
    pub(super) result: Result<Option<Value>>,
}

impl Writes {
    pub(super) fn new(client: Client) -> Self {
        Self { client, room: Arc::new(Semaphore::new(AT_A_TIME)), running: JoinSet::new() }
    }

    /// The next pod write that ends.
    pub(super) async fn next(&mut self) -> Option<Written> {
        loop {
            match self.running.join_next().await? {
                Ok(Some(written)) => return Some(written),
                Ok(None) => {}
                // Nobody cancels a write; a bug in one must be seen.
                Err(ended) => resume_unwind(ended.into_panic()),
            }
        }
    }

    pub(super) fn node_status(&mut self, name: &str, status: Value) {
        let nodes: Api<DynamicObject> = Api::all_with(self.client.clone(), &Kind::NODE.resource());
        let name = name.to_owned();
        self.running.spawn(async move {
            let patched = nodes.patch_status(&name, &as_kubelet(), &Patch::Strategic(status)).await;
            if let Err(error) = patched {
                eprintln!("writing the status of node {name}: {error}");
            }
            None
        });
    }

    /// Writes the status, then deletes.
    pub(super) fn pod(&mut self, uid: &str, pod: &Value, status: Option<Value>, delete: Option<String>) {
        let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
        let (name, namespace, uid) = (text("name"), text("namespace"), uid.to_owned());
        let pods = Api::namespaced_with(self.client.clone(), &namespace, &Kind::POD.resource());
        let room = Arc::clone(&self.room);
        self.running.spawn(async move {
            let _place = room.acquire().await;
            let written = timeout(PATIENCE, write(&pods, &name, status.as_ref(), delete));
            let result = written.await.context("no answer in time").and_then(|result| result);
            Some(Written { uid, status, result })
        });
    }
}

async fn write(
    pods: &Api<DynamicObject>,
    name: &str,
    status: Option<&Value>,
    delete: Option<String>,
) -> Result<Option<Value>> {
    let mut stored = None;
    if let Some(status) = status {
        let patched = pods.patch_status(name, &as_kubelet(), &Patch::Strategic(status)).await;
        stored = unless_gone(patched)?.map(serde_json::to_value).transpose()?;
    }
    let Some(uid) = delete else {
        return Ok(stored);
    };
    let params = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions { uid: Some(uid), resource_version: None }),
        ..DeleteParams::default()
    };
    unless_gone(pods.delete(name, &params).await)?;
    Ok(None)
}

/// Not found, or another pod of the same name by now: ours is gone.
fn unless_gone<T>(answer: kube::Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn as_kubelet() -> PatchParams {
    PatchParams { field_manager: Some("kubelet".to_owned()), ..PatchParams::default() }
}
