//! A gateway's controller: it accepts what routes say, but not at the moment at which they say it.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::calls::collection;
use crate::site::{NAMESPACE, Site};

impl Site {
    /// Whether a route says what no gateway has accepted yet.
    pub(crate) fn unaccepted_routes(&self) -> bool {
        let is_new = |route: &Value| {
            let seen = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
            *seen != route["metadata"]["generation"]
        };
        self.of_kind("HTTPRoute").iter().any(is_new)
    }

    /// The gateways have heard of all HTTPRoutes as they are now.
    pub(crate) fn gateways_accept(&mut self) {
        for route in self.of_kind("HTTPRoute") {
            let generation = &route["metadata"]["generation"];
            if route["status"]["parents"][0]["conditions"][0]["observedGeneration"] == *generation {
                continue;
            }
            let holds = |kind: &str| {
                json!({"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": generation,
                       "lastTransitionTime": self.cluster.now().to_string()})
            };
            let parents = json!([{
                "parentRef": route["spec"]["parentRefs"][0],
                "controllerName": "example.com/gateway",
                "conditions": [holds("Accepted"), holds("ResolvedRefs")],
            }]);
            let name = route["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("{}/{name}/status", collection("HTTPRoute", NAMESPACE).expect("a kind"));
            let status = json!({"status": {"parents": parents}});
            self.ask(Request::patch(&path, "application/merge-patch+json", &status));
        }
    }
}
