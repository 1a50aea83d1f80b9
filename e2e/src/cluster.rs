//! The way into the control plane that the tests run on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use serde_json::Value;

use crate::eventually::eventually;
use crate::kubelets;

/// A client for the control plane of this kubeconfig. Requests are not repeated behind the caller's back.
pub async fn connect(kubeconfig: &Path) -> Result<Client> {
    // Installed already if this process has connected before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let contents =
        Kubeconfig::read_from(kubeconfig).with_context(|| format!("reading kubeconfig {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(contents, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

/// The kinds that tests deal in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
}

impl Kind {
    pub const POD: Self = Self::core("Pod");
    pub const NODE: Self = Self::core("Node");
    pub const NAMESPACE: Self = Self::core("Namespace");
    pub const SERVICE: Self = Self::core("Service");
    pub const SERVICE_ACCOUNT: Self = Self::core("ServiceAccount");
    pub const EVENT: Self = Self::core("Event");
    pub const DEPLOYMENT: Self = Self { group: "apps", version: "v1", kind: "Deployment" };
    pub const REPLICA_SET: Self = Self { group: "apps", version: "v1", kind: "ReplicaSet" };
    pub const JOB: Self = Self { group: "batch", version: "v1", kind: "Job" };
    pub const DISRUPTION_BUDGET: Self = Self { group: "policy", version: "v1", kind: "PodDisruptionBudget" };
    pub const ENDPOINT_SLICE: Self = Self { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice" };

    pub const INGRESS: Self = Self { group: "networking.k8s.io", version: "v1", kind: "Ingress" };
    pub const VIRTUAL_SERVICE: Self = Self { group: "networking.istio.io", version: "v1", kind: "VirtualService" };
    pub const DESTINATION_RULE: Self = Self { group: "networking.istio.io", version: "v1", kind: "DestinationRule" };
    pub const HTTP_ROUTE: Self = Self { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute" };

    pub const ROLLOUT: Self = Self::served("Rollout");
    pub const ANALYSIS_TEMPLATE: Self = Self::served("AnalysisTemplate");
    pub const ANALYSIS_RUN: Self = Self::served("AnalysisRun");

    const fn served(kind: &'static str) -> Self {
        Self { group: "argoproj.io", version: "v1alpha1", kind }
    }

    const fn core(kind: &'static str) -> Self {
        Self { group: "", version: "v1", kind }
    }

    pub(crate) fn resource(self) -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk(self.group, self.version, self.kind))
    }
}

/// The whole control plane: objects without a namespace.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
}

impl Cluster {
    /// The control plane that `cargo xtask e2e` started, with at least one node that takes pods.
    pub async fn of_this_run() -> Result<Self> {
        let Some(kubeconfig) = std::env::var_os("SLUICE_KUBECONFIG").filter(|path| !path.is_empty()) else {
            bail!("SLUICE_KUBECONFIG names no control plane; run these tests with: cargo xtask e2e");
        };
        let cluster = Self { client: connect(Path::new(&kubeconfig)).await? };
        let (label, value) = kubelets::MODEL_LABEL;
        let models = ListParams::default().labels(&format!("{label}={value}"));
        eventually(Duration::from_secs(60), "a node of the kubelet model takes pods", async || {
            let nodes = cluster.nodes().list(&models).await?;
            let takes_pods = |node: &DynamicObject| node.data["spec"]["taints"].is_null();
            ensure!(nodes.iter().any(takes_pods), "{} nodes, none without taints", nodes.items.len());
            Ok(())
        })
        .await?;
        Ok(cluster)
    }

    /// A node of this test alone, with a label for `nodeSelector`; the running kubelet model adopts it.
    pub async fn create_node(&self, name: &str, label: (&str, &str)) -> Result<()> {
        let object = kubelets::node_object(name, &[label]);
        self.nodes().create(&PostParams::default(), &serde_json::from_value(object)?).await?;
        eventually(Duration::from_secs(30), &format!("node {name} takes pods"), async || {
            let node = self.node(name).await?;
            ensure!(node["spec"].get("taints").is_none(), "{}", node["spec"]);
            Ok(())
        })
        .await
    }

    pub async fn node(&self, name: &str) -> Result<Value> {
        Ok(serde_json::to_value(self.nodes().get(name).await?)?)
    }

    /// The node's kubelet stops reporting, or reports again.
    pub async fn lose_node(&self, name: &str, lost: bool) -> Result<()> {
        let value = lost.then_some("true");
        let patch = serde_json::json!({"metadata": {"annotations": {kubelets::LOST_ANNOTATION: value}}});
        self.nodes().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// As `kubectl cordon` does.
    pub async fn cordon(&self, name: &str) -> Result<()> {
        let patch = Patch::Merge(serde_json::json!({"spec": {"unschedulable": true}}));
        self.nodes().patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    pub async fn delete_node(&self, name: &str) -> Result<()> {
        self.nodes().delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    fn nodes(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &Kind::NODE.resource())
    }
}
