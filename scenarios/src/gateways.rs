//! A gateway's controller: it accepts what routes say, but not at the moment at which they say it.

use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;

use crate::calls::collection;
use crate::site::NAMESPACE;

/// Whether a route says what no gateway has accepted yet.
pub fn unaccepted_routes(cluster: &Cluster) -> bool {
    cluster.world().list("gateway.networking.k8s.io", "httproutes", NAMESPACE).iter().any(|route| is_new(route.value()))
}

/// The gateways have heard of all HTTPRoutes as they are now.
///
/// # Panics
/// The API server refuses their status.
pub fn gateways_accept(cluster: &mut Cluster) {
    for route in cluster.world().list("gateway.networking.k8s.io", "httproutes", NAMESPACE) {
        let route = route.value();
        if !is_new(route) {
            continue;
        }
        let holds = |kind: &str| {
            json!({"type": kind, "status": "True", "reason": kind, "message": "",
                   "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": cluster.now().to_string()})
        };
        let parents = json!([{
            "parentRef": route["spec"]["parentRefs"][0],
            "controllerName": "example.com/gateway",
            "conditions": [holds("Accepted"), holds("ResolvedRefs")],
        }]);
        let name = route["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{}/{name}/status", collection("HTTPRoute", NAMESPACE).expect("a kind"));
        let status = json!({"status": {"parents": parents}});
        let request = Request::patch(&path, "application/merge-patch+json", &status).as_user(User::admin());
        let response = cluster.handle(&request);
        assert!(response.status < 300, "{} {}", response.status, response.json_body());
    }
}

fn is_new(route: &Value) -> bool {
    let seen = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
    *seen != route["metadata"]["generation"]
}
