//! The cluster that the controller works in, and how it gets there.

use std::path::Path;

use anyhow::Context as _;
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
                let read = Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
                Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
                    .await
                    .with_context(|| format!("using {}", path.display()))?
            }
            None if inside => Config::incluster().context("using the account of this pod")?,
            None => Config::from_kubeconfig(&KubeConfigOptions::default())
                .await
                .context("using the default kubeconfig; name another one with --kubeconfig")?,
        };
        // Retries are the queue's decision, and a lease must not be renewed late.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let namespace = namespace.map_or_else(|| config.default_namespace.clone(), str::to_owned);
        let client = Client::try_from(config).with_context(|| format!("setting up the client for {server}"))?;
        Ok(Self { client, server, namespace, inside })
    }
}
