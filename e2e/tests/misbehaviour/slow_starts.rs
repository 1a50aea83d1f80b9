//! Pods that take their time to become ready.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use sluice_e2e::{History, Kind, in_namespace, sight};

use crate::{POD, create_pod, create_pod_with};

fn status_and_readiness(pod: &Value) -> String {
    format!("{} ready={}", sight::status(pod), sight::is_ready(pod))
}

/// Whole seconds from the container's start to the pod's readiness, as the status tells them.
fn seconds_to_ready(pod: &Value) -> Result<i64> {
    let moment = |value: &Value| -> Result<Timestamp> {
        Ok(value.as_str().with_context(|| format!("{value} is no moment"))?.parse()?)
    };
    let started = moment(&sight::container(pod)["state"]["running"]["startedAt"])?;
    let ready = sight::condition(pod, "Ready").context("no Ready condition")?;
    Ok(moment(&ready["lastTransitionTime"])?.duration_since(started).as_secs())
}

#[tokio::test]
async fn readiness_comes_after_the_probes_delay_and_threshold() -> Result<()> {
    in_namespace("probe-delay", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        let probe =
            "readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: 1, periodSeconds: 1, successThreshold: 2}";
        create_pod(namespace, probe).await?;
        history.shows(&["Running ready=false", "Running ready=true"], status_and_readiness).await?;
        let pod = namespace.get(Kind::POD, "web").await?;
        ensure!(seconds_to_ready(&pod)? == 2, "{}", pod["status"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn readiness_waits_for_the_startup_probe() -> Result<()> {
    in_namespace("startup", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        let probe = "startupProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 30}";
        create_pod_with(namespace, "started-after: 1500ms", "", probe).await?;
        let started = |pod: &Value| {
            let container = sight::container(pod);
            format!("started={} ready={}", container["started"], container["ready"])
        };
        history.shows(&["started=false ready=false", "started=true ready=true"], started).await?;
        ensure!(seconds_to_ready(&namespace.get(Kind::POD, "web").await?)? == 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_post_start_hook_delays_the_start() -> Result<()> {
    in_namespace("post-start", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "lifecycle: {postStart: {exec: {command: [sleep, '1']}}}").await?;
        history.shows(&["ContainerCreating ready=false", "Running ready=true"], status_and_readiness).await?;
        ensure!(seconds_to_ready(&namespace.get(Kind::POD, "web").await?)? == 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn init_containers_come_first() -> Result<()> {
    in_namespace("init", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        let init = "initContainers: [{name: wait, image: busybox, command: [sleep, '1']}],";
        create_pod_with(namespace, "", init, "ports: []").await?;
        history.shows(&["PodInitializing ready=false", "Running ready=true"], status_and_readiness).await?;
        let pod = namespace.get(Kind::POD, "web").await?;
        let wait = &pod["status"]["initContainerStatuses"][0];
        ensure!(wait["state"]["terminated"]["reason"] == "Completed", "{wait}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_readiness_gate_that_somebody_else_sets_decides() -> Result<()> {
    in_namespace("gate", async |namespace| {
        let gates = "readinessGates: [{conditionType: example.com/in-rotation}],";
        create_pod_with(namespace, "", gates, "ports: []").await?;
        let waits = |pod: &Value| {
            let ready = sight::condition(pod, "Ready").context("no Ready condition")?;
            ensure!(ready["reason"] == "ReadinessGatesNotReady", "{ready}");
            ensure!(sight::condition(pod, "ContainersReady").is_some_and(|c| c["status"] == "True"), "{pod}");
            Ok(())
        };
        namespace.wait_for(POD, "the pod waits for its gate", waits).await?;
        for (gate, ready) in [("True", true), ("False", false)] {
            let condition = json!({"type": "example.com/in-rotation", "status": gate, "lastTransitionTime": "2026-01-01T00:00:00Z"});
            let patch = Patch::Strategic(json!({"status": {"conditions": [condition]}}));
            namespace.api(Kind::POD).patch_status("web", &PatchParams::default(), &patch).await?;
            let follows = |pod: &Value| {
                ensure!(sight::is_ready(pod) == ready, "{:?}", sight::condition(pod, "Ready"));
                Ok(())
            };
            namespace.wait_for(POD, &format!("with the gate {gate}, ready is {ready}"), follows).await?;
        }
        Ok(())
    })
    .await
}
