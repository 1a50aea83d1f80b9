//! A Rollout, released by the controller as users run it, and promoted and aborted as people do it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use sluice_crds::template::HASH_LABEL;
use sluice_e2e::dataplane::DataPlane;
use sluice_e2e::{Kind, Namespace};
use tokio::time::timeout;

use crate::example::{ROLLOUT, Way, apply, objects};
use crate::served::{route_of_testers, weight};

/// A release waits for pods, proxies and a controller on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The Rollout of a namespace.
pub(crate) struct Release<'a> {
    namespace: &'a Namespace,
    plane: &'a DataPlane,
}

impl<'a> Release<'a> {
    /// The first revision serves everything.
    pub(crate) async fn first(namespace: &'a Namespace, plane: &'a DataPlane, way: Way) -> Result<Self> {
        for object in objects(way, &namespace.name)? {
            apply(namespace, &object).await?;
        }
        let release = Self { namespace, plane };
        release.is("Healthy", |status| status["stableRS"] == status["currentPodHash"]).await?;
        let pods = plane.serves("the first revision", |view| {
            let pods = view.pods_behind(&way.stable());
            ensure!(pods.len() == 4, "{} pods are serve", pods.len());
            Ok(())
        });
        pods.await?;
        Ok(release)
    }

    /// The revision that everybody gets.
    pub(crate) async fn stable(&self) -> Result<String> {
        self.hash("stableRS").await
    }

    /// A new image. Returns its revision once requests of testers go there, and those of nobody else.
    pub(crate) async fn begin(&self, image: &str) -> Result<String> {
        let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
        let patch = Patch::<Value>::Json(serde_json::from_value(patch)?);
        self.namespace.api(Kind::ROLLOUT).patch(ROLLOUT, &PatchParams::default(), &patch).await?;
        self.is_paused(|status| status["stableRS"] != status["currentPodHash"]).await?;
        route_of_testers(self.plane).await?;
        self.hash("currentPodHash").await
    }

    /// Goes on to the next pause, which is the one at this weight.
    pub(crate) async fn shift(&self, percent: u32) -> Result<()> {
        self.promote_step().await?;
        self.is_paused(|status| status["canary"]["weights"]["canary"]["weight"] == percent).await?;
        weight(self.plane, percent).await
    }

    /// Takes the release back; returns once nobody gets the new revision and its pods are gone.
    pub(crate) async fn abort(&self) -> Result<()> {
        let aborted = self.hash("currentPodHash").await?;
        self.tell(&json!({"abort": true})).await?;
        weight(self.plane, 0).await?;
        self.is("Degraded", |status| status["abort"] == true).await?;
        self.has_no_pods(&aborted).await
    }

    /// Goes on behind the last pause; returns once the old revision is gone.
    pub(crate) async fn complete(&self) -> Result<()> {
        let old = self.stable().await?;
        self.promote_step().await?;
        self.is("Healthy", |status| status["stableRS"] == status["currentPodHash"]).await?;
        weight(self.plane, 0).await?;
        self.has_no_pods(&old).await
    }

    /// As `kubectl argo rollouts promote` does.
    async fn promote_step(&self) -> Result<()> {
        self.tell(&json!({"pauseConditions": null})).await
    }

    async fn tell(&self, wish: &Value) -> Result<()> {
        let patch = Patch::Merge(json!({"status": wish}));
        self.namespace.api(Kind::ROLLOUT).patch_status(ROLLOUT, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn hash(&self, field: &str) -> Result<String> {
        let rollout = self.namespace.get(Kind::ROLLOUT, ROLLOUT).await?;
        Ok(rollout["status"][field].as_str().with_context(|| format!("no {field}"))?.to_owned())
    }

    /// At a step that a person has to end.
    async fn is_paused(&self, holds: impl Fn(&Value) -> bool) -> Result<()> {
        let pauses = |status: &Value| status["pauseConditions"].as_array().is_some_and(|pauses| !pauses.is_empty());
        self.is("Paused", |status| pauses(status) && holds(status)).await
    }

    /// Waits by a watch: many questions would take the processors from those who answer requests.
    async fn is(&self, phase: &str, holds: impl Fn(&Value) -> bool) -> Result<()> {
        let is_so = |rollout: Option<&DynamicObject>| {
            rollout.is_some_and(|rollout| {
                let (status, generation) =
                    (&rollout.data["status"], rollout.metadata.generation.unwrap_or(0).to_string());
                let is_current = status["observedGeneration"] == generation.as_str();
                is_current && status["phase"] == phase && holds(status)
            })
        };
        let reached = timeout(PATIENCE, await_condition(self.namespace.api(Kind::ROLLOUT), ROLLOUT, is_so)).await;
        if let Ok(reached) = reached {
            return reached.map(drop).context("watching the Rollout");
        }
        let rollout = self.namespace.get(Kind::ROLLOUT, ROLLOUT).await?;
        bail!("not within {PATIENCE:?}: the Rollout is {phase}; its status is {}", rollout["status"])
    }

    async fn has_no_pods(&self, revision: &str) -> Result<()> {
        let gone = self.plane.serves("no pod of the revision that has gone", |view| {
            let count = view.all("Pod").filter(|pod| pod["metadata"]["labels"][HASH_LABEL] == revision).count();
            ensure!(count == 0, "{count} pods of {revision} are there");
            Ok(())
        });
        gone.await.map(drop)
    }
}
