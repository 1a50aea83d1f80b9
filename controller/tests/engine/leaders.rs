//! One of several replicas writes; the others know the cluster and wait.

use std::time::Duration;

use serde_json::json;

use crate::support::Shop;

#[tokio::test(start_paused = true)]
async fn the_next_replica_takes_over_at_once_when_the_leader_ends_in_good_order() {
    let shop = Shop::open();
    let first = shop.controller("first");
    shop.until("the first leads", |shop| shop.lease_holder() == "first").await;
    let second = shop.controller("second");
    shop.pass(Duration::from_secs(60)).await;
    assert_eq!(shop.lease_holder(), "first");
    first.stop().await;
    assert_eq!(shop.lease_holder(), "");
    shop.pass(Duration::from_secs(3)).await;
    assert_eq!(shop.lease_holder(), "second");
    shop.deploy("web", 2);
    shop.until_phase("web", "Healthy").await;
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_goes_on_under_another_leader_when_the_first_one_is_killed() {
    let shop = Shop::open();
    let first = shop.controller("first");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    let second = shop.controller("second");
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    first.kill().await;
    shop.wish("web", &json!({"pauseConditions": null}));
    shop.until_phase("web", "Healthy").await;
    assert_eq!(shop.lease_holder(), "second");
    assert_eq!(shop.scaled_up(), [4]);
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_writes_nothing_after_another_one_has_taken_over() {
    let shop = Shop::open();
    let first = shop.controller("first");
    shop.deploy("web", 2);
    shop.until_phase("web", "Healthy").await;
    let second = shop.controller("second");
    shop.pass(Duration::from_secs(5)).await;
    assert!(second.take_sent().iter().all(|request| request.method == "GET"), "a replica that stands by wrote");
    first.go_down();
    shop.until("the second leads", |shop| shop.lease_holder() == "second").await;
    first.take_sent();
    first.come_back();
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    let sent = first.take_sent();
    assert!(sent.iter().all(|request| request.method == "GET"), "{sent:?}");
    first.stop().await;
    assert_eq!(shop.lease_holder(), "second", "who doesn't lead gives nothing back");
    second.stop().await;
}
