//! What is done to single pods: a refusal is no failure.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::{ROLLOUTS, Running, Shop};

const PODS: &str = "/api/v1/namespaces/default/pods";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const MERGE: &str = "application/merge-patch+json";

fn pods(shop: &Shop) -> Vec<Value> {
    shop.ask(Request::get(PODS))["items"].as_array().cloned().unwrap_or_default()
}

fn change(shop: &Shop, spec: &Value) {
    shop.ask(Request::patch(&format!("{ROLLOUTS}/web"), MERGE, &json!({ "spec": spec })));
}

/// Asks for a restart of the pods that are there now.
async fn restart(shop: &Shop) -> String {
    shop.pass(Duration::from_secs(30)).await;
    let created =
        pods(shop).iter().filter_map(|pod| pod["metadata"]["creationTimestamp"].as_str().map(str::to_owned)).max();
    let last: jiff::Timestamp = created.expect("pods").parse().expect("a time");
    let at = (last + jiff::SignedDuration::from_secs(10)).to_string();
    change(shop, &json!({"restartAt": at}));
    at
}

fn evictions(running: &Running) -> Vec<u16> {
    let sent = running.take_sent();
    sent.iter().filter(|request| request.path.ends_with("/eviction")).map(|request| request.status).collect()
}

#[tokio::test(start_paused = true)]
async fn each_pod_is_evicted_once_however_late_the_watches_are() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    running.lag(Duration::from_millis(700));
    let at = restart(&shop).await;
    shop.until("all pods are restarted", |shop| shop.rollout("web")["status"]["restartedAt"] == at.as_str()).await;
    assert_eq!(evictions(&running), [201, 201, 201, 201]);
    let young = |pod: &Value| pod["metadata"]["creationTimestamp"].as_str() >= Some(at.as_str());
    assert!(pods(&shop).iter().all(young));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_disruption_budget_delays_a_restart_and_is_named_while_the_release_goes_on() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "at-least-all", "namespace": "default"},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}},
    });
    shop.ask(Request::post(BUDGETS, &budget));
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    let at = restart(&shop).await;
    shop.pass(Duration::from_secs(90)).await;
    let asked = evictions(&running);
    assert!((2..=6).contains(&asked.len()) && asked.iter().all(|status| *status == 429), "{asked:?}");
    let status = shop.rollout("web")["status"].clone();
    assert_eq!((&status["phase"], &status["message"]), (&json!("Progressing"), &json!("rollout is restarting")));
    let told = shop.ask(Request::get("/api/v1/namespaces/default/events"));
    let told = told["items"].as_array().into_iter().flatten().find(|event| event["reason"] == "PodEvictionPostponed");
    let message = told.expect("an event")["message"].as_str().expect("a text").to_owned();
    assert!(message.contains("The disruption budget at-least-all needs 4 healthy pods"), "{message}");
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.ask(Request::patch(&format!("{BUDGETS}/at-least-all"), MERGE, &json!({"spec": {"maxUnavailable": 1}})));
    shop.until("all pods are restarted", |shop| shop.rollout("web")["status"]["restartedAt"] == at.as_str()).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn pods_get_the_metadata_of_their_role_and_then_nothing_is_written() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 30);
    shop.until_phase("web", "Healthy").await;
    change(&shop, &json!({"strategy": {"canary": {"stableMetadata": {"labels": {"role": "stable"}}}}}));
    let labelled = |shop: &Shop| pods(shop).iter().filter(|pod| pod["metadata"]["labels"]["role"] == "stable").count();
    shop.until("every pod has the label", |shop| labelled(shop) == 30).await;
    shop.pass(Duration::from_secs(5)).await;
    running.take_sent();
    shop.pass(Duration::from_secs(300)).await;
    let writes: Vec<_> = running.take_sent().into_iter().filter(|request| request.method != "GET").collect();
    assert!(writes.is_empty(), "{writes:?}");
    running.stop().await;
}
