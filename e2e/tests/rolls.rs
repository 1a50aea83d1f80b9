//! A Deployment rolls in the sandbox through the same ReplicaSet sizes as on a real control plane.
//!
//! No kubelet takes part: the pods name a scheduler that doesn't exist, and the test itself makes them ready, one at
//! a time, so that the controllers have one thing to react to and the sequence is the same on every run.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sluice_e2e::conformance::sandbox;
use sluice_e2e::{Kind, connect, eventually, sight};

const REPLICAS: i64 = 10;

/// Sizes wanted of the old and of the new ReplicaSet.
type Sizes = (i64, i64);

struct Side {
    client: Client,
    namespace: String,
}

impl Side {
    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(kind.group, kind.version, kind.kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Value>> {
        let list = self.api(kind).list(&ListParams::default()).await?;
        list.items.into_iter().map(|object| Ok(serde_json::to_value(object)?)).collect()
    }

    /// A namespace of its own.
    async fn begin(client: Client, namespace: &str) -> Result<Self> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let namespaces: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        namespaces.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
        let side = Self { client, namespace: namespace.to_owned() };
        eventually(Duration::from_secs(30), "the default service account", async || {
            Ok(side.api(Kind::SERVICE_ACCOUNT).get("default").await?)
        })
        .await?;
        Ok(side)
    }

    async fn create_deployment(&self, strategy: &Value) -> Result<()> {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {
                "replicas": REPLICAS, "strategy": strategy, "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"schedulerName": "nobody", "containers": [{"name": "main", "image": "shop/web:1"}]},
                },
            },
        });
        self.api(Kind::DEPLOYMENT).create(&PostParams::default(), &serde_json::from_value(object)?).await?;
        Ok(())
    }

    async fn roll_to(&self, image: &str) -> Result<()> {
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}});
        self.api(Kind::DEPLOYMENT).patch("web", &PatchParams::default(), &Patch::Strategic(patch)).await?;
        Ok(())
    }

    /// Makes one pod of this image ready that isn't; says whether there was one.
    async fn make_one_ready(&self, image: &str) -> Result<bool> {
        let pods = self.list(Kind::POD).await?;
        let waiting = pods.iter().find(|pod| pod["spec"]["containers"][0]["image"] == image && !sight::is_ready(pod));
        let Some(pod) = waiting else { return Ok(false) };
        let ready = json!({"status": {"phase": "Running", "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]}});
        let pods = self.api(Kind::POD);
        pods.patch_status(sight::name(pod), &PatchParams::default(), &Patch::Strategic(ready)).await?;
        Ok(true)
    }

    /// What the ReplicaSets are told to have, once they have it.
    async fn settled_sizes(&self) -> Result<Sizes> {
        let sets = self.list(Kind::REPLICA_SET).await?;
        let mut sizes = (0, 0);
        for set in &sets {
            let (wanted, has) = (&set["spec"]["replicas"], &set["status"]["replicas"]);
            ensure!(wanted == has, "{} wants {wanted} and has {has}", sight::name(set));
            record(&mut sizes, set);
        }
        Ok(sizes)
    }

    /// Waits until the controllers have reacted: for as many as are expected, or (in the sandbox, which reacts at
    /// once) for as many as there are.
    async fn settles(&self, expected: Option<Sizes>) -> Result<Sizes> {
        eventually(Duration::from_secs(30), &format!("ReplicaSets of {expected:?}"), async || {
            let sizes = self.settled_sizes().await?;
            ensure!(expected.is_none_or(|expected| expected == sizes), "they are {sizes:?}");
            Ok(sizes)
        })
        .await
    }

    async fn watch_sizes(&self) -> Result<Watched> {
        let sets = self.api(Kind::REPLICA_SET);
        let now = sets.list(&ListParams::default()).await?.metadata.resource_version.context("a list's revision")?;
        let stream = sets.watch(&WatchParams::default().disable_bookmarks().timeout(240), &now).await?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let writing = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut stream = stream.boxed();
            let mut sizes = (0, 0);
            while let Ok(Some(event)) = stream.try_next().await {
                if let WatchEvent::Added(set) | WatchEvent::Modified(set) = event
                    && let Ok(set) = serde_json::to_value(set)
                {
                    record(&mut sizes, &set);
                    let mut seen = writing.lock().unwrap_or_else(PoisonError::into_inner);
                    if seen.last() != Some(&sizes) {
                        seen.push(sizes);
                    }
                }
            }
        });
        Ok(Watched { seen })
    }
}

fn record(sizes: &mut Sizes, set: &Value) {
    let size = set["spec"]["replicas"].as_i64().unwrap_or(0);
    if set["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/web:1" {
        sizes.0 = size;
    } else {
        sizes.1 = size;
    }
}

struct Watched {
    seen: Arc<Mutex<Vec<Sizes>>>,
}

impl Watched {
    async fn until(&self, last: Sizes) -> Result<Vec<Sizes>> {
        eventually(Duration::from_secs(30), &format!("the watch tells of {last:?}"), async || {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
            ensure!(seen.last() == Some(&last), "it told {seen:?}");
            Ok(seen)
        })
        .await
    }
}

/// Rolls, and says the sizes after every pod that became ready, and all sizes in between. `expected` are the former,
/// to wait for.
async fn roll(side: &Side, strategy: &Value, expected: Option<&[Sizes]>) -> Result<(Vec<Sizes>, Vec<Sizes>)> {
    let watched = side.watch_sizes().await?;
    let mut after = Vec::new();
    let settle = async |after: &mut Vec<Sizes>| {
        let next = expected.and_then(|all| all.get(after.len())).copied();
        after.push(side.settles(next).await?);
        anyhow::Ok(())
    };
    side.create_deployment(strategy).await?;
    settle(&mut after).await?;
    while side.make_one_ready("shop/web:1").await? {
        settle(&mut after).await?;
    }
    side.roll_to("shop/web:2").await?;
    settle(&mut after).await?;
    while side.make_one_ready("shop/web:2").await? {
        settle(&mut after).await?;
    }
    let all = watched.until((0, REPLICAS)).await?;
    Ok((after, all))
}

async fn rolls_alike(name: &str, strategy: Value) -> Result<()> {
    let kubeconfig = std::env::var_os("SLUICE_KUBECONFIG").context("SLUICE_KUBECONFIG names no control plane")?;
    let namespace = format!("{name}-{}", std::process::id());
    let in_sandbox = Side::begin(sandbox::client(1), &namespace).await?;
    let (expected, in_sandbox) = roll(&in_sandbox, &strategy, None).await?;
    let real = Side::begin(connect(Path::new(&kubeconfig)).await?, &namespace).await?;
    let (_, in_real) = roll(&real, &strategy, Some(&expected)).await?;
    ensure!(in_real == in_sandbox, "on the real control plane\n  {in_real:?}\nin the sandbox\n  {in_sandbox:?}");
    ensure!(in_real.len() > 10, "that is no roll of {REPLICAS} pods: {in_real:?}");
    Ok(())
}

#[tokio::test]
async fn a_deployment_of_ten_rolls_through_the_same_sizes() -> Result<()> {
    rolls_alike("rolls-default", json!({"type": "RollingUpdate"})).await
}

#[tokio::test]
async fn a_deployment_that_may_not_surge_rolls_through_the_same_sizes() -> Result<()> {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "30%"}});
    rolls_alike("rolls-no-surge", strategy).await
}

#[tokio::test]
async fn a_deployment_that_must_stay_available_rolls_through_the_same_sizes() -> Result<()> {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}});
    rolls_alike("rolls-all-up", strategy).await
}
