//! Canaries behind routers: nginx, Istio by Services or subsets, Gateway API, several at once, two Services in turns.

use serde_json::{Map, Value, json};

use super::Dice;
use super::rollout::{Routes, background, budgets, put, steps};

pub(crate) const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
pub(crate) const VIRTUAL_SERVICES: &str = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";
pub(crate) const RULES: &str = "/apis/networking.istio.io/v1/namespaces/default/destinationrules";
pub(crate) const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes";

pub(super) fn draw(dice: &mut Dice, given: &mut Vec<(String, Value)>) -> Value {
    let mut canary = Map::new();
    let mut routing = Map::new();
    let kind = dice.below(6);
    let has_nginx = matches!(kind, 0 | 4);
    if has_nginx {
        given.push((INGRESSES.to_owned(), ingress()));
        let idle = if dice.one_in(3) { json!({"removeWhenIdle": true}) } else { json!({}) };
        let mut nginx = Map::from_iter([("stableIngress".to_owned(), json!("web"))]);
        put(&mut nginx, idle);
        routing.insert("nginx".to_owned(), Value::Object(nginx));
    }
    if matches!(kind, 1 | 4 | 5) {
        given.push((VIRTUAL_SERVICES.to_owned(), virtual_service(None)));
        routing.insert("istio".to_owned(), json!({"virtualService": {"name": "web"}}));
    }
    if kind == 2 {
        given.push((VIRTUAL_SERVICES.to_owned(), virtual_service(Some(["old", "new"]))));
        given.push((RULES.to_owned(), rule()));
        let subsets = json!({"name": "web", "stableSubsetName": "old", "canarySubsetName": "new"});
        routing.insert("istio".to_owned(), json!({"virtualService": {"name": "web"}, "destinationRule": subsets}));
    }
    if matches!(kind, 3 | 5) {
        given.push((ROUTES.to_owned(), route()));
        routing.insert("gatewayAPI".to_owned(), json!({"httpRoute": "web"}));
    }
    if kind != 2 {
        let in_turns = !has_nginx && dice.one_in(3);
        put(
            &mut canary,
            if in_turns {
                json!({"pingPong": {"pingService": "stable", "pongService": "canary"}})
            } else {
                json!({"stableService": "stable", "canaryService": "canary"})
            },
        );
    }
    let routes = if has_nginx { Routes::Weights } else { Routes::Headers };
    if routes == Routes::Headers {
        routing.insert("managedRoutes".to_owned(), json!([{"name": "mine"}]));
    }
    if dice.one_in(3) {
        routing.insert("propagationDelay".to_owned(), json!("4s"));
    }
    put(
        &mut canary,
        dice.pick(&[
            json!({}),
            json!({}),
            json!({"dynamicStableScale": true}),
            json!({"dynamicStableScale": true, "maxUnavailable": 0}),
            json!({"scaleDownDelaySeconds": 5, "abortScaleDownDelaySeconds": 5}),
            json!({"scaleDownDelaySeconds": 0, "abortScaleDownDelaySeconds": 0}),
            json!({"maxSurge": 1}),
            json!({"minPodsPerReplicaSet": 2}),
        ]),
    );
    if canary.get("maxUnavailable").is_none() && canary.get("maxSurge").is_none() {
        put(&mut canary, budgets(dice));
    }
    canary.insert("steps".to_owned(), steps(dice, routes));
    if dice.one_in(6) {
        canary.insert("analysis".to_owned(), background(dice));
    }
    canary.insert("trafficRouting".to_owned(), Value::Object(routing));
    Value::Object(canary)
}

fn ingress() -> Value {
    let backend = json!({"service": {"name": "stable", "port": {"number": 80}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"rules": [{"host": "web", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
    })
}

fn virtual_service(subsets: Option<[&str; 2]>) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"hosts": ["web"], "http": [{"route": istio_route(subsets, 100, 0)}]},
    })
}

pub(super) fn istio_route(subsets: Option<[&str; 2]>, stable: i64, canary: i64) -> Value {
    match subsets {
        Some([old, new]) => json!([
            {"destination": {"host": "stable", "subset": old}, "weight": stable},
            {"destination": {"host": "stable", "subset": new}, "weight": canary},
        ]),
        None => json!([
            {"destination": {"host": "stable"}, "weight": stable},
            {"destination": {"host": "canary"}, "weight": canary},
        ]),
    }
}

fn rule() -> Value {
    let subset = |name: &str| json!({"name": name, "labels": {"app": "web"}});
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"host": "stable", "subsets": [subset("old"), subset("new")]},
    })
}

fn route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": backends(100, 0)}]},
    })
}

pub(super) fn backends(stable: i64, canary: i64) -> Value {
    json!([
        {"name": "stable", "port": 80, "weight": stable},
        {"name": "canary", "port": 80, "weight": canary},
    ])
}
