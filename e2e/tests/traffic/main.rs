//! Releases under load: a real control plane, real proxies and pods that really answer. No request fails, and each
//! revision answers as many as its weight says.

mod by_hand;
mod example;
mod served;
mod under_load;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sluice_e2e::dataplane::{DataPlane, Router};
use sluice_e2e::{crds, in_namespace};

use by_hand::Release;
use under_load::{Between, UnderLoad, anybody, tester};

/// Requests at each weight; with those in between a release under load has 50,000.
const AT_EACH_WEIGHT: u64 = 4_500;
const AT_LEAST: u64 = 50_000;
const SAMPLE: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_serves_a_release_and_an_abort_without_a_failed_request() -> Result<()> {
    released(Router::Nginx, "traffic-nginx").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_serves_a_release_and_an_abort_by_a_virtual_service_without_a_failed_request() -> Result<()> {
    released(Router::Istio, "traffic-istio").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_serves_a_release_and_an_abort_by_an_http_route_without_a_failed_request() -> Result<()> {
    released(Router::GatewayApi, "traffic-gateway").await
}

async fn released(router: Router, purpose: &str) -> Result<()> {
    in_namespace(purpose, async |namespace| {
        crds::install(&namespace.cluster.client).await?;
        crds::install_routers(&namespace.cluster.client).await?;
        let plane = DataPlane::start(namespace, router).await?;
        let objects = example::objects(router, &namespace.name)?;
        let mut release = Release::first(namespace, &plane, &objects, "one").await?;
        let mut load = UnderLoad::begin(namespace, &plane);
        aborted(&mut release, &mut load, router).await.context("while a release is aborted at 50 %")?;
        completed(&mut release, &mut load).await.context("while a release is completed")?;
        let answered = load.end().await?;
        ensure!(answered >= AT_LEAST, "only {answered} requests were answered");
        Ok(())
    })
    .await
}

/// Testers first, with copies of some requests where the router can make them; then 5, 10, 25 and 50 %; and back.
async fn aborted(release: &mut Release<'_>, load: &mut UnderLoad<'_>, router: Router) -> Result<()> {
    let between = Between { old: "one", new: "two" };
    let copies = router != Router::Nginx;
    release.begin("two", testers(), copies.then(shadow)).await?;
    load.divide(SAMPLE, anybody(), between, 0).await?;
    load.divide(SAMPLE, tester(), between, 100).await?;
    if copies {
        load.copies(between, SAMPLE).await?;
    }
    for percent in [5, 10, 25, 50] {
        release.shift(percent).await?;
        load.divide(AT_EACH_WEIGHT, anybody(), between, percent).await?;
    }
    release.abort().await?;
    load.divide(AT_EACH_WEIGHT, anybody(), between, 0).await
}

async fn completed(release: &mut Release<'_>, load: &mut UnderLoad<'_>) -> Result<()> {
    let between = Between { old: "one", new: "three" };
    release.begin("three", testers(), None).await?;
    load.divide(SAMPLE, tester(), between, 100).await?;
    for percent in [5, 10, 25, 50, 75, 100] {
        release.shift(percent).await?;
        load.divide(AT_EACH_WEIGHT, anybody(), between, percent).await?;
    }
    release.promote().await?;
    load.divide(AT_EACH_WEIGHT, anybody(), between, 100).await?;
    load.loses_a_pod(SAMPLE).await
}

fn testers() -> Value {
    json!({"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]})
}

fn shadow() -> Value {
    json!({"name": "shadow", "match": [{"path": {"prefix": "/copied"}}], "percentage": 100})
}
