//! Who asks: a steady flow of requests to every host that the manifests open, or to the Services themselves.

use serde_json::Value;
use sluice_sandbox::World;
use sluice_sandbox::dataplane::{Entry, Flow};

/// Requests a second to each host.
const RATE: u32 = 50;
/// Asked for where any host will do.
const ANY_HOST: &str = "any.example";

/// The flows that this cluster can take. Their names are what they ask for.
pub(crate) fn flows(world: &World) -> Vec<Flow> {
    let mut flows = Vec::new();
    for ingress in world.list("networking.k8s.io", "ingresses", "") {
        for rule in list(&ingress.value()["spec"]["rules"]) {
            let path = rule.pointer("/http/paths/0/path").and_then(Value::as_str).unwrap_or("/");
            flows.push(flow(Entry::Ingress, &host(rule["host"].as_str()), path));
        }
    }
    for route in world.list("gateway.networking.k8s.io", "httproutes", "") {
        let hosts = list(&route.value()["spec"]["hostnames"]);
        let path = route.value().pointer("/spec/rules/0/matches/0/path/value").and_then(Value::as_str).unwrap_or("/");
        flows.push(flow(Entry::Gateway, &host(hosts.first().and_then(Value::as_str)), path));
    }
    for service in world.list("networking.istio.io", "virtualservices", "") {
        for name in list(&service.value()["spec"]["hosts"]) {
            flows.push(flow(Entry::Mesh, &host(name.as_str()), "/"));
        }
    }
    if flows.is_empty() {
        flows =
            world.list("argoproj.io", "rollouts", "").iter().filter_map(|one| straight(world, one.value())).collect();
    }
    flows.sort_by(|a, b| a.name.cmp(&b.name));
    flows.dedup_by(|a, b| a.name == b.name);
    flows
}

/// Requests to the Service in front of a Rollout that no router stands before.
fn straight(world: &World, rollout: &Value) -> Option<Flow> {
    let strategy = &rollout["spec"]["strategy"];
    let named = [&strategy["blueGreen"]["activeService"], &strategy["canary"]["stableService"]];
    let namespace = rollout["metadata"]["namespace"].as_str().unwrap_or("default");
    let labels = &rollout["spec"]["selector"]["matchLabels"];
    // A Service of one role can't be where everybody goes, so one that takes all pods comes first.
    let of_all = world.list("", "services", namespace).into_iter().find(|service| {
        let selector = service.value()["spec"]["selector"].as_object();
        let is_role = named.iter().any(|role| role.as_str() == Some(service.name()));
        !is_role && selector.is_some_and(|selector| selector.iter().all(|(key, value)| labels[key] == *value))
    });
    let service = of_all.map(|service| service.name().to_owned());
    let service = service.or_else(|| named.iter().find_map(|name| name.as_str().map(str::to_owned)))?;
    Some(flow(Entry::Service, &format!("{service}.{namespace}"), "/"))
}

fn flow(entry: Entry, host: &str, path: &str) -> Flow {
    Flow::get(&format!("{host}{path}"), entry, host, RATE).with_path(path)
}

fn host(written: Option<&str>) -> String {
    match written {
        None | Some("" | "*") => ANY_HOST.to_owned(),
        Some(host) => host.replacen('*', "www", 1),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
