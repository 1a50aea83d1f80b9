//! Runs the kubelet model beside a control plane, so that its pods come to life.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use sluice_e2e::kubelets::{self, Settings};
use sluice_sandbox::kubelet::Options;

/// Stands in for the kubelets of a cluster: registers nodes, and gives every pod on them the life that its manifest
/// describes. Runs until it is stopped.
#[derive(Parser)]
struct Arguments {
    /// The cluster to serve.
    #[arg(long, env = "SLUICE_KUBECONFIG")]
    kubeconfig: PathBuf,
    /// How many nodes to register; more can be made at any time by creating Node objects with the label
    /// `sandbox.sluice.dev/kubelet=model`.
    #[arg(long, default_value_t = 3)]
    nodes: u16,
    /// How many times shorter than a kubelet's its own waits are (crash and pull back-off). What manifests ask for
    /// keeps its length.
    #[arg(long, default_value_t = 10)]
    faster: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = sluice_e2e::connect(&arguments.kubeconfig).await?;
    let options = Options::default().faster(arguments.faster);
    kubelets::run(client, Settings { nodes: arguments.nodes, options }).await
}
