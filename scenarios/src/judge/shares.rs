//! What routing objects say of a release's traffic, read from the objects themselves.

use std::collections::BTreeMap;

use super::Scene;
use serde_json::Value;

use super::{HASH, services, sizes};

/// Percent of the traffic by revision, at each place that divides it.
pub(super) type Shares = BTreeMap<String, BTreeMap<String, f64>>;

/// The shares of all places that this Rollout names. Where both destinations lead to one revision it has all.
pub(super) fn shares(world: &Scene<'_>, rollout: &Value) -> Shares {
    let (stable, new) = revisions(world, rollout);
    let by_revision = |weight: f64| {
        let mut shares = BTreeMap::from([(stable.clone(), 100.0 - weight)]);
        *shares.entry(new.clone()).or_insert(0.0) += weight;
        shares
    };
    weights(world, rollout).into_iter().map(|(place, weight)| (place, by_revision(weight))).collect()
}

/// The share of the canary destination, at each place.
fn weights(world: &Scene<'_>, rollout: &Value) -> BTreeMap<String, f64> {
    let canary = &rollout["spec"]["strategy"]["canary"];
    let routing = &canary["trafficRouting"];
    let name = rollout["metadata"]["name"].as_str().unwrap_or_default();
    let (_, new) = roles(rollout);
    let mut places = BTreeMap::new();
    let mut add = |place: String, weight: f64| places.insert(place, weight);
    let nginx = &routing["nginx"];
    let many = nginx["stableIngresses"].as_array().into_iter().flatten();
    for stable in many.chain([&nginx["stableIngress"]]).filter_map(Value::as_str) {
        let ingress = format!("{name}-{stable}-canary");
        let there = world.get("networking.k8s.io", "ingresses", "default", &ingress);
        add(ingress, there.map_or(0.0, |there| of_annotations(there.value())));
    }
    let istio = &routing["istio"];
    let many = istio["virtualServices"].as_array().into_iter().flatten();
    for service in many.chain([&istio["virtualService"]]).filter_map(|service| service["name"].as_str()) {
        if let Some(there) = world.get("networking.istio.io", "virtualservices", "default", service) {
            let http = there.value()["spec"]["http"].as_array().cloned().unwrap_or_default();
            let subset = istio["destinationRule"]["canarySubsetName"].as_str();
            let is_canary = |destination: &Value| match subset {
                Some(subset) => destination["destination"]["subset"] == subset,
                None => destination["destination"]["host"] == new.as_str(),
            };
            // Routes that steps make stand in front and have no weight of their own.
            if let Some(route) = http.iter().find(|route| route["route"].as_array().is_some_and(|to| to.len() > 1)) {
                add(service.to_owned(), of_list(&route["route"], is_canary));
            }
        }
    }
    if let Some(route) = routing["gatewayAPI"]["httpRoute"].as_str()
        && let Some(there) = world.get("gateway.networking.k8s.io", "httproutes", "default", route)
    {
        let rules = there.value()["spec"]["rules"].as_array().cloned().unwrap_or_default();
        if let Some(rule) = rules.iter().find(|rule| rule["backendRefs"].as_array().is_some_and(|to| to.len() > 1)) {
            add(route.to_owned(), of_list(&rule["backendRefs"], |to| to["name"] == new.as_str()));
        }
    }
    places
}

/// The revisions behind the stable and the canary destination.
fn revisions(world: &Scene<'_>, rollout: &Value) -> (String, String) {
    let strategy = &rollout["spec"]["strategy"]["canary"];
    let rule = &strategy["trafficRouting"]["istio"]["destinationRule"];
    if let Some(there) =
        rule["name"].as_str().and_then(|name| world.get("networking.istio.io", "destinationrules", "default", name))
    {
        let subsets = there.value()["spec"]["subsets"].as_array().cloned().unwrap_or_default();
        let hash = |field: &str| {
            let named = subsets.iter().find(|subset| subset["name"] == rule[field]);
            named.and_then(|subset| subset["labels"][HASH].as_str()).unwrap_or_default().to_owned()
        };
        return (hash("stableSubsetName"), hash("canarySubsetName"));
    }
    let behind = |service: &str| {
        let named = services(world, rollout).into_iter().find(|(name, _)| name == service);
        named.map_or_else(String::new, |(_, hash)| hash)
    };
    let (stable, new) = roles(rollout);
    (behind(&stable), behind(&new))
}

/// The names of the stable and the canary Service.
fn roles(rollout: &Value) -> (String, String) {
    let canary = &rollout["spec"]["strategy"]["canary"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (ping, pong) = (text(&canary["pingPong"]["pingService"]), text(&canary["pingPong"]["pongService"]));
    match (ping.is_empty(), rollout["status"]["canary"]["stablePingPong"] == "ping") {
        (true, _) => (text(&canary["stableService"]), text(&canary["canaryService"])),
        (false, true) => (ping, pong),
        (false, false) => (pong, ping),
    }
}

/// Whether this Service is one of two that take turns, and has no traffic now, or nobody to take it.
pub(super) fn waits_for_its_turn(world: &Scene<'_>, rollout: &Value, service: &str) -> bool {
    let (_, new) = roles(rollout);
    let takes_turns = rollout["spec"]["strategy"]["canary"]["pingPong"].is_object();
    let none = weights(world, rollout).values().all(|weight| *weight == 0.0);
    let nobody_serves = sizes(world).iter().all(|size| size.ready == 0);
    takes_turns && service == new && (none || nobody_serves)
}

fn of_annotations(ingress: &Value) -> f64 {
    let number = |key: &str| {
        let text = ingress["metadata"]["annotations"][format!("nginx.ingress.kubernetes.io/{key}")].as_str();
        text.and_then(|text| text.parse::<f64>().ok())
    };
    number("canary-weight").unwrap_or(0.0) * 100.0 / number("canary-weight-total").unwrap_or(100.0)
}

fn of_list(list: &Value, is_canary: impl Fn(&Value) -> bool) -> f64 {
    let weight = |to: &Value| to["weight"].as_f64().unwrap_or(0.0);
    let all: f64 = list.as_array().into_iter().flatten().map(weight).sum();
    let canary: f64 = list.as_array().into_iter().flatten().filter(|to| is_canary(to)).map(weight).sum();
    if all == 0.0 { 0.0 } else { canary * 100.0 / all }
}
