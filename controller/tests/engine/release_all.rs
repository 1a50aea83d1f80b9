//! A Rollout or the whole controller is removed: nothing of it stays in objects of others.

use serde_json::{Value, json};
use sluice_controller::ReleaseError;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;

use crate::router::SERVICES;
use crate::support::{ROLLOUTS, Shop};

/// A release at a fifth of the traffic.
async fn canary(shop: &Shop) {
    shop.install_istio();
    shop.deploy_canary("web");
    shop.until_phase("web", "Healthy").await;
    shop.set_image("web", "app:2");
    shop.until_phase("web", "Paused").await;
    assert_eq!(shop.weights("web"), [20]);
    assert!(!shop.rollout("web")["metadata"]["finalizers"].is_null(), "its end would leave a share behind");
}

#[tokio::test(start_paused = true)]
async fn what_releases_have_routed_is_given_back_and_each_rollout_is_told() {
    let shop = Shop::open();
    let running = shop.controller("a");
    shop.deploy("plain", 1);
    canary(&shop).await;
    running.stop().await;
    let given = shop.release_all("remover").await.expect("nobody leads");
    let told: Vec<(&str, bool)> = given.iter().map(|one| (one.rollout.as_str(), one.outcome.is_ok())).collect();
    assert_eq!(told, [("default/plain", true), ("default/web", true)], "{given:?}");
    assert_eq!(given[0].outcome.as_deref(), Ok("nothing to give back"));
    assert_eq!(shop.weights("web"), [0]);
    assert_eq!(shop.rollout("web")["metadata"]["finalizers"], Value::Null);
    let managers = shop.ask(Request::get(&format!("{SERVICES}/web")))["metadata"]["managedFields"].to_string();
    assert!(!managers.contains("sluice-traffic"), "{managers}");
    assert_eq!(shop.lease_holder(), "", "the lease is free again");
    let again = shop.release_all("remover").await.expect("nobody leads");
    assert!(again.iter().all(|one| one.outcome.as_deref() == Ok("nothing to give back")), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_was_scaled_down_serves_again_before_its_rollout_is_let_go() {
    const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments";
    let shop = Shop::open();
    let running = shop.controller("a");
    let labels = json!({"app": "web"});
    let annotations = json!({"sandbox.sluice.dev/ready-after": "5s"});
    shop.ask(Request::post(
        DEPLOYMENT,
        &json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]}}},
        }),
    ));
    shop.ask(Request::post(
        "/api/v1/namespaces/default/services",
        &json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        }),
    ));
    shop.ask(Request::post(
        ROLLOUTS,
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
            "spec": {
                "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "onsuccess"},
                "strategy": {"canary": {"stableService": "web"}},
            },
        }),
    ));
    let deployment = |shop: &Shop| shop.ask(Request::get(&format!("{DEPLOYMENT}/web")));
    shop.until("it is scaled down", |shop| deployment(shop)["spec"]["replicas"] == 0).await;
    running.stop().await;
    let given = shop.release_all("remover").await.expect("nobody leads");
    assert_eq!(
        given[0].outcome.as_deref(),
        Ok("Deployment web gets 3 pods back before the Rollout's go; Deployment web serves again; \
            Deployment web serves again; Deployment web serves again"),
    );
    assert_eq!(deployment(&shop)["status"]["availableReplicas"], 3);
    let service = shop.ask(Request::get("/api/v1/namespaces/default/services/web"));
    assert_eq!(service["spec"]["selector"], labels);
    assert_eq!(shop.rollout("web")["metadata"]["finalizers"], Value::Null);
    let again = shop.release_all("remover").await.expect("nobody leads");
    assert_eq!(again[0].outcome.as_deref(), Ok("nothing to give back"));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_is_deleted_in_mid_release_leaves_nothing_behind() {
    let shop = Shop::open();
    let running = shop.controller("a");
    canary(&shop).await;
    shop.ask(Request::delete(&format!("{ROLLOUTS}/web")));
    let is_gone = |shop: &Shop| shop.ask(Request::get(ROLLOUTS))["items"] == json!([]);
    shop.until("it is gone", is_gone).await;
    assert_eq!(shop.weights("web"), [0]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_given_back_under_a_controller_that_runs_and_it_is_named() {
    let shop = Shop::open();
    let running = shop.controller("a");
    canary(&shop).await;
    let refused = shop.release_all("remover").await.expect_err("somebody leads");
    assert!(matches!(&refused, ReleaseError::Led { holder, .. } if holder == "a"), "{refused}");
    assert_eq!(shop.weights("web"), [20]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_given_back_is_told_and_the_rollout_is_held() {
    let shop = Shop::open();
    let running = shop.controller("a");
    canary(&shop).await;
    running.stop().await;
    // The right to change VirtualServices is gone.
    let rules = json!([{"apiGroups": ["", "argoproj.io", "coordination.k8s.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["networking.istio.io"], "resources": ["*"], "verbs": ["get"]}]);
    crate::routing::grant(&shop, &rules);
    let given = shop.release_all_as("remover", User::service_account("default", "sluice")).await.expect("nobody leads");
    let why = given[0].outcome.as_ref().expect_err("refused");
    assert!(why.contains("VirtualService default/web") && why.contains("refused with 403"), "{why}");
    assert!(!shop.rollout("web")["metadata"]["finalizers"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_route_that_cannot_be_understood_is_told_also_where_nothing_holds_the_rollout() {
    let shop = Shop::open();
    let running = shop.controller("a");
    canary(&shop).await;
    running.stop().await;
    let third = json!({"destination": {"host": "elsewhere"}, "weight": 10});
    let broken = json!([{"op": "add", "path": "/spec/http/0/route/-", "value": third}]);
    shop.ask(Request::patch(&format!("{SERVICES}/web"), "application/json-patch+json", &broken));
    let free = json!({"metadata": {"finalizers": null}});
    shop.ask(Request::patch(&format!("{ROLLOUTS}/web"), "application/merge-patch+json", &free));
    let given = shop.release_all("remover").await.expect("nobody leads");
    let why = given[0].outcome.as_ref().expect_err("its share is still there");
    assert!(why.contains("VirtualService default/web: "), "{why}");
}
