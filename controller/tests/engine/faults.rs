//! What goes wrong between a controller and the cluster, and within.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_planner::{Action, Plan, Snapshot};
use sluice_sandbox::api::request::Request;

use crate::support::{REPLICA_SETS, Shop};

#[tokio::test(start_paused = true)]
async fn a_replica_set_that_vanishes_while_the_watch_is_broken_is_made_again() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 2);
    shop.until_phase("web", "Healthy").await;
    let before = only_replica_set(&shop);
    running.go_down();
    let name = before["metadata"]["name"].as_str().expect("a name");
    shop.ask(Request::delete(&format!("{REPLICA_SETS}/{name}")));
    shop.pass(Duration::from_secs(1)).await;
    shop.forget_the_past();
    running.come_back();
    shop.until("the ReplicaSet is there again", |shop| shop.scaled_up() == [2]).await;
    assert_ne!(only_replica_set(&shop)["metadata"]["uid"], before["metadata"]["uid"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_of_the_api_server_the_release_goes_on() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    running.go_down();
    shop.set_image("web", "app:2");
    shop.pass(Duration::from_secs(300)).await;
    assert_eq!(shop.scaled_up(), [4]);
    shop.forget_the_past();
    running.come_back();
    shop.until_phase("web", "Paused").await;
    assert_eq!(shop.scaled_up(), [1, 3]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_lags_behind_our_own_writes_makes_none_of_them_twice() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    shop.pass(Duration::from_secs(5)).await;
    running.take_sent();
    running.lag(Duration::from_secs(3));
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.pass(Duration::from_secs(60)).await;
    let sent = running.take_sent();
    let refused: Vec<_> = sent.iter().filter(|request| request.status >= 400).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(shop.scaled_up(), [1, 3]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_rollouts_pass_leaves_the_others_working() {
    fn panics_at_bad(snapshot: &Snapshot, now: jiff::Timestamp) -> Plan {
        assert!(snapshot.rollout.metadata.name.as_deref() != Some("bad"), "a bug");
        sluice_planner::plan(snapshot, now)
    }
    let shop = Shop::open();
    let running = shop.controller_that("a", panics_at_bad);
    shop.deploy("bad", 1);
    shop.deploy("good", 2);
    shop.until_phase("good", "Healthy").await;
    shop.pass(Duration::from_secs(60)).await;
    assert_eq!(shop.rollout("bad")["status"], Value::Null);
    shop.set_image("good", "app:2");
    shop.until_phase("good", "Paused").await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_replica_set_that_has_the_name_already_is_left_alone_and_another_name_is_taken() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 2);
    shop.until_phase("web", "Healthy").await;
    let name = only_replica_set(&shop)["metadata"]["name"].clone();
    running.stop().await;

    let shop = Shop::open();
    let labels = json!({"app": "foreign"});
    let foreign = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "foreign:1"}]},
        }},
    });
    shop.ask(Request::post(REPLICA_SETS, &foreign));
    let before = only_replica_set(&shop)["metadata"]["generation"].clone();
    let running = shop.controller("a");
    shop.deploy("web", 2);
    let status = shop.until_phase("web", "Healthy").await;
    assert_eq!(status["collisionCount"], 1, "{status:#}");
    let untouched = shop.ask(Request::get(&format!("{REPLICA_SETS}/{}", name.as_str().expect("a name"))));
    assert_eq!(
        (&untouched["metadata"]["generation"], &untouched["metadata"]["ownerReferences"]),
        (&before, &Value::Null)
    );
    running.stop().await;
}

fn only_replica_set(shop: &Shop) -> Value {
    shop.ask(Request::get(REPLICA_SETS))["items"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_that_the_server_refuses_is_said_in_the_status_and_made_when_it_may_be() {
    static REFUSED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    /// As a policy does that allows no ReplicaSet without some label.
    fn against_the_policy(snapshot: &Snapshot, now: jiff::Timestamp) -> Plan {
        let mut plan = sluice_planner::plan(snapshot, now);
        for write in &mut plan.writes {
            if let (Action::Create(object), true) =
                (&mut write.action, REFUSED.load(std::sync::atomic::Ordering::SeqCst))
            {
                object["spec"]["selector"] = json!({"matchLabels": {"app": "of nobody"}});
            }
        }
        plan
    }
    let shop = Shop::open();
    let running = shop.controller_that("a", against_the_policy);
    shop.deploy("web", 2);
    let progressing = |shop: &Shop| {
        let conditions = shop.rollout("web")["status"]["conditions"].clone();
        let mut conditions = conditions.as_array().into_iter().flatten();
        conditions.find(|condition| condition["type"] == "Progressing").cloned().unwrap_or_default()
    };
    shop.until("the refusal is said", |shop| progressing(shop)["reason"] == "ReplicaSetCreateError").await;
    let why = shop.rollout("web")["status"]["why"].clone();
    assert!(why.as_str().is_some_and(|why| why.starts_with("stuck: Failed to create ReplicaSet \"web-")), "{why}");
    let version = shop.rollout("web")["metadata"]["resourceVersion"].clone();
    shop.pass(Duration::from_secs(60)).await;
    assert_eq!(shop.rollout("web")["metadata"]["resourceVersion"], version, "said once");
    REFUSED.store(false, std::sync::atomic::Ordering::SeqCst);
    shop.until_phase("web", "Healthy").await;
    assert_eq!(progressing(&shop)["reason"], "NewReplicaSetAvailable");
    running.stop().await;
}
