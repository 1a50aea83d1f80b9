//! Containers that exit, can't start, or fail their liveness probe.

use anyhow::{Result, ensure};
use serde_json::Value;
use sluice_e2e::{History, Kind, Namespace, eventually, in_namespace, sight};
use std::time::Duration;

use crate::{POD, create_pod, create_pod_with};

fn status_and_restarts(pod: &Value) -> String {
    format!("{} {}", sight::status(pod), sight::container(pod)["restartCount"])
}

/// Waits for an event on the pod with this reason whose message contains `words`.
async fn event_tells(namespace: &Namespace, reason: &str, words: &str) -> Result<Value> {
    eventually(Duration::from_secs(30), &format!("an event {reason}: {words}"), async || {
        let events = namespace.list(Kind::EVENT).await?;
        let told: Vec<String> = events.iter().map(|e| format!("{}: {}", e["reason"], e["message"])).collect();
        let found = events.into_iter().find(|event| {
            event["reason"] == reason && event["message"].as_str().is_some_and(|message| message.contains(words))
        });
        found.ok_or_else(|| anyhow::anyhow!("{told:?}"))
    })
    .await
}

/// On a busy machine the kubelet comes late and short states pass unseen; in a loop they come again.
#[tokio::test]
async fn a_container_that_exits_is_restarted_with_growing_back_off() -> Result<()> {
    in_namespace("crash-loop", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "command: [sh, -c, exit 3]").await?;
        history.shows(&["Error", "CrashLoopBackOff", "Error", "CrashLoopBackOff"], sight::status).await?;
        history.shows(&["CrashLoopBackOff 2", "CrashLoopBackOff 3"], status_and_restarts).await?;
        let waits = history.told(|pod| {
            let message = sight::container(pod)["state"]["waiting"]["message"].as_str()?;
            message.split(' ').nth(1).map(str::to_owned)
        });
        ensure!(waits.ends_with(&["2s".into(), "4s".into()]), "{waits:?}");
        let codes = history.told(|pod| {
            let code = sight::container(pod)["lastState"]["terminated"]["exitCode"].as_i64()?;
            Some(code.to_string())
        });
        ensure!(codes == ["3"], "{codes:?}");
        event_tells(namespace, "BackOff", "Back-off restarting failed container main").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_command_that_does_not_exist_never_starts() -> Result<()> {
    in_namespace("no-command", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "command: [/bin/does-not-exist]").await?;
        history.shows(&["RunContainerError", "CrashLoopBackOff", "RunContainerError"], sight::status).await?;
        let restarts = history.told(|pod| Some(sight::container(pod)["restartCount"].to_string()));
        ensure!(restarts.len() > 2, "{restarts:?}");
        let reasons =
            history.told(|pod| sight::container(pod)["lastState"]["terminated"]["reason"].as_str().map(str::to_owned));
        ensure!(reasons == ["StartError"], "{reasons:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_crash_takes_readiness_away_until_the_restart() -> Result<()> {
    in_namespace("crash-ready", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        create_pod(namespace, "command: [sh, -c, sleep 1 && exit 1]").await?;
        let readiness = |pod: &Value| format!("{} ready={}", sight::status(pod), sight::is_ready(pod));
        history.shows(&["Running ready=true", "Error ready=false", "Running ready=true"], readiness).await
    })
    .await
}

#[tokio::test]
async fn a_scripted_crash_can_be_ordered_while_the_pod_runs() -> Result<()> {
    in_namespace("crash-order", async |namespace| {
        create_pod(namespace, "ports: []").await?;
        let ready = |pod: &Value| {
            ensure!(sight::is_ready(pod), "{}", sight::status(pod));
            Ok(())
        };
        namespace.wait_for(POD, "the pod is ready", ready).await?;
        namespace.annotate_pod("web", "crash-after", "0s").await?;
        namespace
            .wait_for(POD, "the container was restarted", |pod| {
                let restarts = &sight::container(pod)["restartCount"];
                ensure!(restarts.as_i64() > Some(0), "{restarts}");
                Ok(())
            })
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_failing_liveness_probe_restarts_the_container() -> Result<()> {
    in_namespace("liveness", async |namespace| {
        let history = History::of(namespace, Kind::POD).await?;
        let probe = "livenessProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 2}";
        create_pod_with(namespace, "unhealthy-after: 1s", "", probe).await?;
        history.shows(&["Running 0", "Running 1"], status_and_restarts).await?;
        event_tells(namespace, "Unhealthy", "Liveness probe failed").await?;
        event_tells(namespace, "Killing", "failed liveness probe, will be restarted").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mistake_in_a_behaviour_annotation_is_an_event_on_the_pod() -> Result<()> {
    in_namespace("annotation", async |namespace| {
        create_pod_with(namespace, "ready-after: soon", "", "ports: []").await?;
        let event = event_tells(namespace, "InvalidSandboxAnnotation", "\"soon\" is not a duration").await?;
        ensure!(event["type"] == "Warning", "{event}");
        ensure!(event["involvedObject"]["name"] == "web", "{event}");
        Ok(())
    })
    .await
}
