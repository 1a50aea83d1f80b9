//! Random splits over random objects, with hands of others in between.

use serde_json::{Value, json};
use sluice_sandbox::Random;
use sluice_traffic::{Kind, Routing, Split, edits, split};

use crate::support::{World, apply, case, objects, routing, stored, wanted_split};

const SEEDS: u64 = 60;
const STEPS: u64 = 6;

#[test]
fn mesh_and_gateway_do_what_the_split_says_and_leave_the_rest() {
    for seed in 0..SEEDS {
        let mut random = Random::seeded(seed);
        let case = mesh(&mut random);
        let world = mesh_world(&mut random);
        tell(seed, &case, &world, &mut random, mesh_split);
    }
}

#[test]
fn nginx_does_what_the_split_says_and_leaves_the_rest() {
    for seed in 0..SEEDS {
        let mut random = Random::seeded(seed);
        let remove = random.below(2) == 0;
        let case = case(&format!(
            "{{maxTrafficWeight: 200, managedRoutes: [{{name: beta}}], nginx: {{stableIngresses: [a, b], removeWhenIdle: {remove}}}}}"
        ));
        let world: World = ["a", "b"].iter().map(|name| stored(ingress(name, &mut random))).collect();
        tell(seed, &case, &world, &mut random, |random| {
            let headers: Vec<Value> = if random.below(2) == 0 { vec![header("beta", random)] } else { Vec::new() };
            json!({"canary": random.below(201), "headers": headers})
        });
    }
}

/// One story: splits one after another, each judged, and at the end all is as it was.
fn tell(seed: u64, case: &Value, begun: &World, random: &mut Random, mut next: impl FnMut(&mut Random) -> Value) {
    let mut routing = routing(case);
    routing.known_experiments = vec!["trial".to_owned()];
    let mut world = begun.clone();
    for step in 0..STEPS {
        if random.below(3) == 0 {
            meddle(&mut world, random);
        }
        let wanted = wanted_split(&next(random), &routing);
        world = step_to(&wanted, &routing, case, &world, &format!("seed {seed}, step {step}"));
        assert_eq!(foreign(&world), foreign(begun), "seed {seed}, step {step}: something foreign changed");
    }
    let idle = Split::all_to_stable(routing.total());
    world = step_to(&idle, &routing, case, &world, &format!("seed {seed}, at the end"));
    world.retain(|object, _| object.kind != Kind::Ingress || begun.contains_key(object));
    assert_eq!(without_weights(&world), without_weights(begun), "seed {seed}: something stayed behind");
}

fn step_to(wanted: &Split, routing: &Routing, case: &Value, world: &World, at: &str) -> World {
    let done = edits(wanted, routing, &objects(world, routing, case));
    assert!(done.problems.is_empty(), "{at}: {:?}", done.problems);
    let after = apply(world, &done).unwrap_or_else(|why| panic!("{at}: {why}"));
    let again = edits(wanted, routing, &objects(&after, routing, case));
    assert!(again.edits.is_empty(), "{at}: not at rest: {:?}", again.edits);
    let seen = split(routing, &objects(&after, routing, case));
    assert!(seen.unclear.is_empty(), "{at}: {:?}", seen.unclear);
    for share in &seen.shares {
        let read = (share.weights.canary, share.weights.stable);
        assert_eq!(read, (wanted.canary(), wanted.stable()), "{at}: {} {}", share.object, share.place);
    }
    after
}

fn mesh_split(random: &mut Random) -> Value {
    let mut headers = Vec::new();
    for name in ["beta", "crew"] {
        if random.below(2) == 0 {
            headers.push(header(name, random));
        }
    }
    let mirrors = if random.below(3) == 0 { vec![mirror("copy", random)] } else { Vec::new() };
    let additional = if random.below(3) == 0 { json!({"trial": random.below(20)}) } else { json!({}) };
    let version = if random.below(2) == 0 { "7fd4" } else { "6b9c" };
    json!({"canary": random.below(101), "version": version, "additional": additional, "headers": headers, "mirrors": mirrors})
}

fn mesh(random: &mut Random) -> Value {
    let sticky = if random.below(2) == 0 { "stickySessions: {}," } else { "" };
    case(&format!(
        "{{{sticky} managedRoutes: [{{name: copy}}, {{name: beta}}, {{name: crew}}],
          istio: {{virtualServices: [{{name: mesh, routes: [ours-0, ours-1]}}, {{name: side.edge, routes: [ours-0, ours-1]}}]}},
          gatewayAPI: {{httpRoutes: [{{name: gate, useHeaderRoutes: true}}, {{name: plain}}], grpcRoutes: [{{name: gate, useHeaderRoutes: false}}]}}}}"
    ))
}

fn mesh_world(random: &mut Random) -> World {
    let service = |name: &str, namespace: &str, random: &mut Random| {
        let routes = mixed(random, http_route);
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"hosts": ["web"], "http": routes},
        })
    };
    let route = |kind: &str, name: &str, random: &mut Random| {
        let rules = mixed(random, |ours, random| gateway_rule(kind, ours, random));
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
            "metadata": {"name": name}, "spec": {"rules": rules},
        })
    };
    [
        service("mesh", "shop", random),
        service("side", "edge", random),
        route("HTTPRoute", "gate", random),
        route("HTTPRoute", "plain", random),
        route("GRPCRoute", "gate", random),
    ]
    .into_iter()
    .map(stored)
    .collect()
}

/// Two of ours among up to four of others.
fn mixed(random: &mut Random, mut make: impl FnMut(Option<u64>, &mut Random) -> Value) -> Vec<Value> {
    let mut all = Vec::new();
    for ours in 0..2 {
        for _ in 0..random.below(3) {
            all.push(make(None, random));
        }
        all.push(make(Some(ours), random));
    }
    all
}

fn http_route(ours: Option<u64>, random: &mut Random) -> Value {
    let mut route = match ours {
        Some(number) => json!({
            "name": format!("ours-{number}"),
            "route": [
                {"destination": {"host": "web-stable.shop.svc.cluster.local"}, "weight": 100},
                {"destination": {"host": "web-canary.shop.svc.cluster.local"}, "weight": 0},
            ],
        }),
        None => json!({"route": [{"destination": {"host": "foreign"}}], "mirror": {"host": "foreign-copy"}}),
    };
    if random.below(2) == 0 {
        route["match"] = json!([{"uri": {"prefix": "/a"}}, {"headers": {"x-zone": {"exact": "eu"}}}]);
    }
    if random.below(2) == 0 {
        route["retries"] = json!({"attempts": random.below(5)});
    }
    route
}

fn gateway_rule(kind: &str, ours: Option<u64>, random: &mut Random) -> Value {
    let backend =
        |name: &str, weight: u64| json!({"group": "", "kind": "Service", "name": name, "port": 80, "weight": weight});
    let path = if random.below(2) == 0 { "/" } else { "/a" };
    let matches = if kind == "HTTPRoute" {
        json!([{"path": {"type": "PathPrefix", "value": path}}])
    } else {
        json!([{"method": {"type": "Exact", "service": "shop.Cart"}}])
    };
    match ours {
        Some(_) => json!({"matches": matches, "backendRefs": [backend("web-stable", 100), backend("web-canary", 0)]}),
        None => json!({"matches": matches, "backendRefs": [backend("foreign", 1 + random.below(5))]}),
    }
}

fn ingress(name: &str, random: &mut Random) -> Value {
    let path = |service: &str, random: &mut Random| json!({"path": format!("/{}", random.below(9)), "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    let rules: Vec<Value> = (0..1 + random.below(3))
        .map(|number| {
            let mut paths = vec![path("web-stable", random)];
            paths.extend((0..random.below(3)).map(|_| path("foreign", random)));
            json!({"host": format!("{number}.example.com"), "http": {"paths": paths}})
        })
        .collect();
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name}, "spec": {"rules": rules}})
}

fn header(name: &str, random: &mut Random) -> Value {
    let ways = ["exact", "prefix", "regex"];
    let way = ways[usize::try_from(random.below(3)).expect("small")];
    json!({"name": name, "match": [{"headerName": format!("x-{name}"), "headerValue": {way: "v.1"}}]})
}

fn mirror(name: &str, random: &mut Random) -> Value {
    let requests = match random.below(3) {
        0 => json!([{"path": {"prefix": "/"}}]),
        1 => json!([{"path": {"prefix": "/a"}}]),
        _ => json!([{"path": {"exact": "/a/b"}}, {"method": {"exact": "GET"}}]),
    };
    json!({"name": name, "percentage": random.below(101), "match": requests})
}

/// Somebody sets a weight by hand.
fn meddle(world: &mut World, random: &mut Random) {
    for object in world.values_mut() {
        let weight = random.below(100);
        let lists = [("http", "route"), ("rules", "backendRefs")];
        for (list, inner) in lists {
            let routes = object["spec"].get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            let ours = routes.filter(|route| route[inner].to_string().contains("web-canary"));
            for one in ours.filter_map(|route| route.get_mut(inner).and_then(|list| list.get_mut(0))) {
                one["weight"] = weight.into();
            }
        }
    }
}

/// All routes and rules of others, in their order.
fn foreign(world: &World) -> Vec<Value> {
    let lists = world.values().flat_map(|object| [&object["spec"]["http"], &object["spec"]["rules"]]);
    let all = lists.filter_map(Value::as_array).flatten();
    all.filter(|route| !route.to_string().contains("web-canary")).cloned().collect()
}

/// The world with all weights equal, and without what an empty map can't say.
fn without_weights(world: &World) -> World {
    let mut world = world.clone();
    for object in world.values_mut() {
        forget(object);
        let empty = object["metadata"]["annotations"].as_object().is_some_and(serde_json::Map::is_empty);
        if let Some(metadata) = object["metadata"].as_object_mut().filter(|_| empty) {
            metadata.remove("annotations");
        }
    }
    world
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("weight");
            fields.values_mut().for_each(forget);
        }
        Value::Array(list) => list.iter_mut().for_each(forget),
        _ => {}
    }
}
