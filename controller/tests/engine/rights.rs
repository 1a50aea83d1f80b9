//! The rights that the chart gives: enough for everything that the controller does, and none of them too many.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_scenarios::{Before, Doing, Observed, Scenario, applied, collection, doing};

use crate::line::Sent;
use crate::router::as_wished;
use crate::support::{Replica, Shop};

const RULES: &str = include_str!("../../../helm/sluice/rules.yaml");
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What only clusters with an admission plugin ask for, which the sandbox hasn't.
const NEVER_ASKED_HERE: &str = "rollouts/finalizers";

#[tokio::test(start_paused = true)]
async fn the_rules_of_the_chart_are_enough_and_none_of_them_can_be_left_out() {
    let rules: Value = serde_saphyr::from_str(RULES).expect("the rules are YAML");
    let shop = Shop::open();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), ..Replica::named("a") });
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/scenarios/everything-written.yaml");
    tell(&shop, &Scenario::read(&scenario).expect("a scenario")).await;
    let sent = running.take_all_sent();
    running.stop().await;
    let refused: Vec<&Sent> = sent.iter().filter(|request| request.status == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");

    let mut left_out = 0;
    for part in ["releases", "election"] {
        for (index, rule) in rules[part].as_array().expect("rules").iter().enumerate() {
            if rule["resources"] == json!([NEVER_ASKED_HERE]) {
                continue;
            }
            for verb in rule["verbs"].as_array().expect("verbs") {
                grant(&shop, &without(&rules, part, index, verb));
                let is_refused = sent.iter().any(|request| is_refused(&shop, request));
                assert!(is_refused, "{verb} of {} can be left out", rule["resources"]);
                left_out += 1;
            }
        }
    }
    assert!(left_out >= 15, "only {left_out} rights were looked at");
}

#[tokio::test(start_paused = true)]
async fn the_rules_of_each_router_are_enough_and_none_of_them_can_be_left_out() {
    let mut rules: Value = serde_saphyr::from_str(RULES).expect("the rules are YAML");
    let routers = ["nginx", "istio", "gatewayAPI"];
    for router in routers {
        rules[router] = each_resource_alone(&rules[router]);
    }
    let shop = Shop::open();
    shop.install_routers();
    grant(&shop, &rules);
    let running = shop.replica(&Replica { user: account(), decide: as_wished, ..Replica::named("a") });
    for name in ["web", "api"] {
        shop.deploy_with_all_routers(name);
        for weight in [20, 30, 0] {
            shop.wish_weight(name, weight);
            shop.pass(Duration::from_secs(5)).await;
            assert_eq!(shop.message(name), "");
        }
    }
    let sent = running.take_all_sent();
    running.stop().await;
    let refused: Vec<&Sent> = sent.iter().filter(|request| request.status == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    for router in routers {
        for (index, rule) in rules[router].as_array().expect("rules").iter().enumerate() {
            for verb in rule["verbs"].as_array().expect("verbs") {
                grant(&shop, &without(&rules, router, index, verb));
                let is_refused = sent.iter().any(|request| is_refused(&shop, request));
                assert!(is_refused, "{verb} of {} can be left out", rule["resources"]);
            }
        }
    }
}

/// The same rules, each about one resource.
fn each_resource_alone(rules: &Value) -> Value {
    let alone = |rule: &Value| -> Vec<Value> {
        let resources = rule["resources"].as_array().cloned().unwrap_or_default();
        let alone = |resource| {
            let mut rule = rule.clone();
            rule["resources"] = json!([resource]);
            rule
        };
        resources.iter().map(alone).collect()
    };
    rules.as_array().expect("rules").iter().flat_map(alone).collect()
}

fn without(rules: &Value, part: &str, index: usize, verb: &Value) -> Value {
    let mut fewer = rules.clone();
    fewer[part][index]["verbs"].as_array_mut().expect("verbs").retain(|kept| kept != verb);
    fewer[part].as_array_mut().expect("rules").retain(|rule| rule["verbs"] != json!([]));
    fewer
}

fn account() -> User {
    User::service_account("default", "sluice")
}

/// Whether this request is refused to the account now; without its body it changes nothing.
fn is_refused(shop: &Shop, sent: &Sent) -> bool {
    let request = Request::new(&sent.method, &format!("{}?{}", sent.path, sent.query));
    shop.answer(&request.as_user(account())).status == 403
}

/// Gives the account these rights and no others.
fn grant(shop: &Shop, rules: &Value) {
    let subjects = json!([{"kind": "ServiceAccount", "name": "sluice", "namespace": "default"}]);
    let parts =
        ["releases", "analysis", "nginx", "istio", "gatewayAPI"].map(|part| (part, "ClusterRole", "")).into_iter();
    let parts = parts.chain([("election", "Role", "namespaces/default/")]);
    for (part, kind, at) in parts {
        let meta = json!({"name": part.to_lowercase(), "namespace": if at.is_empty() { Value::Null } else { json!("default") }});
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, "rules": rules[part],
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": format!("{kind}Binding"), "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": part.to_lowercase()}, "subjects": subjects,
        });
        let plural = kind.to_lowercase();
        for (collection, object) in [(format!("{plural}s"), role), (format!("{plural}bindings"), binding)] {
            let path = format!("{RBAC}/{at}{collection}/{}?fieldManager=people&force=true", part.to_lowercase());
            shop.ask(Request::patch(&path, "application/apply-patch+yaml", &object));
        }
    }
}

/// Tells a scenario whose steps are neither about events nor about nodes.
async fn tell(shop: &Shop, scenario: &Scenario) {
    for manifest in &scenario.given {
        send(shop, &applied(manifest, "default").expect("read already"));
    }
    for step in &scenario.steps {
        shop.pass(step.after.unsigned_abs()).await;
        for action in &step.does {
            match doing(action, &observe(shop, scenario), "default", shop.now()).expect("can be done") {
                Doing::Calls(calls) => calls.iter().for_each(|call| send(shop, call)),
                Doing::Node { .. } | Doing::Kill => panic!("not in this scenario"),
            }
        }
        let missing = |shop: &Shop| step.expect.missing(&observe(shop, scenario), &Before::default()).0;
        shop.until(&format!("{:?}", step.expect), |shop| missing(shop).is_empty()).await;
        shop.pass(step.stays.unsigned_abs().max(Duration::from_secs(1))).await;
    }
}

fn send(shop: &Shop, call: &sluice_scenarios::Call) {
    let request = Request::new(call.method, &call.path).with_json(&call.body);
    shop.ask(request.with_header("content-type", call.content_type));
}

fn observe(shop: &Shop, scenario: &Scenario) -> Observed {
    let all = |kind: &str| -> Vec<Value> {
        let path = collection(kind, "default").expect("a known kind");
        shop.ask(Request::get(&path))["items"].as_array().cloned().unwrap_or_default()
    };
    Observed {
        rollout: shop.rollout(scenario.rollout()),
        replica_sets: all("ReplicaSet"),
        services: all("Service"),
        pods: all("Pod"),
        events: Vec::new(),
        routing: Vec::new(),
    }
}
