//! Running cases on both sides at once.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use kube::Client;

use super::compare::{Difference, compare};
use super::{Case, run};
use crate::eventually::eventually;

/// So many cases at once: the real server has work enough then.
const AT_ONCE: usize = 12;

/// Every check of these cases by name, and those that differ; in the order of the cases.
///
/// # Errors
/// When a namespace can't be made on one of the sides.
pub async fn run_all(
    real: &Client,
    sandbox: &Client,
    cases: &[Case],
    name: &str,
) -> anyhow::Result<Vec<(String, Option<Difference>)>> {
    let outcomes: Vec<anyhow::Result<Vec<_>>> = stream::iter(cases.iter().enumerate())
        .map(async |(index, case)| {
            // The same on both sides, so that texts that sort or shorten it are the same too.
            let namespace = format!("{name}-{index}");
            let (in_real, in_sandbox) =
                futures::try_join!(on_one_side(real, case, &namespace), on_one_side(sandbox, case, &namespace))?;
            Ok(compare(case, &in_real, &in_sandbox, &namespace))
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    for index in 0..cases.len() {
        let path = format!("/api/v1/namespaces/{name}-{index}");
        let request = http::Request::delete(path).body(kube::client::Body::empty())?;
        real.send(request).await.context("deleting the namespace of a case")?;
    }
    Ok(outcomes.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

async fn on_one_side(client: &Client, case: &Case, namespace: &str) -> anyhow::Result<Vec<super::Answer>> {
    let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let request = http::Request::post("/api/v1/namespaces").header("content-type", "application/json");
    let made = client.send(request.body(body.to_string().into_bytes().into())?).await?;
    ensure!(made.status().is_success(), "creating namespace {namespace}: {}", made.status());
    for given in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
        let path = format!("/api/v1/namespaces/{namespace}/{given}");
        eventually(Duration::from_secs(30), &format!("{namespace} has {given}"), async || {
            let answer = client.send(http::Request::get(&path).body(kube::client::Body::empty())?).await?;
            ensure!(answer.status().is_success(), "{}", answer.status());
            Ok(())
        })
        .await?;
    }
    Ok(run(client, case, namespace).await)
}
