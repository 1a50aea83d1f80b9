//! Routing objects and the routes that Envoy gets.

use serde_json::{Value, json};

use super::{gateway_api, istio, resources};
use crate::dataplane::view::{Destination, View};

const SERVICES: &str = "
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: web-canary}
spec: {ports: [{name: http, port: 80}]}
---
";

fn view(routing: &str) -> View {
    View::of(serde_saphyr::from_multiple::<Value>(&format!("{SERVICES}{routing}")).expect("YAML"))
}

/// Each route of the first host: what it matches, and where it sends.
fn routes(hosts: &[Value]) -> Vec<(Value, Value)> {
    let routes = hosts[0]["routes"].as_array().expect("routes").iter();
    routes
        .map(|route| {
            let clusters = route["route"]["weighted_clusters"]["clusters"].as_array().cloned().unwrap_or_default();
            let of = |one: &Value| format!("{} {}", one["weight"], one["name"].as_str().unwrap_or_default());
            (route["match"].clone(), clusters.iter().map(of).collect())
        })
        .collect()
}

#[test]
fn a_virtual_service_divides_by_weight_behind_its_header_routes() {
    let hosts = istio::virtual_hosts(&view(
        "
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web.example.com]
  http:
    - name: testers
      match: [{headers: {x-tester: {exact: 'yes'}}, uri: {prefix: /shop}}]
      route: [{destination: {host: web-canary}}]
    - name: primary
      route:
        - {destination: {host: web}, weight: 95}
        - {destination: {host: web-canary.shop.svc.cluster.local, port: {number: 80}}, weight: 5}
",
    ))
    .expect("routes");
    assert_eq!(hosts[0]["domains"], json!(["web.example.com"]));
    let tester = json!({"prefix": "/shop", "headers": [{"name": "x-tester", "string_match": {"exact": "yes"}}]});
    assert_eq!(
        routes(&hosts),
        [(tester, json!(["1 web-canary_80"])), (json!({"prefix": "/"}), json!(["95 web_80", "5 web-canary_80"])),]
    );
}

#[test]
fn mirrors_and_cookies_of_a_virtual_service_are_kept() {
    let hosts = istio::virtual_hosts(&view(
        "
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web.example.com]
  http:
    - mirror: {host: web-canary}
      mirrorPercentage: {value: 12.5}
      route: [{destination: {host: web}, headers: {response: {add: {Set-Cookie: v=1}}}}]
",
    ))
    .expect("routes");
    let route = &hosts[0]["routes"][0]["route"];
    let share = json!({"default_value": {"numerator": 125_000.0, "denominator": "MILLION"}});
    assert_eq!(route["request_mirror_policies"], json!([{"cluster": "web-canary_80", "runtime_fraction": share}]));
    let cookie = json!([{"header": {"key": "Set-Cookie", "value": "v=1"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}]);
    assert_eq!(route["weighted_clusters"]["clusters"][0]["response_headers_to_add"], cookie);
}

#[test]
fn a_subset_has_the_pods_with_its_labels() {
    let view = view(
        "
kind: DestinationRule
metadata: {name: web}
spec: {host: web, subsets: [{name: canary, labels: {hash: b}}]}
---
kind: Pod
metadata: {name: pod-a, labels: {hash: a}}
---
kind: Pod
metadata: {name: pod-b, labels: {hash: b}}
---
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
ports: [{name: http, port: 8080}]
endpoints:
  - {addresses: [10.244.0.1], conditions: {ready: true}, targetRef: {name: pod-a}}
  - {addresses: [10.244.0.2], conditions: {ready: true}, targetRef: {name: pod-b}}
",
    );
    let whole = Destination::new("web", 80);
    let canary = Destination { subset: Some("canary".to_owned()), ..whole.clone() };
    let addresses = |to: &Destination| view.endpoints(to).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(addresses(&whole), ["127.244.0.1:8080", "127.244.0.2:8080"]);
    assert_eq!(addresses(&canary), ["127.244.0.2:8080"]);
    assert_eq!(resources::endpoints(&canary, &view.endpoints(&canary))["cluster_name"], "web_80_canary");
    assert_eq!(view.destinations(), [whole, canary, Destination::new("web-canary", 80)]);
}

#[test]
fn of_the_rules_of_an_http_route_the_most_specific_one_comes_first() {
    let hosts = gateway_api::virtual_hosts(&view(
        "
kind: HTTPRoute
metadata: {name: web}
spec:
  hostnames: [web.example.com]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{name: web, port: 80, weight: 75}, {name: web-canary, port: 80, weight: 25}]
    - matches: [{path: {type: PathPrefix, value: /}, headers: [{name: x-tester, value: 'yes', type: Exact}]}]
      backendRefs: [{name: web-canary, port: 80}]
    - matches: [{path: {type: Exact, value: /health}}]
      backendRefs: [{name: web, port: 80}]
",
    ))
    .expect("routes");
    let tester = json!({"prefix": "/", "headers": [{"name": "x-tester", "string_match": {"exact": "yes"}}]});
    assert_eq!(
        routes(&hosts),
        [
            (json!({"path": "/health"}), json!(["1 web_80"])),
            (tester, json!(["1 web-canary_80"])),
            (json!({"prefix": "/"}), json!(["75 web_80", "25 web-canary_80"])),
        ]
    );
}

#[test]
fn a_mirror_of_an_http_route_copies_its_share() {
    let mirrored = |share: &str| {
        let hosts = gateway_api::virtual_hosts(&view(&format!(
            "
kind: HTTPRoute
metadata: {{name: web}}
spec:
  rules:
    - matches: [{{path: {{type: PathPrefix, value: /copied}}, method: GET}}]
      filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{name: web-canary, port: 80}}{share}}}}}]
      backendRefs: [{{name: web, port: 80}}]
"
        )))
        .expect("routes");
        hosts[0]["routes"][0]["route"]["request_mirror_policies"][0]["runtime_fraction"]["default_value"]["numerator"]
            .as_f64()
    };
    assert_eq!(mirrored(""), Some(1_000_000.0));
    assert_eq!(mirrored(", percent: 5"), Some(50_000.0));
    assert_eq!(mirrored(", fraction: {numerator: 1, denominator: 3}"), Some(333_333.0));
}

#[test]
fn what_is_not_translated_is_not_silently_left_out() {
    let route = "
kind: HTTPRoute
metadata: {name: web}
spec:
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      filters: [{type: URLRewrite}]
      backendRefs: [{name: web, port: 80}]
";
    let refused = gateway_api::virtual_hosts(&view(route)).expect_err("it is not translated");
    assert_eq!(format!("{refused:#}"), "HTTPRoute \"web\": the filter \"URLRewrite\" is not translated here");
}
