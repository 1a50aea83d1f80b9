//! A release from its first pods to its end.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::line::Sent;
use crate::support::{ROLLOUTS, Running, Shop};

#[tokio::test(start_paused = true)]
async fn a_first_deploy_becomes_healthy_and_then_nothing_is_written_any_more() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    let status = shop.until_phase("web", "Healthy").await;
    assert_eq!(status["availableReplicas"], 4, "{status:#}");
    assert_eq!(shop.scaled_up(), [4]);
    running.stop().await;
    let running = shop.controller("b");
    shop.pass(Duration::from_secs(30)).await;
    let before = shop.rollout("web")["metadata"]["resourceVersion"].clone();
    shop.pass(Duration::from_secs(3_600)).await;
    assert_eq!(shop.rollout("web")["metadata"]["resourceVersion"], before, "an hour of rest wrote something");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_waits_at_its_pause_and_goes_on_when_it_is_promoted() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    shop.set_image("web", "app:2");
    let status = shop.until_phase("web", "Paused").await;
    assert_eq!(status["message"], "CanaryPauseStep", "{status:#}");
    assert_eq!(shop.scaled_up(), [1, 3]);
    shop.wish("web", &json!({"pauseConditions": null}));
    let status = shop.until_phase("web", "Healthy").await;
    assert_eq!(status["stableRS"], status["currentPodHash"]);
    assert_eq!(shop.scaled_up(), [4]);
    shop.pass(Duration::from_secs(5)).await;
    let mut reasons = shop.event_reasons("web");
    reasons.dedup();
    assert_eq!(
        reasons,
        [
            "RolloutAddedToInformer",
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "RolloutNotCompleted",
            "ScalingReplicaSet",
            "RolloutCompleted",
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "RolloutNotCompleted",
            "ScalingReplicaSet",
            "RolloutStepCompleted",
            "RolloutPaused",
            "RolloutStepCompleted",
            "RolloutResumed",
            "ScalingReplicaSet",
            "RolloutCompleted",
        ]
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_abort_returns_to_the_stable_version_and_a_retry_starts_again() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.wish("web", &json!({"abort": true}));
    let status = shop.until_phase("web", "Degraded").await;
    assert!(status["message"].as_str().is_some_and(|text| text.starts_with("RolloutAborted")), "{status:#}");
    shop.until("only stable pods are left", |shop| shop.scaled_up() == [4]).await;
    shop.wish("web", &json!({"abort": false}));
    shop.until_phase("web", "Paused").await;
    assert_eq!(shop.scaled_up(), [1, 3]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_four_step_canary_takes_at_most_twenty_requests_without_its_events() {
    let shop = Shop::open();
    let running = shop.controller("a");
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": 10}}, {"setWeight": 60}, {"pause": {"duration": 10}}]);
    shop.deploy_with_steps("web", 5, &steps);
    shop.until_phase("web", "Healthy").await;
    shop.pass(Duration::from_secs(60)).await;
    running.take_sent();
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.until_phase("web", "Healthy").await;
    shop.pass(Duration::from_secs(60)).await;
    let sent = running.take_sent();
    // Watches begin anew every few minutes, whatever happens.
    let counted = sent.iter().filter(|request| !request.path.contains("/events") && request.method != "GET").count();
    assert!((1..=20).contains(&counted), "{counted} requests: {sent:#?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_lists_nothing() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    running.take_sent();
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.wish("web", &json!({"pauseConditions": null}));
    shop.until_phase("web", "Healthy").await;
    let sent = running.take_sent();
    let lists = |sent: &&Sent| sent.method == "GET" && !sent.query.contains("watch=true");
    assert_eq!(sent.iter().filter(lists).count(), 0, "{sent:#?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_controllers_with_different_instance_ids_share_a_cluster() {
    let shop = Shop::open();
    let (plain, blue) = (shop.controller("plain"), shop.instance("blue", "blue"));
    shop.deploy("web", 2);
    shop.deploy_for_instance("shop", 3, "blue");
    shop.until_phase("web", "Healthy").await;
    shop.until_phase("shop", "Healthy").await;
    let wrote = |running: &Running, name: &str| {
        let sent = running.take_sent();
        assert!(!sent.is_empty());
        sent.iter().all(|request| request.method == "GET" || !request.path.contains(name))
    };
    assert!(wrote(&plain, "/shop"), "the controller without an id wrote what has one");
    assert!(wrote(&blue, "/web"), "a controller with an id wrote what has none");
    assert_eq!(shop.instances_of_replica_sets(), [("shop".to_owned(), json!("blue")), ("web".to_owned(), json!(null))]);
    plain.stop().await;
    blue.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_history_names_who_asked_for_each_end() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    let as_manager = |path: &str, manager: &str, change: &Value| {
        let path = format!("{ROLLOUTS}/web{path}?fieldManager={manager}");
        shop.ask(Request::patch(&path, "application/merge-patch+json", change));
    };
    let template = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}});
    as_manager("", "set-image", &template);
    shop.until_phase("web", "Paused").await;
    as_manager("/status", "alice", &json!({"status": {"abort": true}}));
    let status = shop.until_phase("web", "Degraded").await;
    let end = &status["history"][0];
    assert_eq!([&end["result"], &end["revision"], &end["who"]], [&json!("Aborted"), &json!(2), &json!("alice")]);
    running.stop().await;
}
