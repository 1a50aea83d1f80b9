//! Nodes that go away and come back.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sluice_e2e::{Kind, Namespace, eventually, in_namespace, sight};
use std::time::Duration;

/// A Deployment whose pods run on this test's own nodes and leave a lost node at once.
fn deployment(namespace: &Namespace, replicas: u32) -> String {
    let toleration = "{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 0}";
    format!(
        "{{metadata: {{name: web}}, spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: web}}}},
           template: {{metadata: {{labels: {{app: web}}}}, spec: {{nodeSelector: {{test: {}}}, tolerations: [{toleration}],
           containers: [{{name: main, image: 'shop/web:1'}}]}}}}}}}}",
        namespace.name
    )
}

/// Runs a test on this many nodes of its own, which go afterwards.
async fn on_own_nodes(
    namespace: &Namespace,
    count: usize,
    test: impl AsyncFnOnce(&[String]) -> Result<()>,
) -> Result<()> {
    let nodes: Vec<String> = (1..=count).map(|i| format!("{}-{i}", namespace.name)).collect();
    for node in &nodes {
        namespace.cluster.create_node(node, ("test", &namespace.name)).await?;
    }
    let outcome = test(&nodes).await;
    for node in &nodes {
        namespace.cluster.delete_node(node).await?;
    }
    outcome
}

async fn available(namespace: &Namespace, replicas: u32) -> Result<()> {
    let holds = |deployment: &Value| {
        ensure!(deployment["status"]["availableReplicas"] == replicas, "{}", deployment["status"]);
        Ok(())
    };
    namespace.wait_for((Kind::DEPLOYMENT, "web"), &format!("{replicas} pods are available"), holds).await?;
    Ok(())
}

fn node_of(pod: &Value) -> &str {
    pod["spec"]["nodeName"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn pods_of_a_lost_node_are_not_ready_until_it_comes_back() -> Result<()> {
    in_namespace("node-silent", async |namespace| {
        on_own_nodes(namespace, 1, async |nodes| {
            let pod = format!(
                "{{metadata: {{name: web}}, spec: {{nodeSelector: {{test: {}}}, containers: [{{name: main, image: 'shop/web:1'}}]}}}}",
                namespace.name
            );
            namespace.create_from(Kind::POD, &pod).await?;
            let is_ready = |expected: bool| {
                move |pod: &Value| {
                    ensure!(sight::is_ready(pod) == expected, "{:?}", sight::condition(pod, "Ready"));
                    Ok(())
                }
            };
            let before = namespace.wait_for((Kind::POD, "web"), "the pod is ready", is_ready(true)).await?;
            namespace.cluster.lose_node(&nodes[0], true).await?;
            let lost = namespace.wait_for((Kind::POD, "web"), "the pod is not ready", is_ready(false)).await?;
            ensure!(sight::status(&lost) == "Running", "{}", sight::status(&lost));
            ensure!(sight::container(&lost)["ready"] == true, "a silent kubelet says nothing new");
            let node = namespace.cluster.node(&nodes[0]).await?;
            let ready = sight::condition(&node, "Ready").context("the node has a Ready condition")?;
            ensure!(ready["status"] == "Unknown", "{ready}");

            namespace.cluster.lose_node(&nodes[0], false).await?;
            let back = namespace.wait_for((Kind::POD, "web"), "the pod is ready again", is_ready(true)).await?;
            ensure!(back["metadata"]["uid"] == before["metadata"]["uid"], "it is the same pod");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn pods_of_a_lost_node_are_replaced_elsewhere_and_linger_until_it_comes_back() -> Result<()> {
    in_namespace("node-lost", async |namespace| {
        on_own_nodes(namespace, 2, async |nodes| {
            namespace.create_from(Kind::DEPLOYMENT, &deployment(namespace, 4)).await?;
            available(namespace, 4).await?;
            let pods = namespace.list(Kind::POD).await?;
            ensure!(nodes.iter().all(|node| pods.iter().any(|pod| node_of(pod) == node)), "pods are on both nodes");

            namespace.cluster.lose_node(&nodes[0], true).await?;
            let on_lost = async |deleted: bool| {
                let pods = namespace.list(Kind::POD).await?;
                let is_deleted = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
                let count = pods.iter().filter(|pod| node_of(pod) == nodes[0] && is_deleted(pod) == deleted).count();
                anyhow::Ok(count)
            };
            eventually(Duration::from_secs(60), "the lost node's pods are being deleted", async || {
                let (deleted, kept) = (on_lost(true).await?, on_lost(false).await?);
                ensure!(deleted > 0 && kept == 0, "{deleted} deleted, {kept} not");
                Ok(())
            })
            .await?;
            available(namespace, 4).await?;
            ensure!(on_lost(true).await? > 0, "nobody on the lost node ends its pods");

            namespace.cluster.lose_node(&nodes[0], false).await?;
            eventually(Duration::from_secs(60), "the kubelet that is back ends its pods", async || {
                let left = on_lost(true).await?;
                ensure!(left == 0, "{left} are left");
                Ok(())
            })
            .await
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_cordoned_node_takes_no_new_pods() -> Result<()> {
    in_namespace("node-cordoned", async |namespace| {
        on_own_nodes(namespace, 2, async |nodes| {
            namespace.cluster.cordon(&nodes[0]).await?;
            namespace.create_from(Kind::DEPLOYMENT, &deployment(namespace, 3)).await?;
            available(namespace, 3).await?;
            let pods = namespace.list(Kind::POD).await?;
            let places: Vec<Value> = pods.iter().map(|pod| json!(node_of(pod))).collect();
            ensure!(places.iter().all(|node| *node == nodes[1]), "{places:?}");
            Ok(())
        })
        .await
    })
    .await
}
