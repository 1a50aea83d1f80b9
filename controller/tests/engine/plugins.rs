//! Steps that a plugin carries out, called by the real controller.

use std::time::Duration;

use serde_json::{Value, json};

use crate::providers::Plugin;
use crate::support::Shop;

fn steps() -> Value {
    json!([{"setWeight": 25}, {"plugin": {"name": "team/checks", "config": {"limit": 3}}}, {"pause": {}}])
}

/// A release at the step of the plugin.
async fn at_the_plugin(shop: &Shop, answers: &[Plugin]) {
    shop.deploy_with_steps("web", 4, &steps());
    shop.until_phase("web", "Healthy").await;
    shop.providers().plugin_answers(answers);
    shop.set_image("web", "app:2");
    shop.until("the plugin has begun", |shop| !statuses(shop).is_null()).await;
}

fn statuses(shop: &Shop) -> Value {
    shop.rollout("web")["status"]["canary"]["stepPluginStatuses"].clone()
}

/// The keys of the calls since this was last asked.
fn keys(shop: &Shop) -> Vec<String> {
    let asked = shop.providers().take_asked();
    let key = |headers: &[(String, String)]| headers.iter().find(|(name, _)| name == "idempotency-key").cloned();
    asked.iter().filter_map(|request| Some(key(&request.headers)?.1)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_fails_to_answer_runs_and_is_done_lets_the_release_go_on() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let said = [
        Plugin::Answers(500, "out of order"),
        Plugin::Answers(200, "<html>"),
        Plugin::Answers(200, r#"{"phase": "Running", "message": "1 of 2", "status": {"seen": 1}}"#),
        Plugin::Answers(200, r#"{"phase": "Successful"}"#),
    ];
    at_the_plugin(&shop, &said).await;
    shop.until("it says why", |shop| {
        let why = shop.rollout("web")["status"]["why"].as_str().unwrap_or_default().to_owned();
        why.contains("waiting for plugin team/checks, which says Error: answered with status 500: out of order")
    })
    .await;
    shop.until("it goes on", |shop| shop.rollout("web")["status"]["currentStepIndex"] == 2).await;
    let status = &statuses(&shop)[0];
    assert_eq!((&status["phase"], &status["executions"]), (&json!("Successful"), &json!(4)));
    let keys = keys(&shop);
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_between_the_call_and_its_answer_makes_the_same_call_again() {
    let shop = Shop::open();
    let running = shop.controller("a");
    at_the_plugin(&shop, &[Plugin::Silent]).await;
    shop.pass(Duration::from_secs(2)).await;
    let before = keys(&shop);
    running.kill().await;
    shop.providers().plugin_answers(&[Plugin::Answers(200, r#"{"phase": "Successful"}"#)]);
    let running = shop.controller("b");
    shop.until("it goes on", |shop| shop.rollout("web")["status"]["currentStepIndex"] == 2).await;
    assert_eq!((before.len(), keys(&shop)), (1, before));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_plugin_holds_nobody_else_up_and_an_abort_tells_it() {
    let shop = Shop::open();
    let running = shop.controller("a");
    at_the_plugin(&shop, &[Plugin::Silent]).await;
    shop.deploy("api", 1);
    shop.until_phase("api", "Healthy").await;
    shop.until("it is tried again", |shop| statuses(shop)[0]["executions"] == 2).await;
    assert_eq!(statuses(&shop)[0]["message"], "no answer within 10s");
    shop.providers().plugin_answers(&[Plugin::Answers(200, r#"{"phase": "Successful"}"#)]);
    shop.wish("web", &json!({"abort": true}));
    shop.until("it is told", |shop| statuses(shop)[1]["phase"] == "Successful").await;
    assert_eq!(statuses(&shop)[1]["operation"], "Abort");
    assert_eq!(shop.rollout("web")["status"]["phase"], "Degraded");
    running.stop().await;
}
