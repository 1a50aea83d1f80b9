//! Events on their way to the API server, behind everything that matters more.

use futures::StreamExt;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::Value;
use sluice_sandbox::kubelet::PodEvent;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cluster::Kind;

const AT_A_TIME: usize = 4;

/// An event of the model, with the object that it is stored as.
pub(super) struct Told {
    pub(super) object: Value,
    pub(super) repeat: PodEvent,
}

/// Where to tell events, and the future that writes them.
pub(super) fn channel(client: Client) -> (UnboundedSender<Told>, impl Future<Output = ()>) {
    let (told, waiting) = unbounded_channel();
    (told, write_all(client, waiting))
}

async fn write_all(client: Client, waiting: UnboundedReceiver<Told>) {
    let waiting = futures::stream::unfold(waiting, async |mut waiting| Some((waiting.recv().await?, waiting)));
    waiting
        .for_each_concurrent(AT_A_TIME, |told| {
            let client = client.clone();
            // An event that can't be written is lost, as it is with a kubelet: its namespace may be on its way out.
            async move { drop(write(client, told).await) }
        })
        .await;
}

async fn write(client: Client, told: Told) -> kube::Result<()> {
    let namespace = told.object["metadata"]["namespace"].as_str().unwrap_or_default();
    let name = told.object["metadata"]["name"].as_str().unwrap_or_default();
    let events: Api<DynamicObject> = Api::namespaced_with(client, namespace, &Kind::EVENT.resource());
    let object = serde_json::from_value(told.object.clone()).map_err(kube::Error::SerdeError)?;
    match events.create(&PostParams::default(), &object).await {
        // Told before, by this process or by the one before it.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let repeat = Patch::Merge(told.repeat.repeat());
            events.patch(name, &PatchParams::default(), &repeat).await.map(|_| ())
        }
        created => created.map(|_| ()),
    }
}
