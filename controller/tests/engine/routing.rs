//! The objects that traffic is routed by: watched while a Rollout needs them, and written beside all else.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;

use crate::faults::{ask, pages};
use crate::providers::Version;
use crate::router::{SERVICES, about_services, as_wished};
use crate::support::{ROLLOUTS, Replica, Running, Shop};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/limited";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/limited";

fn controller(shop: &Shop) -> Running {
    shop.replica(&Replica { decide: as_wished, ..Replica::named("a") })
}

/// One that may do all with Rollouts, and this with VirtualServices.
fn limited_controller(shop: &Shop, rules: &Value) -> Running {
    limit(shop, rules);
    shop.replica(&Replica { decide: as_wished, user: account(), ..Replica::named("a") })
}

fn account() -> User {
    User::service_account("default", "sluice")
}

fn limit(shop: &Shop, rules: &Value) {
    let own = ["", "apps", "batch", "argoproj.io", "coordination.k8s.io"];
    let mut all = vec![json!({"apiGroups": own, "resources": ["*"], "verbs": ["*"]})];
    all.extend(rules.as_array().into_iter().flatten().cloned());
    grant(shop, &json!(all));
}

/// Gives the account these rights and no others.
pub(crate) fn grant(shop: &Shop, rules: &Value) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "limited"}, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "limited"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "limited"},
        "subjects": [{"kind": "ServiceAccount", "name": "sluice", "namespace": "default"}],
    });
    for (path, object) in [(ROLES, role), (BINDINGS, binding)] {
        let path = format!("{path}?fieldManager=people&force=true");
        shop.ask(Request::patch(&path, "application/apply-patch+yaml", &object));
    }
}

fn change(shop: &Shop, service: &str, operations: &Value) {
    shop.ask(Request::patch(&format!("{SERVICES}/{service}"), "application/json-patch+json", operations));
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_installed_later_is_picked_up_and_missed_when_it_goes() {
    let shop = Shop::open();
    let running = controller(&shop);
    shop.deploy_routed("web", &["web"]);
    let unknown = |shop: &Shop| shop.message("web").contains("the cluster does not know the kind VirtualService");
    shop.until("the kind is missed", unknown).await;
    shop.wish_weight("web", 20);
    shop.pass(Duration::from_secs(60)).await;
    for _ in 0..2 {
        shop.install_istio();
        shop.until("the object is missed", |shop| shop.message("web").contains("does not exist")).await;
        shop.route("web", &["web"]);
        shop.until_weights("web", &[20]).await;
        shop.remove_istio();
        shop.until("the kind is missed", unknown).await;
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_two_rollouts_need_is_kept_as_both_wish() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    shop.route("shared", &["web", "api"]);
    shop.deploy_routed("web", &["shared"]);
    shop.deploy_routed("api", &["shared"]);
    shop.wish_weight("web", 20);
    shop.wish_weight("api", 30);
    shop.until_weights("shared", &[20, 30]).await;
    shop.pass(Duration::from_secs(5)).await;
    running.take_sent();
    let to = |route: u8| {
        let weight = |at: u8, value: u8| json!({"op": "replace", "path": format!("/spec/http/{route}/route/{at}/weight"), "value": value});
        [weight(0, 50), weight(1, 50)]
    };
    change(&shop, "shared", &json!([to(0), to(1)].concat()));
    assert_eq!(shop.weights("shared"), [50, 50]);
    shop.until_weights("shared", &[20, 30]).await;
    let written = running.take_sent().into_iter().filter(|request| request.method == "PATCH");
    for request in written.filter(|request| request.path.contains("/virtualservices/")) {
        assert!(request.query.contains("fieldManager=sluice-traffic"), "{request:?}");
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn our_own_write_is_seen_before_the_next_one_is_decided() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    shop.route("web", &["web"]);
    shop.deploy_routed("web", &["web"]);
    shop.pass(Duration::from_secs(5)).await;
    running.lag(Duration::from_millis(700));
    running.take_sent();
    for weight in [10, 20, 30] {
        shop.wish_weight("web", weight);
        shop.until_weights("web", &[weight.into()]).await;
        // Something else wakes it while the watch has yet to show the write.
        shop.wish_probe("web", &Value::Null);
    }
    shop.pass(Duration::from_secs(10)).await;
    let patches: Vec<u16> = running
        .take_sent()
        .iter()
        .filter(|request| request.method == "PATCH" && request.path.contains("/virtualservices/"))
        .map(|request| request.status)
        .collect();
    assert_eq!(patches, [200, 200, 200]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_may_not_be_written_is_told_and_does_not_stop_the_others() {
    let shop = Shop::open();
    shop.install_istio();
    let api = |more: Value| {
        let mut rule = json!({"apiGroups": ["networking.istio.io"], "resources": ["virtualservices"]});
        rule.as_object_mut().expect("a rule").extend(more.as_object().expect("more").clone());
        rule
    };
    let see = api(json!({"verbs": ["get", "list", "watch"]}));
    let running = limited_controller(&shop, &json!([see, api(json!({"verbs": ["patch"], "resourceNames": ["good"]}))]));
    for service in ["bad", "good"] {
        shop.route(service, &["web"]);
    }
    shop.deploy_routed("web", &["bad", "good", "missing"]);
    shop.wish_weight("web", 20);
    shop.until_weights("good", &[20]).await;
    shop.until("the status is written all the same", |shop| shop.message("web").contains("default/missing")).await;
    let told = |shop: &Shop| {
        let all = shop.ask(Request::get("/api/v1/namespaces/default/events"));
        let events = all["items"].as_array().into_iter().flatten();
        events.filter(|event| event["reason"] == "TrafficRoutingError").cloned().collect::<Vec<Value>>()
    };
    shop.until("it is told", |shop| !told(shop).is_empty()).await;
    shop.pass(Duration::from_secs(100)).await;
    let told = told(&shop);
    assert_eq!(told.len(), 1, "{told:#?}");
    let message = told[0]["message"].as_str().expect("a message");
    let begins = "VirtualService default/bad can't be changed, it is tried again: refused with 403 Forbidden";
    assert!(message.starts_with(begins), "{message}");
    assert_eq!((shop.weights("bad"), &told[0]["type"]), (vec![0], &json!("Warning")));
    limit(&shop, &json!([see, api(json!({"verbs": ["patch"]}))]));
    shop.until_weights("bad", &[20]).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_the_objects_of_a_router_says_so_and_goes_on_with_the_others() {
    let shop = Shop::open();
    shop.install_istio();
    limit(&shop, &json!([{"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["*"]}]));
    let (pages, addresses) = pages().await;
    let replica = Replica { decide: as_wished, user: account(), ..Replica::named("a") };
    let running = shop.replica_serving(&replica, pages);
    shop.route("web", &["web"]);
    shop.deploy_routed("web", &["web"]);
    shop.deploy_with_routing("shop", &json!({"nginx": {"stableIngress": "shop"}}));
    shop.wish_weight("web", 20);
    shop.until("the other one is looked after", |shop| shop.message("shop").contains("Ingress default/shop")).await;
    assert!(shop.message("web").contains("has not been read yet"), "{}", shop.message("web"));
    shop.pass(Duration::from_secs(40)).await;
    let (status, what) = ask(addresses.health, "/readyz").await;
    assert!(status == 200 && what.contains("ok, but the watch of VirtualService has been broken for"), "{what}");
    let metrics = ask(addresses.metrics, "/metrics").await.1;
    let broken = |line: &&str| line.starts_with(r#"sluice_watch_broken_seconds{kind="VirtualService"} "#);
    let broken = metrics.lines().find(broken).expect("a line");
    assert!(!broken.ends_with(" 0"), "{broken}");
    assert!(metrics.contains(r#"sluice_watch_broken_seconds{kind="Ingress"} 0"#), "{metrics}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_watched_only_while_a_rollout_needs_it() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    shop.deploy("plain", 1);
    shop.route("web", &["web"]);
    shop.pass(Duration::from_secs(600)).await;
    assert!(about_services(&running).is_empty());
    shop.deploy_routed("web", &["web"]);
    shop.wish_weight("web", 20);
    shop.until_weights("web", &[20]).await;
    assert_eq!(about_services(&running), ["GET virtualservices", "WATCH virtualservices", "PATCH web"]);
    shop.pass(Duration::from_secs(600)).await;
    assert!(about_services(&running).contains(&"WATCH virtualservices".to_owned()), "a watch lasts some minutes");
    shop.ask(Request::delete(&format!("{ROLLOUTS}/web")));
    shop.pass(Duration::from_secs(10)).await;
    about_services(&running);
    shop.pass(Duration::from_secs(600)).await;
    assert!(about_services(&running).is_empty());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_needed_later_is_read_by_its_name_and_only_once() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    for name in ["web", "api", "foreign"] {
        shop.route(name, &[name]);
    }
    shop.deploy_routed("web", &["web"]);
    shop.pass(Duration::from_secs(5)).await;
    about_services(&running);
    shop.deploy_routed("api", &["api"]);
    shop.wish_weight("api", 30);
    shop.until_weights("api", &[30]).await;
    assert_eq!(about_services(&running), ["GET api", "PATCH api"]);
    shop.wish_weight("api", 40);
    shop.until_weights("api", &[40]).await;
    assert_eq!(about_services(&running), ["PATCH api"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_rollout_gives_back_what_it_routed_before_it_goes() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    shop.route("web", &["web"]);
    shop.deploy_routed("web", &["web"]);
    shop.wish_weight("web", 20);
    shop.until_weights("web", &[20]).await;
    shop.ask(Request::delete(&format!("{ROLLOUTS}/web")));
    let is_gone = |shop: &Shop| shop.ask(Request::get(ROLLOUTS))["items"] == json!([]);
    shop.until("it is gone", is_gone).await;
    assert_eq!(shop.weights("web"), [0]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_counts_who_answers_and_ends_when_nobody_asks_any_more() {
    let shop = Shop::open();
    shop.install_istio();
    let running = controller(&shop);
    shop.route("web", &["web"]);
    shop.deploy_routed("web", &["web"]);
    let providers = shop.providers();
    // Of ten requests two go to the new version, and one gets no answer.
    let ten = [("new", 2), ("old", 7)].into_iter().flat_map(|(name, times)| vec![Version::Named(name); times]);
    providers.answer_with(ten.chain([Version::Silent]).collect());
    shop.wish_probe("web", &json!("new"));
    let counted = r#"8 of 36 answers; Some("no answer within 2s")"#;
    shop.until("it is counted", |shop| shop.message("web") == counted).await;
    providers.answer_with([Version::Named("new")].into());
    shop.until("it is asked again", |shop| shop.message("web") == "40 of 40 answers; None").await;
    providers.take_asked();
    shop.pass(Duration::from_secs(10)).await;
    let asked = providers.take_asked().len();
    assert!((8..=11).contains(&(asked / 40)), "{asked} requests in 10 s are not about 40 a second");
    providers.answer_with([Version::Nobody].into());
    shop.until("it is said", |shop| shop.message("web").contains("has no header")).await;
    shop.wish_probe("web", &Value::Null);
    shop.pass(Duration::from_secs(5)).await;
    providers.take_asked();
    shop.pass(Duration::from_secs(30)).await;
    assert!(providers.take_asked().is_empty());
    running.stop().await;
}
