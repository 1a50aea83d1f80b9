//! One of several replicas writes; the others know the cluster and wait.

use std::time::Duration;

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
    shop.until("the canary has a pod", |shop| shop.scaled_up().len() == 2).await;
    first.kill().await;
    shop.until_phase("web", "Paused").await;
    assert_eq!(shop.lease_holder(), "second");
    assert_eq!(shop.scaled_up(), [1, 3]);
    second.stop().await;
}
