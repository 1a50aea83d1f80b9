//! The cluster that the controller works in, and how it gets there.

use std::path::Path;

use anyhow::anyhow;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

pub(crate) struct Cluster {
    pub(crate) client: Client,
    /// As the log names it.
    pub(crate) server: String,
    pub(crate) namespace: String,
    /// Whether the controller runs in a pod of that cluster.
    pub(crate) inside: bool,
}

impl Cluster {
    /// The kubeconfig that is named; else the account of the pod; else the kubeconfig that kubectl would take.
    pub(crate) async fn find(kubeconfig: Option<&Path>, namespace: Option<&str>) -> anyhow::Result<Self> {
        let inside = kubeconfig.is_none() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let mut config = match kubeconfig {
            Some(path) => {
                // The client's errors tell their causes already.
                let read = Kubeconfig::read_from(path).map_err(|problem| anyhow!("--kubeconfig: {problem}"))?;
                Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
                    .await
                    .map_err(|problem| anyhow!("--kubeconfig {}: {problem}", path.display()))?
            }
            None if inside => Config::incluster().map_err(|problem| anyhow!("the account of this pod: {problem}"))?,
            None => Config::from_kubeconfig(&KubeConfigOptions::default())
                .await
                .map_err(|problem| anyhow!("the default kubeconfig (--kubeconfig names another one): {problem}"))?,
        };
        // Retries are the queue's decision, and a lease must not be renewed late.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let namespace = namespace.map_or_else(|| config.default_namespace.clone(), str::to_owned);
        let client = Client::try_from(config).map_err(|problem| anyhow!("the client for {server}: {problem}"))?;
        Ok(Self { client, server, namespace, inside })
    }
}
