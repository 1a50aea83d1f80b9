//! Releases under load: a real control plane, real proxies and pods that really answer. No request fails, and each
//! revision answers as many as its weight says.

mod example;
mod release;
mod served;
mod under_load;

use anyhow::{Context as _, Result, ensure};
use sluice_e2e::dataplane::DataPlane;
use sluice_e2e::scenario::{Account, Controller, Reach};
use sluice_e2e::{Namespace, crds, in_namespace};

use example::Way;
use release::Release;
use under_load::{Between, UnderLoad, anybody, returning, tester};

/// Requests at each weight; with those in between a release under load has 50,000.
const AT_EACH_WEIGHT: u64 = 4_500;
const AT_LEAST: u64 = 50_000;
const SAMPLE: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_serves_a_release_and_an_abort_without_a_failed_request() -> Result<()> {
    released(Way::Nginx, "traffic-nginx").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_serves_a_release_and_an_abort_by_a_virtual_service_without_a_failed_request() -> Result<()> {
    released(Way::Istio, "traffic-istio").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_serves_a_release_and_an_abort_by_an_http_route_without_a_failed_request() -> Result<()> {
    released(Way::GatewayApi, "traffic-gateway").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_serves_a_release_and_an_abort_by_subsets_without_a_failed_request() -> Result<()> {
    released(Way::IstioSubsets, "traffic-subsets").await
}

async fn released(way: Way, purpose: &str) -> Result<()> {
    in_namespace(purpose, async |namespace| {
        crds::install(&namespace.cluster.client).await?;
        crds::install_routers(&namespace.cluster.client).await?;
        let controller = Controller::start(&namespace.name, Reach::Namespace, Account::Admin)?;
        let outcome = released_under_load(way, namespace).await;
        outcome.with_context(|| controller.last_words())?;
        controller.stop().await
    })
    .await
}

async fn released_under_load(way: Way, namespace: &Namespace) -> Result<()> {
    let plane = DataPlane::start(namespace, way.router()).await?;
    let release = Release::first(namespace, &plane, way).await?;
    let mut load = UnderLoad::begin(namespace, &plane);
    aborted(&release, &mut load, way).await.context("while a release is aborted at 50 %")?;
    completed(&release, &mut load).await.context("while a release is completed")?;
    load.loses_a_pod(&way.stable(), SAMPLE).await.context("while a pod is killed")?;
    let answered = load.end().await?;
    ensure!(answered >= AT_LEAST, "only {answered} requests were answered");
    Ok(())
}

/// Testers first, with copies of some requests where the router can make them; then 5, 10, 25 and 50 %, where the
/// example says so with those who were there before; and back.
async fn aborted(release: &Release<'_>, load: &mut UnderLoad<'_>, way: Way) -> Result<()> {
    let between = Between { old: &release.stable().await?, new: &release.begin("web:2.0").await? };
    load.divide(SAMPLE, anybody(), between, 0).await?;
    load.divide(SAMPLE, tester(), between, 100).await?;
    if way.copies() {
        load.copies(&way.canary(), between, SAMPLE).await?;
    }
    for percent in [5, 10, 25, 50] {
        release.shift(percent).await?;
        load.divide(AT_EACH_WEIGHT, anybody(), between, percent).await?;
        if way.is_sticky() {
            load.divide(SAMPLE, returning(between.new), between, 100).await?;
        }
    }
    release.abort().await?;
    load.divide(AT_EACH_WEIGHT, anybody(), between, 0).await?;
    load.divide(SAMPLE, tester(), between, 0).await
}

async fn completed(release: &Release<'_>, load: &mut UnderLoad<'_>) -> Result<()> {
    let between = Between { old: &release.stable().await?, new: &release.begin("web:3.0").await? };
    load.divide(SAMPLE, tester(), between, 100).await?;
    for percent in [5, 10, 25, 50, 75, 100] {
        release.shift(percent).await?;
        load.divide(AT_EACH_WEIGHT, anybody(), between, percent).await?;
    }
    release.complete().await?;
    load.divide(AT_EACH_WEIGHT, anybody(), between, 100).await
}
