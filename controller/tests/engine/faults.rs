//! What goes wrong between a controller and the cluster, and within.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use sluice_controller::Pages;
use sluice_planner::{Action, Plan, Snapshot};
use sluice_sandbox::api::request::Request;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{REPLICA_SETS, Replica, Shop};

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
async fn an_outage_of_two_minutes_shows_in_readiness_and_metrics_and_passes() {
    let shop = Shop::open();
    let (pages, addresses) = pages().await;
    let running = shop.serving("a", pages);
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    assert_eq!(ask(addresses.health, "/readyz").await.0, 200);
    running.go_down();
    shop.pass(Duration::from_secs(120)).await;
    let (status, why) = ask(addresses.health, "/readyz").await;
    assert!(status == 503 && why.contains("the watch of Rollout has been broken for"), "{status} {why}");
    assert_eq!(ask(addresses.health, "/livez").await.0, 200, "a restart would not mend it");
    let page = ask(addresses.metrics, "/metrics").await.1;
    for gone in ["sluice_leading 1", r#"sluice_watch_broken_seconds{kind="Rollout"} 0"#] {
        assert!(!page.lines().any(|line| line == gone), "{page}");
    }
    running.come_back();
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    // The last of the watches has come back, too.
    shop.pass(Duration::from_secs(15)).await;
    assert_eq!(ask(addresses.health, "/readyz").await.0, 200);
    let page = ask(addresses.metrics, "/metrics").await.1;
    for back in ["sluice_leading 1", r#"sluice_watch_broken_seconds{kind="Rollout"} 0"#] {
        assert!(page.lines().any(|line| line == back), "{page}");
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn watches_that_break_every_other_second_hold_no_release_and_ask_for_little() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    running.take_sent();
    shop.set_image("web", "app:2");
    for _ in 0..60 {
        running.flap();
        shop.pass(Duration::from_secs(2)).await;
    }
    assert_eq!(shop.rollout("web")["status"]["phase"], "Paused");
    assert_eq!(shop.scaled_up(), [1, 3]);
    let asked = running.take_sent().iter().filter(|request| request.method == "GET").count();
    assert!(asked <= 560, "{asked} requests for nine watches that broke sixty times");
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
    let running = shop.replica(&Replica { decide: panics_at_bad, ..Replica::named("a") });
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

pub(crate) struct Addresses {
    pub(crate) health: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

pub(crate) async fn pages() -> (Pages, Addresses) {
    let [health, metrics] = [free_port().await, free_port().await];
    let address = |listener: &TcpListener| listener.local_addr().expect("an address");
    let addresses = Addresses { health: address(&health), metrics: address(&metrics) };
    (Pages { health: Some(health), metrics: Some(metrics) }, addresses)
}

async fn free_port() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free")
}

/// Status and body of a page. The network is real, so time is too for as long.
pub(crate) async fn ask(address: SocketAddr, path: &str) -> (u16, String) {
    tokio::time::resume();
    let stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.writable().await.expect("a stream");
    assert_eq!(stream.try_write(request.as_bytes()).expect("a small request"), request.len());
    loop {
        stream.readable().await.expect("a stream");
        match stream.try_read_buf(&mut answer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(problem) => assert_eq!(problem.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    tokio::time::pause();
    let answer = String::from_utf8(answer).expect("text");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer)
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
    let running = shop.replica(&Replica { decide: against_the_policy, ..Replica::named("a") });
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
