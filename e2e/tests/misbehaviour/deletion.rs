//! Graceful deletion.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::Value;
use sluice_e2e::{History, Kind, Namespace, in_namespace, sight};

use crate::{POD, create_pod, create_pod_with};

async fn is_ready(namespace: &Namespace) -> Result<()> {
    let ready = |pod: &Value| {
        ensure!(sight::is_ready(pod), "{}", sight::status(pod));
        Ok(())
    };
    namespace.wait_for(POD, "the pod is ready", ready).await?;
    Ok(())
}

/// Deletes the pod once it is ready, and waits until it is gone.
async fn live_and_die(namespace: &Namespace) -> Result<()> {
    is_ready(namespace).await?;
    namespace.delete(Kind::POD, "web").await?;
    namespace.wait_until_gone(Kind::POD, "web").await
}

fn status_and_exit(pod: &Value) -> String {
    let exit = &sight::container(pod)["state"]["terminated"]["exitCode"];
    format!("{} exit={exit}", sight::status(pod))
}

#[tokio::test]
async fn a_pre_stop_hook_delays_the_end_of_a_deleted_pod() -> Result<()> {
    in_namespace("pre-stop", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "lifecycle: {preStop: {sleep: {seconds: 2}}}").await?;
        live_and_die(namespace).await?;
        history.shows(&["Running exit=null", "Terminating exit=null", "Terminating exit=0"], status_and_exit).await?;

        let moments = history.told(|pod| {
            let ended = sight::container(pod)["state"]["terminated"]["finishedAt"].as_str()?;
            let deadline = pod["metadata"]["deletionTimestamp"].as_str()?;
            Some(format!("{ended} {deadline}"))
        });
        let (ended, deadline) = moments.first().and_then(|both| both.split_once(' ')).context("no end was seen")?;
        let (ended, deadline): (Timestamp, Timestamp) = (ended.parse()?, deadline.parse()?);
        // Asked for 30 s before the deadline, it took the two of the hook at least.
        let left = deadline.duration_since(ended).as_secs();
        ensure!(left <= 28, "{left}s of the grace period were left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed_at_the_end_of_the_grace_period() -> Result<()> {
    in_namespace("sigkill", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        let stubborn = "command: [sh, -c, \"trap '' TERM; sleep 600\"]";
        create_pod_with(namespace, "", "terminationGracePeriodSeconds: 1,", stubborn).await?;
        live_and_die(namespace).await?;
        history.shows(&["Running exit=null", "Terminating exit=null", "Terminating exit=137"], status_and_exit).await
    })
    .await
}

#[tokio::test]
async fn a_pod_that_never_ran_goes_at_once() -> Result<()> {
    in_namespace("never-ran", async |namespace| {
        create_pod(namespace, "image: 'shop/web:missing'").await?;
        let pulling = |pod: &Value| {
            ensure!(sight::status(pod).contains("ImagePull"), "{}", sight::status(pod));
            Ok(())
        };
        namespace.wait_for(POD, "the image is missing", pulling).await?;
        namespace.delete(Kind::POD, "web").await?;
        namespace.wait_until_gone(Kind::POD, "web").await
    })
    .await
}

#[tokio::test]
async fn a_finalizer_holds_a_pod_that_has_ended() -> Result<()> {
    in_namespace("finalizer", async |namespace| {
        create_pod(namespace, "ports: []").await?;
        is_ready(namespace).await?;
        let hold = serde_json::json!({"metadata": {"finalizers": ["example.com/hold"]}});
        namespace.patch(Kind::POD, "web", &hold).await?;
        namespace.delete(Kind::POD, "web").await?;
        let ended = |pod: &Value| {
            ensure!(pod["metadata"]["deletionGracePeriodSeconds"] == 0, "{}", pod["metadata"]);
            ensure!(pod["status"]["phase"] == "Succeeded", "{}", pod["status"]);
            Ok(())
        };
        namespace.wait_for(POD, "the pod has ended and is held", ended).await?;
        namespace.patch(Kind::POD, "web", &serde_json::json!({"metadata": {"finalizers": null}})).await?;
        namespace.wait_until_gone(Kind::POD, "web").await
    })
    .await
}
