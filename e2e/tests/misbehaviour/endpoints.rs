//! Which pods a Service sends traffic to.

use anyhow::{Result, ensure};
use serde_json::Value;
use sluice_e2e::{Kind, Namespace, eventually, in_namespace};
use std::time::Duration;

use crate::{create_pod, create_pod_with};

const SERVICE: &str = "{metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}";

/// Waits until the Service's only endpoint is in these conditions: `ready`, `serving` and `terminating`.
async fn endpoint_is(namespace: &Namespace, ready: bool, serving: bool, terminating: bool) -> Result<Value> {
    let expected = format!("an endpoint that is ready={ready} serving={serving} terminating={terminating}");
    eventually(Duration::from_secs(30), &expected, async || {
        let slices = namespace.list(Kind::ENDPOINT_SLICE).await?;
        let endpoints: Vec<Value> =
            slices.iter().flat_map(|slice| slice["endpoints"].as_array().cloned().unwrap_or_default()).collect();
        ensure!(endpoints.len() == 1, "{} endpoints", endpoints.len());
        let conditions = &endpoints[0]["conditions"];
        let as_expected = conditions["ready"] == ready
            && conditions["serving"] == serving
            && conditions["terminating"] == terminating;
        ensure!(as_expected, "{conditions}");
        Ok(endpoints[0].clone())
    })
    .await
}

#[tokio::test]
async fn an_unready_pod_leaves_the_endpoints_and_comes_back() -> Result<()> {
    in_namespace("endpoints", async |namespace| {
        namespace.create_from(Kind::SERVICE, SERVICE).await?;
        create_pod(namespace, "ports: [{containerPort: 80}]").await?;
        let endpoint = endpoint_is(namespace, true, true, false).await?;
        let pod = namespace.get(Kind::POD, "web").await?;
        ensure!(endpoint["addresses"][0] == pod["status"]["podIP"], "{endpoint}");

        namespace.annotate_pod("web", "unready-after", "0s").await?;
        endpoint_is(namespace, false, false, false).await?;
        namespace.annotate_pod("web", "unready-after", "1h").await?;
        endpoint_is(namespace, true, true, false).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_terminating_pod_still_serves_but_is_no_longer_chosen() -> Result<()> {
    in_namespace("terminating", async |namespace| {
        namespace.create_from(Kind::SERVICE, SERVICE).await?;
        // It goes on until somebody has seen it.
        create_pod_with(namespace, "shutdown-after: never", "terminationGracePeriodSeconds: 600,", "ports: []").await?;
        endpoint_is(namespace, true, true, false).await?;
        namespace.delete(Kind::POD, "web").await?;
        endpoint_is(namespace, false, true, true).await?;
        namespace.annotate_pod("web", "crash-after", "0s").await?;
        namespace.wait_until_gone(Kind::POD, "web").await
    })
    .await
}
