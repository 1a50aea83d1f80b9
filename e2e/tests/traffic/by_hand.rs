//! A release by hand: ReplicaSets, Services and routing objects are written in the order in which they must be.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use kube::client::Body;
use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_crds::template::HASH_LABEL;
use sluice_e2e::dataplane::DataPlane;
use sluice_e2e::{Kind, Namespace};
use sluice_traffic::{Action, Edit, FIELD_MANAGER, ObjectRef, Objects, Operation, Routing, Seen, Split, edits};

use crate::example::apply;
use crate::served::{pods_of, route_of_testers, weight};

const REPLICAS: i64 = 4;

/// A Rollout's objects, and who writes them.
pub(crate) struct Release<'a> {
    namespace: &'a Namespace,
    plane: &'a DataPlane,
    rollout: Value,
    routing: Routing,
    stable: String,
    canary: String,
}

impl<'a> Release<'a> {
    /// The first revision serves everything.
    pub(crate) async fn first(
        namespace: &'a Namespace,
        plane: &'a DataPlane,
        objects: &[Value],
        revision: &str,
    ) -> Result<Self> {
        let mut rollout = Value::Null;
        for object in objects {
            let applied = apply(namespace, object).await?;
            if applied["kind"] == "Rollout" {
                rollout = applied;
            }
        }
        let read: Rollout = serde_json::from_value(rollout.clone())?;
        let traffic =
            read.spec.canary().and_then(|canary| canary.traffic_routing.clone()).context("no trafficRouting")?;
        let uid = rollout["metadata"]["uid"].as_str().unwrap_or_default();
        let routing = Routing::new("web", &namespace.name, uid, traffic).with_services("web-stable", "web-canary");
        let (stable, canary) = (revision.to_owned(), revision.to_owned());
        let release = Self { namespace, plane, rollout, routing, stable, canary };
        release.scale(revision, REPLICAS).await?;
        for service in ["web-stable", "web-canary"] {
            release.select(service, revision).await?;
        }
        release.route(&Split::new(100, 0)).await?;
        release.has_pods("web-stable", REPLICAS).await?;
        Ok(release)
    }

    /// A new revision with one pod, which these steps send requests to.
    pub(crate) async fn begin(&mut self, revision: &str, header: Value, mirror: Option<Value>) -> Result<()> {
        self.canary = revision.to_owned();
        self.scale(revision, 1).await?;
        self.select("web-canary", revision).await?;
        self.has_pods("web-canary", 1).await?;
        let mut split = self.split(0);
        split.header_routes.push(serde_json::from_value(header)?);
        if let Some(mirror) = mirror {
            split.mirror_routes.push(serde_json::from_value(mirror)?);
        }
        self.route(&split).await?;
        route_of_testers(self.plane).await
    }

    /// Pods first, then the weight.
    pub(crate) async fn shift(&mut self, percent: u32) -> Result<()> {
        let pods = (i64::from(percent) * REPLICAS + 99) / 100;
        self.scale(&self.canary, pods).await?;
        self.has_pods("web-canary", pods).await?;
        self.route(&self.split(percent)).await?;
        weight(self.plane, percent).await
    }

    /// The weight first, then the pods.
    pub(crate) async fn abort(&mut self) -> Result<()> {
        self.route(&self.split(0)).await?;
        weight(self.plane, 0).await?;
        self.scale(&self.canary, 0).await
    }

    /// The new revision is the stable one.
    pub(crate) async fn promote(&mut self) -> Result<()> {
        self.select("web-stable", &self.canary).await?;
        self.has_pods("web-stable", REPLICAS).await?;
        self.route(&self.split(0)).await?;
        weight(self.plane, 0).await?;
        let old = std::mem::replace(&mut self.stable, self.canary.clone());
        self.scale(&old, 0).await
    }

    fn split(&self, percent: u32) -> Split {
        let mut split = Split::new(100, percent.into());
        split.version.clone_from(&self.canary);
        split
    }

    async fn scale(&self, revision: &str, replicas: i64) -> Result<()> {
        let mut template = self.rollout["spec"]["template"].clone();
        template["metadata"]["labels"][HASH_LABEL] = revision.into();
        let labels = template["metadata"]["labels"].clone();
        let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": format!("web-{revision}")}, "spec": spec});
        apply(self.namespace, &set).await.map(drop)
    }

    async fn select(&self, service: &str, revision: &str) -> Result<()> {
        let patch = json!({"spec": {"selector": {HASH_LABEL: revision}}});
        self.namespace.patch(Kind::SERVICE, service, &patch).await.map(drop)
    }

    async fn has_pods(&self, service: &str, count: i64) -> Result<()> {
        let revision = if service == "web-canary" { &self.canary } else { &self.stable };
        pods_of(self.plane, service, revision, usize::try_from(count)?).await
    }

    async fn route(&self, split: &Split) -> Result<()> {
        let mut objects = Objects::default();
        for name in self.routing.needs().objects {
            let seen = match self.read(&name).await? {
                Some(object) => Seen::There(Arc::new(object)),
                None => Seen::Absent,
            };
            objects.insert(name, seen);
        }
        let wanted = edits(split, &self.routing, &objects);
        ensure!(wanted.problems.is_empty(), "{:?}", wanted.problems);
        for edit in &wanted.edits {
            self.write(edit).await?;
        }
        Ok(())
    }

    async fn read(&self, name: &ObjectRef) -> Result<Option<Value>> {
        let version = name.kind.versions()[0];
        let kind = Kind { group: name.kind.group(), version, kind: name.kind.as_str() };
        let found = self.namespace.api(kind).get_opt(&name.name).await?;
        Ok(found.map(serde_json::to_value).transpose()?)
    }

    async fn write(&self, edit: &Edit) -> Result<()> {
        let (prefix, object) = (edit.target.api_prefix(), &edit.target.object);
        let all = format!("{prefix}/namespaces/{}/{}", object.namespace, object.kind.plural());
        let one = format!("{all}/{}?fieldManager={FIELD_MANAGER}", object.name);
        let request = match &edit.action {
            Action::Create(created) => Request::post(format!("{all}?fieldManager={FIELD_MANAGER}"))
                .header("content-type", "application/json")
                .body(Body::from(serde_json::to_vec(created)?))?,
            Action::JsonPatch(operations) => {
                Request::patch(one).header("content-type", "application/json-patch+json").body(Body::from(
                    serde_json::to_vec(&operations.iter().map(Operation::to_json).collect::<Vec<_>>())?,
                ))?
            }
            Action::Delete { .. } => Request::delete(one).body(Body::empty())?,
        };
        let answer = self.namespace.cluster.client.send(request).await?;
        let status = answer.status();
        ensure!(status.is_success(), "{object}: {status} {:?}", answer.into_body().collect_bytes().await);
        Ok(())
    }
}
