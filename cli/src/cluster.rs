//! The cluster that a verb asks: reads and writes as JSON, and what went wrong in one sentence.

pub(crate) mod connection;
pub(crate) mod kind;
pub(crate) mod problem;

use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::Value;
use tokio::time::Instant;

pub(crate) use connection::Connection;
pub(crate) use kind::Kind;
use problem::Asked;
pub(crate) use problem::Problem;

const AWAY_AT_MOST: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Where objects are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where<'a> {
    Namespace(&'a str),
    Everywhere,
}

/// Objects of a kind, and the version of the list, from which a watch can go on.
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) version: String,
}

pub(crate) struct Cluster {
    pub(crate) client: Client,
    /// The namespace that is meant where none is named.
    pub(crate) namespace: String,
    server: String,
}

/// How a write is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// By whom, as the API server remembers it.
    pub(crate) manager: String,
    /// Everything but the storing.
    pub(crate) dry_run: bool,
}

impl Cluster {
    pub(crate) async fn connect(connection: &Connection) -> Result<Self, Problem> {
        let (config, namespace) = connection.config().await?;
        let server = config.cluster_url.to_string();
        let server = server.trim_end_matches('/').to_owned();
        let client = Client::try_from(config).map_err(|error| Problem::of(&error, &Asked::server(&server)))?;
        Ok(Self { client, namespace, server })
    }

    pub(crate) fn api(&self, kind: Kind, place: Where<'_>) -> Api<DynamicObject> {
        match place {
            Where::Namespace(namespace) if kind.namespaced => {
                Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
            }
            _ => Api::all_with(self.client.clone(), &kind.resource()),
        }
    }

    fn here(&self, kind: Kind) -> Api<DynamicObject> {
        self.api(kind, Where::Namespace(&self.namespace))
    }

    fn asked<'a>(&'a self, verb: &'static str, kind: Kind, name: &'a str) -> Asked<'a> {
        Asked { server: &self.server, namespace: &self.namespace, verb, kind: Some(kind), name }
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Result<Value, Problem> {
        let found = self.here(kind).get(name).await;
        found.map(|object| kind.value(object)).map_err(|error| Problem::of(&error, &self.asked("get", kind, name)))
    }

    /// The same for who has asked before and goes on asking: an API server that is away for a moment, as while it is
    /// upgraded, ends no watch.
    pub(crate) async fn get_again(&self, kind: Kind, name: &str) -> Result<Value, Problem> {
        let deadline = Instant::now() + AWAY_AT_MOST;
        loop {
            match self.get(kind, name).await {
                Err(problem) if problem.is_passing() && Instant::now() < deadline => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }

    pub(crate) async fn list(&self, kind: Kind, place: Where<'_>, labels: &str) -> Result<Listed, Problem> {
        let params = ListParams { label_selector: Some(labels.to_owned()), ..ListParams::default() };
        self.list_with(kind, place, &params).await
    }

    pub(crate) async fn list_with(&self, kind: Kind, place: Where<'_>, params: &ListParams) -> Result<Listed, Problem> {
        let found = self.api(kind, place).list(params).await;
        let list = found.map_err(|error| Problem::of(&error, &self.asked("list", kind, "")))?;
        let version = list.metadata.resource_version.unwrap_or_default();
        Ok(Listed { items: list.items.into_iter().map(|object| kind.value(object)).collect(), version })
    }

    /// What changes from that version on. It ends sooner or later; then the list is read again.
    pub(crate) async fn watch(
        &self,
        kind: Kind,
        place: Where<'_>,
        labels: &str,
        version: &str,
    ) -> Result<impl futures::Stream<Item = kube::Result<WatchEvent<DynamicObject>>> + use<>, Problem> {
        let params = WatchParams::default().labels(labels);
        let begun = self.api(kind, place).watch(&params, version).await;
        begun.map_err(|error| Problem::of(&error, &self.asked("watch", kind, "")))
    }

    /// A JSON Patch. `status` writes the status, or the whole object where the cluster knows no separate status.
    pub(crate) async fn patch(
        &self,
        kind: Kind,
        name: &str,
        status: bool,
        operations: &Value,
        manner: &Manner,
    ) -> Result<Value, Problem> {
        let params = PatchParams {
            dry_run: manner.dry_run,
            field_manager: Some(manner.manager.clone()),
            ..PatchParams::default()
        };
        let patch = serde_json::from_value(operations.clone()).map(Patch::<DynamicObject>::Json);
        let patch = patch.map_err(|error| Problem::new(format!("the change can't be written down: {error}")))?;
        let api = self.here(kind);
        let mut outcome =
            if status { api.patch_status(name, &params, &patch).await } else { api.patch(name, &params, &patch).await };
        if status && matches!(&outcome, Err(kube::Error::Api(refused)) if refused.code == 404) {
            outcome = api.patch(name, &params, &patch).await;
        }
        outcome.map(|object| kind.value(object)).map_err(|error| Problem::of(&error, &self.asked("patch", kind, name)))
    }

    /// As the API server calls its own.
    pub(crate) async fn version(&self) -> Result<String, Problem> {
        let asked = self.client.apiserver_version().await;
        asked.map(|info| info.git_version).map_err(|error| Problem::of(&error, &Asked::server(&self.server)))
    }

    pub(crate) async fn create(&self, kind: Kind, object: Value, manner: &Manner) -> Result<Value, Problem> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let unreadable = |error| Problem::new(format!("{} {name} is no object: {error}", kind.kind));
        let object: DynamicObject = serde_json::from_value(object).map_err(unreadable)?;
        let namespace = object.metadata.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let params = PostParams { dry_run: manner.dry_run, field_manager: Some(manner.manager.clone()) };
        let created = self.api(kind, Where::Namespace(&namespace)).create(&params, &object).await;
        let asked = Asked { namespace: &namespace, ..self.asked("create", kind, &name) };
        created.map(|object| kind.value(object)).map_err(|error| Problem::of(&error, &asked))
    }
}
