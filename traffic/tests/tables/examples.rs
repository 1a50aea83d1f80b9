//! The examples that the documentation gives, as requests meet them in a data plane that knows nothing of this crate.

use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_crds::lint::lint;
use sluice_sandbox::dataplane::{self, DataPlane, Entry, Flow};
use sluice_traffic::{Kind, Routing, Split, edits};

use crate::support::{KINDS, World, apply, objects, stored};

/// An example: its text, the door through which its requests come, and the steps that it asks for.
struct Example {
    routing: Routing,
    entry: Entry,
    header_step: Value,
    world: World,
}

impl Example {
    fn read(text: &str, entry: Entry) -> Self {
        assert_eq!(lint(text.as_bytes()).findings, []);
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
        let rollout: Rollout = serde_json::from_value(documents[0].clone()).expect("a Rollout");
        let canary = rollout.spec.canary().expect("a canary");
        let traffic = canary.traffic_routing.clone().expect("trafficRouting");
        let service = |name: &Option<String>| name.clone().expect("a Service");
        let routing = Routing::new("web", "shop", "uid-of-web", traffic)
            .with_services(&service(&canary.stable_service), &service(&canary.canary_service));
        let routed = documents.iter().filter(|object| KINDS.iter().any(|kind| object["kind"] == kind.as_str()));
        let world = routed.map(|object| stored(object.clone())).collect();
        let header_step = documents[0]["spec"]["strategy"]["canary"]["steps"][0]["setHeaderRoute"].clone();
        Self { routing, entry, header_step, world }
    }

    /// Applies a split, as the controller would.
    fn apply(&mut self, split: &Split) {
        let done = edits(split, &self.routing, &objects(&self.world, &self.routing, &json!({})));
        assert_eq!(done.problems, []);
        self.world = apply(&self.world, &done).expect("the patches apply");
    }

    /// The part of these requests that meets the new version.
    fn canary_share(&self, change: impl Fn(Flow) -> Flow) -> f64 {
        let of_kind =
            |kind: Kind| self.world.iter().filter(move |(name, _)| name.kind == kind).map(|(_, object)| object);
        let seen = dataplane::Objects {
            ingresses: of_kind(Kind::Ingress).collect(),
            virtual_services: of_kind(Kind::VirtualService).collect(),
            destination_rules: of_kind(Kind::DestinationRule).collect(),
            http_routes: of_kind(Kind::HttpRoute).collect(),
            ..dataplane::Objects::default()
        };
        let start = "2026-01-01T00:00:00Z".parse().expect("a time");
        let mut plane = DataPlane::new(start);
        plane.observe(&seen, start);
        plane.split(&change(Flow::get("users", self.entry, "web.example.com", 1))).share_of("web-canary")
    }

    fn keeps_its_promise(mut self) {
        let all = |flow: Flow| flow;
        let tester = |flow: Flow| flow.with_header("x-tester", "yes");
        let other = |flow: Flow| flow.with_header("x-tester", "no");

        let mut split = Split::new(100, 0);
        split.version = "7fd4".to_owned();
        self.apply(&split);
        assert_eq!((self.canary_share(all), self.canary_share(tester)), (0.0, 0.0), "before the release");

        split.header_routes = vec![serde_json::from_value(self.header_step.clone()).expect("setHeaderRoute")];
        self.apply(&split);
        let shares = (self.canary_share(all), self.canary_share(tester), self.canary_share(other));
        assert_eq!(shares, (0.0, 1.0, 0.0), "only testers");

        for (weight, share) in [(20, 0.2), (50, 0.5)] {
            let headers = split.header_routes;
            split = Split::new(100, weight);
            (split.header_routes, split.version) = (headers, "7fd4".to_owned());
            self.apply(&split);
            assert_eq!((self.canary_share(all), self.canary_share(tester)), (share, 1.0), "weight {weight}");
        }
        if self.routing.traffic.sticky_sessions.is_some() {
            let returning = |flow: Flow| flow.with_header("cookie", "a=b; sluice-version=7fd4");
            let long_ago = |flow: Flow| flow.with_header("cookie", "sluice-version=6b9c");
            assert_eq!((self.canary_share(returning), self.canary_share(long_ago)), (1.0, 0.5), "who saw it stays");
        }

        self.apply(&Split::new(100, 0));
        assert_eq!((self.canary_share(all), self.canary_share(tester)), (0.0, 0.0), "after an abort");
    }
}

#[test]
fn nginx() {
    Example::read(include_str!("../../../docs/examples/nginx.yaml"), Entry::Ingress).keeps_its_promise();
}

#[test]
fn istio() {
    Example::read(include_str!("../../../docs/examples/istio.yaml"), Entry::Mesh).keeps_its_promise();
}

#[test]
fn gateway_api() {
    Example::read(include_str!("../../../docs/examples/gateway-api.yaml"), Entry::Gateway).keeps_its_promise();
}
