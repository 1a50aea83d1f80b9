//! Jobs whose container runs `sleep N && exit C`.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sluice_e2e::{Kind, Namespace, in_namespace, sight};

async fn create_job(namespace: &Namespace, policy: &str, script: &str) -> Result<()> {
    let yaml = format!(
        "{{metadata: {{name: check}}, spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: {policy},
           containers: [{{name: main, image: busybox, command: [sh, -c, '{script}']}}]}}}}}}}}"
    );
    namespace.create_from(Kind::JOB, &yaml).await?;
    Ok(())
}

/// Waits until the Job has this condition; the Job then.
async fn job_is(namespace: &Namespace, kind: &str) -> Result<Value> {
    let has = |job: &Value| {
        let condition = sight::condition(job, kind).with_context(|| job["status"].to_string())?;
        ensure!(condition["status"] == "True", "{condition}");
        Ok(())
    };
    namespace.wait_for((Kind::JOB, "check"), &format!("the job is {kind}"), has).await
}

async fn only_pod(namespace: &Namespace) -> Result<Value> {
    let mut pods = namespace.list(Kind::POD).await?;
    ensure!(pods.len() == 1, "{} pods", pods.len());
    pods.pop().context("one pod")
}

#[tokio::test]
async fn a_job_whose_container_succeeds_completes() -> Result<()> {
    in_namespace("job-ok", async |namespace| {
        create_job(namespace, "Never", "sleep 1 && exit 0").await?;
        let job = job_is(namespace, "Complete").await?;
        ensure!(job["status"]["succeeded"] == 1, "{}", job["status"]);
        let pod = only_pod(namespace).await?;
        ensure!(pod["status"]["phase"] == "Succeeded", "{}", pod["status"]);
        ensure!(sight::status(&pod) == "Completed", "{}", pod["status"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_job_whose_container_fails_is_failed() -> Result<()> {
    in_namespace("job-fails", async |namespace| {
        create_job(namespace, "Never", "sleep 1 && exit 7").await?;
        let job = job_is(namespace, "Failed").await?;
        let reason = sight::condition(&job, "Failed").map(|failed| &failed["reason"]);
        ensure!(reason.is_some_and(|reason| reason == "BackoffLimitExceeded"), "{reason:?}");
        let pod = only_pod(namespace).await?;
        ensure!(pod["status"]["phase"] == "Failed", "{}", pod["status"]);
        ensure!(sight::container(&pod)["state"]["terminated"]["exitCode"] == 7, "{}", pod["status"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_job_that_restarts_its_container_fails_after_its_limit() -> Result<()> {
    in_namespace("job-restarts", async |namespace| {
        create_job(namespace, "OnFailure", "exit 1").await?;
        let job = job_is(namespace, "Failed").await?;
        ensure!(job["status"]["failed"] == 1, "{}", job["status"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_job_takes_its_running_pod_along() -> Result<()> {
    in_namespace("job-deleted", async |namespace| {
        create_job(namespace, "Never", "sleep infinity").await?;
        let active = |job: &Value| {
            ensure!(job["status"]["ready"] == 1, "{}", job["status"]);
            Ok(())
        };
        namespace.wait_for((Kind::JOB, "check"), "the job runs", active).await?;
        let pod = only_pod(namespace).await?;
        let background = kube::api::DeleteParams::background();
        namespace.api(Kind::JOB).delete("check", &background).await?;
        namespace.wait_until_gone(Kind::POD, sight::name(&pod)).await
    })
    .await
}
