//! A namespace for one test, which goes when the test is over.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use kube::api::{Api, DeleteParams, DynamicObject, EvictParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Kind};
use crate::eventually::eventually;

/// One test's own room in the cluster.
pub struct Namespace {
    pub name: String,
    pub cluster: Cluster,
}

/// Runs a test in a namespace of its own whose name begins with `purpose`. The namespace goes afterwards, whatever
/// the outcome; if it is a failure, what was in the namespace is told first.
pub async fn in_namespace(purpose: &str, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    let cluster = Cluster::of_this_run().await?;
    let namespace = Namespace::create(cluster, purpose).await?;
    let outcome = AssertUnwindSafe(test(&namespace)).catch_unwind().await;
    if !matches!(outcome, Ok(Ok(()))) {
        eprintln!("{}", namespace.story().await);
    }
    let namespaces: Api<DynamicObject> = Api::all_with(namespace.cluster.client.clone(), &Kind::NAMESPACE.resource());
    let deleted = namespaces.delete(&namespace.name, &DeleteParams::default()).await;
    match outcome {
        Ok(result) => {
            result?;
            deleted.with_context(|| format!("deleting namespace {}", namespace.name))?;
            Ok(())
        }
        Err(panic) => resume_unwind(panic),
    }
}

impl Namespace {
    async fn create(cluster: Cluster, purpose: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{}-{count}", std::process::id());
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let namespaces: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &Kind::NAMESPACE.resource());
        namespaces
            .create(&PostParams::default(), &serde_json::from_value(object)?)
            .await
            .with_context(|| format!("creating namespace {name}"))?;
        let namespace = Self { name, cluster };
        // Pods are refused until their service account is there.
        eventually(Duration::from_secs(30), "the default service account", async || {
            namespace.get(Kind::SERVICE_ACCOUNT, "default").await
        })
        .await?;
        Ok(namespace)
    }

    pub fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.cluster.client.clone(), &self.name, &kind.resource())
    }

    /// Creates an object from YAML as a user would write it, and returns it as stored.
    pub async fn create_from(&self, kind: Kind, yaml: &str) -> Result<Value> {
        let mut object: Value = serde_saphyr::from_str(yaml).context("the fixture is not YAML")?;
        object["apiVersion"] = json!(kind.resource().api_version);
        object["kind"] = json!(kind.kind);
        let object = serde_json::from_value(object).context("the fixture is not an object")?;
        let created = self.api(kind).create(&PostParams::default(), &object).await;
        let created = created.with_context(|| format!("creating {}", kind.kind))?;
        Ok(serde_json::to_value(created)?)
    }

    pub async fn get(&self, kind: Kind, name: &str) -> Result<Value> {
        let object = self.api(kind).get(name).await.with_context(|| format!("getting {} {name}", kind.kind))?;
        Ok(serde_json::to_value(object)?)
    }

    pub async fn list(&self, kind: Kind) -> Result<Vec<Value>> {
        let list = self.api(kind).list(&ListParams::default()).await?;
        list.items.into_iter().map(|object| Ok(serde_json::to_value(object)?)).collect()
    }

    /// A merge patch.
    pub async fn patch(&self, kind: Kind, name: &str, patch: &Value) -> Result<Value> {
        let patched = self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        Ok(serde_json::to_value(patched.with_context(|| format!("patching {} {name}", kind.kind))?)?)
    }

    /// Sets a pod's scripted behaviour while it runs.
    pub async fn annotate_pod(&self, name: &str, behaviour: &str, value: &str) -> Result<()> {
        let annotation = format!("{}{behaviour}", sluice_sandbox::kubelet::PREFIX);
        self.patch(Kind::POD, name, &json!({"metadata": {"annotations": {annotation: value}}})).await?;
        Ok(())
    }

    pub async fn delete(&self, kind: Kind, name: &str) -> Result<()> {
        self.api(kind).delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Asks for a pod's eviction; the API server refuses with 429 what a disruption budget forbids.
    pub async fn evict(&self, pod: &str) -> kube::Result<()> {
        let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(self.cluster.client.clone(), &self.name);
        pods.evict(pod, &EvictParams::default()).await.map(|_| ())
    }

    /// Waits until the object is as `holds` wants it; an error from there is what is still missing.
    pub async fn wait_for(
        &self,
        (kind, name): (Kind, &str),
        expected: &str,
        holds: impl Fn(&Value) -> Result<()>,
    ) -> Result<Value> {
        eventually(Duration::from_secs(60), expected, async || {
            let object = self.get(kind, name).await?;
            holds(&object)?;
            Ok(object)
        })
        .await
    }

    pub async fn wait_until_gone(&self, kind: Kind, name: &str) -> Result<()> {
        eventually(Duration::from_secs(60), &format!("{} {name} is gone", kind.kind), async || {
            let found = self.api(kind).get_opt(name).await?;
            ensure!(found.is_none(), "it is still there");
            Ok(())
        })
        .await
    }

    /// What was in the namespace when a test failed.
    async fn story(&self) -> String {
        let mut story = format!("--- namespace {}\n", self.name);
        for kind in [Kind::DEPLOYMENT, Kind::JOB, Kind::POD] {
            for object in self.list(kind).await.unwrap_or_default() {
                let (name, status) = (&object["metadata"]["name"], &object["status"]);
                story.push_str(&format!("{} {name}: {status}\n", kind.kind));
            }
        }
        for event in self.list(Kind::EVENT).await.unwrap_or_default() {
            let (object, reason, message) = (&event["involvedObject"]["name"], &event["reason"], &event["message"]);
            story.push_str(&format!("event on {object}: {reason} {message}\n"));
        }
        story
    }
}
