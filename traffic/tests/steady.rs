//! While nothing changes, a pass over routing objects writes nothing and copies nothing of them: what it takes of memory
//! is the same for a small object as for one whose rules are a hundred times longer.

use std::sync::Arc;

use allocation_counter::measure;
use serde_json::{Value, json};
use sluice_crds::rollout::TrafficRouting;
use sluice_traffic::{Edits, Kind, ObjectRef, Objects, Routing, Seen, Split, edits, split};

const RULES: u32 = 50;
/// Characters in each path that is matched.
const LENGTHS: [usize; 2] = [20, 2_000];

struct Router {
    kind: Kind,
    traffic: Value,
    object: fn(length: usize) -> Value,
}

fn routing(router: &Router) -> Routing {
    let traffic: TrafficRouting = serde_json::from_value(router.traffic.clone()).expect("a router");
    Routing::new("web", "shop", "uid", traffic).with_services("web-stable", "web-canary")
}

fn objects(router: &Router, length: usize) -> Objects {
    let mut objects = Objects::default();
    let object = (router.object)(length);
    objects.insert(ObjectRef::new(router.kind, "shop", "web"), Seen::There(Arc::new(object)));
    objects
}

fn virtual_service(length: usize) -> Value {
    let rule = |number: u32| {
        json!({
            "name": format!("part-{number}"), "match": [{"uri": {"prefix": format!("/{number:0length$}")}}],
            "route": [
                {"destination": {"host": "web-stable"}, "weight": 90},
                {"destination": {"host": "web-canary"}, "weight": 10},
            ],
        })
    };
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-of-route"},
        "spec": {"hosts": ["web"], "http": (0..RULES).map(rule).collect::<Vec<_>>()},
    })
}

fn http_route(length: usize) -> Value {
    let backend =
        |name: &str, weight: u32| json!({"group": "", "kind": "Service", "name": name, "port": 80, "weight": weight});
    let rule = |number: u32| {
        json!({
            "matches": [{"path": {"type": "PathPrefix", "value": format!("/{number:0length$}")}}],
            "backendRefs": [backend("web-stable", 90), backend("web-canary", 10)],
        })
    };
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-of-route"},
        "spec": {"parentRefs": [{"name": "public"}], "rules": (0..RULES).map(rule).collect::<Vec<_>>()},
    })
}

#[test]
fn nothing_of_an_object_is_copied_while_it_is_as_it_should_be() {
    let names: Vec<String> = (0..RULES).map(|number| format!("part-{number}")).collect();
    let virtual_services = Router {
        kind: Kind::VirtualService,
        traffic: json!({"istio": {"virtualService": {"name": "web", "routes": names}}}),
        object: virtual_service,
    };
    let http_routes =
        Router { kind: Kind::HttpRoute, traffic: json!({"gatewayAPI": {"httpRoute": "web"}}), object: http_route };
    for router in [virtual_services, http_routes] {
        let routing = routing(&router);
        let of_a_tenth = Split::new(100, 10);
        let [(edited, looked), of_long_ones] = LENGTHS.map(|length| {
            let objects = objects(&router, length);
            let found = edits(&of_a_tenth, &routing, &objects);
            assert_eq!(found, Edits::default(), "all weights are as they should be");
            let edited = measure(|| drop(edits(&of_a_tenth, &routing, &objects)));
            let looked = measure(|| drop(split(&routing, &objects)));
            (edited.bytes_total, looked.bytes_total)
        });
        assert_eq!(of_long_ones, (edited, looked), "{}", router.kind.as_str());
        assert!(edited > 0, "something is counted");
    }
}
