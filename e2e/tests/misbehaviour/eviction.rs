//! Pods that have to leave their node.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use sluice_e2e::{History, Kind, Namespace, eventually, in_namespace, sight};
use std::time::Duration;

const WEB: (Kind, &str) = (Kind::DEPLOYMENT, "web");

async fn create_deployment(namespace: &Namespace, replicas: u32) -> Result<()> {
    let yaml = format!(
        "{{metadata: {{name: web}}, spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: web}}}},
           template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: main, image: 'shop/web:1'}}]}}}}}}}}"
    );
    namespace.create_from(Kind::DEPLOYMENT, &yaml).await?;
    available(namespace, replicas).await
}

async fn available(namespace: &Namespace, replicas: u32) -> Result<()> {
    let holds = |deployment: &Value| {
        ensure!(deployment["status"]["availableReplicas"] == replicas, "{}", deployment["status"]);
        Ok(())
    };
    namespace.wait_for(WEB, &format!("{replicas} pods are available"), holds).await?;
    Ok(())
}

#[tokio::test]
async fn an_eviction_is_refused_by_a_disruption_budget_until_there_is_room() -> Result<()> {
    in_namespace("evict-budget", async |namespace| {
        create_deployment(namespace, 2).await?;
        let budget = "{metadata: {name: web}, spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}";
        namespace.create_from(Kind::DISRUPTION_BUDGET, budget).await?;
        let allows = |count: i64| {
            move |budget: &Value| {
                let observed = budget["status"]["observedGeneration"].is_i64();
                ensure!(observed && budget["status"]["disruptionsAllowed"] == count, "{}", budget["status"]);
                Ok(())
            }
        };
        namespace.wait_for((Kind::DISRUPTION_BUDGET, "web"), "no disruption is allowed", allows(0)).await?;
        let victim = namespace.list(Kind::POD).await?.swap_remove(0);
        match namespace.evict(sight::name(&victim)).await {
            Err(kube::Error::Api(status)) => ensure!(status.code == 429, "{status:?}"),
            other => bail!("the eviction was not refused: {other:?}"),
        }

        namespace.patch(Kind::DEPLOYMENT, "web", &json!({"spec": {"replicas": 3}})).await?;
        namespace.wait_for((Kind::DISRUPTION_BUDGET, "web"), "one disruption is allowed", allows(1)).await?;
        let history = History::of(namespace, Kind::POD).await?;
        namespace.evict(sight::name(&victim)).await?;
        namespace.wait_until_gone(Kind::POD, sight::name(&victim)).await?;
        let target = |pod: &Value| match sight::condition(pod, "DisruptionTarget") {
            Some(target) => format!("{} {}", sight::name(pod), target["reason"]),
            None => String::new(),
        };
        let expected = format!("{} \"EvictionByEvictionAPI\"", sight::name(&victim));
        history.shows(&[&expected], target).await?;
        available(namespace, 3).await
    })
    .await
}

#[tokio::test]
async fn a_pod_evicted_by_its_node_stays_as_failed_and_is_replaced() -> Result<()> {
    in_namespace("evict-node", async |namespace| {
        create_deployment(namespace, 1).await?;
        let victim = namespace.list(Kind::POD).await?.swap_remove(0);
        let name = sight::name(&victim);
        namespace.annotate_pod(name, "evict-after", "0s").await?;
        let evicted = |pod: &Value| {
            ensure!(pod["status"]["phase"] == "Failed", "{}", pod["status"]["phase"]);
            ensure!(pod["status"]["reason"] == "Evicted", "{}", pod["status"]["reason"]);
            let target = sight::condition(pod, "DisruptionTarget").map(|target| &target["reason"]);
            ensure!(target.is_some_and(|reason| reason == "TerminationByKubelet"), "{target:?}");
            Ok(())
        };
        namespace.wait_for((Kind::POD, name), "the pod is evicted", evicted).await?;
        eventually(Duration::from_secs(60), "another pod is ready in its place", async || {
            let pods = namespace.list(Kind::POD).await?;
            ensure!(pods.iter().any(sight::is_ready), "{:?}", pods.iter().map(sight::status).collect::<Vec<_>>());
            Ok(())
        })
        .await?;
        Ok(())
    })
    .await
}
