//! Deployments roll on the real control plane, with the kubelet model for nodes.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sluice_e2e::{History, Kind, Namespace, in_namespace, sight};

const WEB: (Kind, &str) = (Kind::DEPLOYMENT, "web");

fn deployment(replicas: u32) -> String {
    format!(
        "{{metadata: {{name: web}}, spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: web}}}},
           template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: main, image: 'shop/web:1'}}]}}}}}}}}"
    )
}

fn new_image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

/// Every pod is of the newest template, available, and no other is left.
fn has_rolled_out(deployment: &Value) -> Result<()> {
    let (wanted, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
    let counts = [&status["replicas"], &status["updatedReplicas"], &status["availableReplicas"]];
    ensure!(status["observedGeneration"] == deployment["metadata"]["generation"], "not observed yet");
    ensure!(counts.iter().all(|count| *count == wanted), "{status}");
    Ok(())
}

/// Creates it, rolls it, and says how long both took.
async fn comes_up_and_rolls(namespace: &Namespace, replicas: u32) -> Result<()> {
    let began = Instant::now();
    namespace.create_from(Kind::DEPLOYMENT, &deployment(replicas)).await?;
    namespace.wait_for(WEB, "the deployment is available", has_rolled_out).await?;
    let up = began.elapsed();
    let began = Instant::now();
    namespace.patch(Kind::DEPLOYMENT, "web", &new_image("shop/web:2")).await?;
    namespace.wait_for(WEB, "the deployment has rolled", has_rolled_out).await?;
    eprintln!("a deployment of {replicas}: available in {up:?}, rolled in {:?}", began.elapsed());

    let sets = namespace.list(Kind::REPLICA_SET).await?;
    let sizes: Vec<(Value, Value)> = sets
        .iter()
        .map(|set| (set["spec"]["template"]["spec"]["containers"][0]["image"].clone(), set["spec"]["replicas"].clone()))
        .collect();
    ensure!(sizes.len() == 2, "{sizes:?}");
    ensure!(sizes.contains(&(json!("shop/web:1"), json!(0))), "{sizes:?}");
    ensure!(sizes.contains(&(json!("shop/web:2"), json!(replicas))), "{sizes:?}");
    Ok(())
}

#[tokio::test]
async fn a_deployment_of_five_rolls() -> Result<()> {
    in_namespace("roll-five", async |namespace| comes_up_and_rolls(namespace, 5).await).await
}

#[tokio::test]
async fn a_deployment_of_a_hundred_rolls() -> Result<()> {
    in_namespace("roll-hundred", async |namespace| comes_up_and_rolls(namespace, 100).await).await
}

#[tokio::test]
async fn a_roll_to_a_missing_image_leaves_the_old_pods_serving() -> Result<()> {
    in_namespace("roll-missing", async |namespace| {
        namespace.create_from(Kind::DEPLOYMENT, &deployment(4)).await?;
        namespace.wait_for(WEB, "the deployment is available", has_rolled_out).await?;
        let mut patch = new_image("shop/web:does-not-exist");
        patch["spec"]["progressDeadlineSeconds"] = json!(2);
        namespace.patch(Kind::DEPLOYMENT, "web", &patch).await?;
        let given_up = |deployment: &Value| {
            let progressing = sight::condition(deployment, "Progressing").map(|condition| &condition["reason"]);
            ensure!(progressing == Some(&json!("ProgressDeadlineExceeded")), "{progressing:?}");
            // A quarter of four may be unavailable.
            ensure!(deployment["status"]["availableReplicas"] == 3, "{}", deployment["status"]);
            Ok(())
        };
        namespace.wait_for(WEB, "the roll is given up", given_up).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn min_ready_seconds_count_from_the_ready_condition() -> Result<()> {
    in_namespace("min-ready", async |namespace| {
        let history = History::of(namespace, Kind::DEPLOYMENT).await?;
        let slow = deployment(2).replacen("spec: {", "spec: {minReadySeconds: 4, ", 1);
        namespace.create_from(Kind::DEPLOYMENT, &slow).await?;
        let counts = |deployment: &Value| {
            let status = &deployment["status"];
            format!("{} ready, {} available", status["readyReplicas"], status["availableReplicas"])
        };
        history.shows(&["2 ready, null available", "2 ready, 2 available"], counts).await
    })
    .await
}
