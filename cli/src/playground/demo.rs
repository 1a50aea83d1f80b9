//! The demo: a web shop behind an Ingress, released by a Rollout, and shoppers.

use anyhow::{Context as _, ensure};
use serde_json::Value;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::dataplane::{Entry, Flow};

/// The flow of shoppers, as the record calls it.
pub(super) const SHOPPERS: &str = "shoppers";

const MANIFESTS: &str = include_str!("demo.yaml");

/// Registers the kinds that Sluice serves.
pub(super) fn install_crds(cluster: &mut Cluster) -> anyhow::Result<()> {
    for crd in sluice_crds::schema::crds() {
        create(cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd)?;
    }
    Ok(())
}

/// Sets up the shop and lets the shoppers in.
pub(super) fn install(cluster: &mut Cluster) -> anyhow::Result<()> {
    let manifests: Vec<Value> = serde_saphyr::from_multiple(MANIFESTS).context("reading the demo's manifests")?;
    for manifest in &manifests {
        create(cluster, &collection_of(manifest)?, manifest)?;
    }
    let now = cluster.now();
    cluster.plane_mut().send(Flow::get(SHOPPERS, Entry::Ingress, "shop.example", 50), now);
    Ok(())
}

fn collection_of(manifest: &Value) -> anyhow::Result<String> {
    let (kind, version) = (manifest["kind"].as_str().unwrap_or(""), manifest["apiVersion"].as_str().unwrap_or(""));
    let plural = match kind {
        "AnalysisTemplate" => "analysistemplates",
        "Ingress" => "ingresses",
        "Rollout" => "rollouts",
        "Service" => "services",
        other => anyhow::bail!("the demo has no place for a {other}"),
    };
    let root = if version == "v1" { "/api".to_owned() } else { "/apis".to_owned() };
    Ok(format!("{root}/{version}/namespaces/default/{plural}"))
}

fn create(cluster: &mut Cluster, path: &str, object: &Value) -> anyhow::Result<()> {
    let answer = cluster.handle(&Request::post(path, object).as_user(User::admin()));
    ensure!(
        answer.status == 201,
        "the cluster refused {}: {}",
        object["metadata"]["name"],
        answer.json_body()["message"]
    );
    Ok(())
}
