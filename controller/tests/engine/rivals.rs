//! Two controllers that both write: each write that is accepted keeps the promises, whoever sent it and when.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::line::LeaseTrouble;
use crate::support::{Replica, Running, Shop};

/// A release that is promoted, one that is aborted and tried again, and the way to its end.
async fn two_releases(shop: &Shop) {
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    shop.wish("web", &json!({"pauseConditions": null}));
    shop.until_phase("web", "Healthy").await;
    shop.set_image("web", "app:3");
    shop.until_phase("web", "Paused").await;
    shop.wish("web", &json!({"abort": true}));
    shop.until("only stable pods are left", |shop| shop.scaled_up() == [4]).await;
    shop.wish("web", &json!({"abort": false}));
    shop.until_phase("web", "Paused").await;
    shop.wish("web", &json!({"promoteFull": true}));
    shop.until_phase("web", "Healthy").await;
}

/// Nothing more is written, and everything is as it was wanted.
async fn all_is_quiet(shop: &Shop) {
    shop.until("one revision is left", |shop| shop.scaled_up() == [4]).await;
    shop.pass(Duration::from_secs(60)).await;
    let before = shop.rollout("web")["metadata"]["resourceVersion"].clone();
    // Longer than any write or wait of an earlier moment lasts.
    shop.pass(Duration::from_secs(60)).await;
    assert_eq!(shop.rollout("web")["metadata"]["resourceVersion"], before, "a time of rest wrote something");
    shop.verdict();
}

#[tokio::test(start_paused = true)]
async fn two_controllers_that_both_take_themselves_for_the_only_one_keep_the_promises() {
    // (how late each of the two sees what happens, in milliseconds)
    for (first_lag, second_lag) in [(0, 0), (0, 300), (300, 3_000), (7, 40)] {
        let shop = Shop::open();
        shop.call_the_judge();
        let alone = |identity| shop.replica(&Replica { elects: false, ..Replica::named(identity) });
        let (first, second) = (alone("first"), alone("second"));
        first.lag(Duration::from_millis(first_lag));
        second.lag(Duration::from_millis(second_lag));
        shop.deploy("web", 4);
        shop.until_phase("web", "Healthy").await;
        two_releases(&shop).await;
        all_is_quiet(&shop).await;
        first.stop().await;
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leaders_last_write_may_arrive_at_any_moment_of_the_next_ones_reign() {
    // While the next one still waits for the lease, just when it has it, and long after.
    for (writes, late) in (0..).zip([8, 17, 40].into_iter().cycle()) {
        let shop = Shop::open();
        shop.call_the_judge();
        let (first, second) = two_replicas(&shop, SignedDuration::ZERO).await;
        first.cut_off_after(writes, Duration::from_secs(late));
        two_releases(&shop).await;
        all_is_quiet(&shop).await;
        if !first.is_cut_off() {
            assert!(writes > 10, "two releases are more than {writes} writes");
            return;
        }
        assert_eq!(shop.lease_holder(), "second");
        first.kill().await;
        second.stop().await;
    }
}

async fn a_wish_each_second(shop: &Shop, seconds: u32) {
    for second in 0..seconds {
        shop.wish("web", &json!({"abort": second % 2 == 0}));
        shop.pass(Duration::from_secs(1)).await;
    }
    shop.wish("web", &json!({"abort": false}));
}

async fn two_replicas(shop: &Shop, ahead: SignedDuration) -> (Running, Running) {
    let first = shop.controller("first");
    shop.deploy("web", 4);
    shop.until_phase("web", "Healthy").await;
    let second = shop.replica(&Replica { clock_ahead: ahead, ..Replica::named("second") });
    shop.pass(Duration::from_secs(3)).await;
    (first, second)
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_renewals_are_lost_or_late_stops_at_its_own_deadline() {
    for trouble in [
        LeaseTrouble::Lost,
        LeaseTrouble::Late(Duration::from_secs(4)),
        LeaseTrouble::Late(Duration::from_secs(6)),
        LeaseTrouble::Late(Duration::from_secs(30)),
    ] {
        let shop = Shop::open();
        shop.call_the_judge();
        let (first, second) = two_replicas(&shop, SignedDuration::ZERO).await;
        shop.set_image("web", "app:2");
        shop.until_phase("web", "Paused").await;
        first.lease_trouble(trouble);
        // There is something to write at every moment, also at the one at which it must stop.
        a_wish_each_second(&shop, 40).await;
        first.lease_trouble(LeaseTrouble::None);
        shop.until_phase("web", "Paused").await;
        shop.wish("web", &json!({"promoteFull": true}));
        all_is_quiet(&shop).await;
        first.stop().await;
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_that_differ_by_minutes_decide_nothing_about_the_lease() {
    for ahead in [SignedDuration::from_mins(-5), SignedDuration::from_mins(5)] {
        let shop = Shop::open();
        shop.call_the_judge();
        let (first, second) = two_replicas(&shop, ahead).await;
        shop.pass(Duration::from_secs(120)).await;
        assert_eq!(shop.lease_holder(), "first", "a clock that is {ahead:?} ahead took the lease");
        shop.set_image("web", "app:2");
        shop.until_phase("web", "Paused").await;
        first.go_down();
        shop.until("the second leads", |shop| shop.lease_holder() == "second").await;
        first.come_back();
        shop.wish("web", &json!({"pauseConditions": null}));
        shop.until_phase("web", "Healthy").await;
        all_is_quiet(&shop).await;
        first.stop().await;
        second.stop().await;
    }
}
