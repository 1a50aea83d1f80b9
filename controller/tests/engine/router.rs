//! A Rollout that says by annotations how its traffic is to be routed, and a controller that does just that: what is
//! tried here is how objects are seen and written, not what a release makes of them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_planner::probe::Question;
use sluice_planner::{Action, Event, EventType, Kind, Plan, Snapshot, Target, Write};
use sluice_sandbox::api::request::Request;
use sluice_traffic::{Edit, Objects, Routing, Split, edits};

use crate::support::{ROLLOUTS, Running, Shop};

pub(crate) const SERVICES: &str = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ISTIO: &str = include_str!("../../../e2e/router-crds/istio.yaml");
const GATEWAY_API: &str = include_str!("../../../e2e/router-crds/gateway-api.yaml");
const GATEWAY: &str = "gateway.networking.k8s.io";
const WEIGHT: &str = "test/weight";
const PROBE: &str = "test/probe";
const FINALIZER: &str = "test/routed";

/// Where the requests of a probe go.
pub(crate) const ROUTER: &str = "http://router.example.com/";
/// The header in which whoever answers names its version.
pub(crate) const VERSION: &str = "X-Version";

/// The decision: writes what is wished, and says in the status what stands in its way.
pub(crate) fn as_wished(snapshot: &Snapshot, _: Timestamp) -> Plan {
    let rollout = &snapshot.rollout;
    let meta = &rollout.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let Some(canary) = rollout.spec.canary() else { return Plan::default() };
    let Some(traffic) = canary.traffic_routing.clone() else { return Plan::default() };
    let routing = Routing::new(&text(&meta.name), &text(&meta.namespace), &text(&meta.uid), traffic)
        .with_services(&text(&canary.stable_service), &text(&canary.canary_service));
    let annotation = |key: &str| meta.annotations.as_ref().and_then(|all| all.get(key)).map(String::as_str);
    let mut plan = Plan::default();
    let target = |kind| Target { kind, namespace: text(&meta.namespace), name: text(&meta.name) };
    let write = |kind, operations: Value| {
        let mut all = vec![json!({"op": "test", "path": "/metadata/uid", "value": meta.uid})];
        all.extend(operations.as_array().into_iter().flatten().cloned());
        let action = Action::Patch(all);
        Write { target: target(kind), action, reason: "wished".to_owned(), events: Vec::new() }
    };
    if meta.deletion_timestamp.is_some() {
        plan.writes = writes(&Split::all_to_stable(100), &routing, &snapshot.routing).0;
        if plan.writes.is_empty() && meta.finalizers.is_some() {
            plan.writes.push(write(Kind::Rollout, json!([{"op": "remove", "path": "/metadata/finalizers"}])));
        }
        return plan;
    }
    let weight = annotation(WEIGHT).and_then(|weight| weight.parse().ok()).unwrap_or(0);
    let mut split = Split::new(100, weight);
    (split.stable_hash, split.canary_hash) = (Some("old".to_owned()), Some("new".to_owned()));
    let (writes, problems) = writes(&split, &routing, &snapshot.routing);
    plan.writes = writes;
    plan.probe = annotation(PROBE).map(|version| question(version, weight));
    let probed = snapshot.probed.as_ref().filter(|probed| Some(&probed.question) == plan.probe.as_ref());
    let probed = probed.map(|probed| format!("{} of {} answers; {:?}", probed.of_new, probed.answers, probed.problem));
    let message = problems.into_iter().chain(probed).collect::<Vec<_>>().join("; ");
    let said = rollout.status.as_ref().and_then(|status| status.message.as_deref()).unwrap_or_default();
    if said != message {
        let status = json!([{"op": "add", "path": "/status", "value": {"message": message}}]);
        plan.status = Some(write(Kind::RolloutStatus, status));
    }
    plan
}

fn question(version: &str, weight: i64) -> Question {
    Question {
        url: ROUTER.to_owned(),
        header: VERSION.to_owned(),
        requests: 40,
        version: version.to_owned(),
        weight,
        total: 100,
    }
}

fn writes(split: &Split, routing: &Routing, objects: &Objects) -> (Vec<Write>, Vec<String>) {
    let found = edits(split, routing, objects);
    let problems = found.problems.into_iter().map(|problem| problem.sentence).collect();
    (found.edits.into_iter().map(of_edit).collect(), problems)
}

fn of_edit(edit: Edit) -> Write {
    let object = edit.target.object;
    let version = object.kind.versions().iter().find(|version| **version == edit.target.version).expect("a version");
    let action = match edit.action {
        sluice_traffic::Action::Create(object) => Action::Create(object),
        sluice_traffic::Action::JsonPatch(all) => {
            Action::Patch(all.iter().map(sluice_traffic::Operation::to_json).collect())
        }
        sluice_traffic::Action::Delete { uid, resource_version } => Action::Delete { uid, resource_version },
    };
    let told = edit.event.map(|(reason, message)| Event { kind: EventType::Normal, reason, message });
    Write {
        target: Target { kind: Kind::Routing(object.kind, version), namespace: object.namespace, name: object.name },
        action,
        reason: edit.reason,
        events: told.into_iter().collect(),
    }
}

impl Shop {
    pub(crate) fn install_istio(&self) {
        for crd in istio() {
            self.ask(Request::post(CRDS, &crd));
        }
    }

    pub(crate) fn remove_istio(&self) {
        for crd in istio() {
            self.ask(Request::delete(&format!("{CRDS}/{}", crd["metadata"]["name"].as_str().expect("a name"))));
        }
    }

    /// A Rollout that is routed by these VirtualServices, of each by the route of its own name.
    pub(crate) fn deploy_routed(&self, name: &str, services: &[&str]) {
        let services: Vec<Value> = services.iter().map(|service| json!({"name": service, "routes": [name]})).collect();
        self.deploy_with_routing(name, &json!({"istio": {"virtualServices": services}}));
    }

    pub(crate) fn deploy_with_routing(&self, name: &str, routing: &Value) {
        self.ask(Request::post(ROLLOUTS, &rollout(name, routing)));
    }

    /// A canary that stays at a fifth of the traffic, its two Services, and the VirtualService that leads to them.
    pub(crate) fn deploy_canary(&self, name: &str) {
        for which in ["stable", "canary"] {
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{name}-{which}")},
                "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
            });
            self.ask(Request::post("/api/v1/namespaces/default/services", &service));
        }
        self.route(name, &[name]);
        let mut rollout = rollout(name, &json!({"istio": {"virtualService": {"name": name}}}));
        rollout["metadata"]["finalizers"] = Value::Null;
        rollout["spec"]["strategy"]["canary"]["steps"] = json!([{"setWeight": 20}, {"pause": {}}]);
        self.ask(Request::post(ROLLOUTS, &rollout));
    }

    /// A VirtualService with a route for each of these Rollouts, all to stable.
    pub(crate) fn route(&self, service: &str, rollouts: &[&str]) {
        let route = |rollout: &&str| {
            let to = |which: &str, weight: u8| json!({"destination": {"host": format!("{rollout}-{which}")}, "weight": weight});
            json!({"name": rollout, "route": [to("stable", 100), to("canary", 0)]})
        };
        let http: Vec<Value> = rollouts.iter().map(route).collect();
        let service = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": service, "namespace": "default"},
            "spec": {"hosts": ["shop.example.com"], "http": http},
        });
        self.ask(Request::post(SERVICES, &service));
    }

    /// From now on so much is wished for the new version.
    pub(crate) fn wish_weight(&self, rollout: &str, weight: u8) {
        self.annotate(rollout, WEIGHT, &json!(weight.to_string()));
    }

    /// From now on it is wanted to know how much this version answers.
    pub(crate) fn wish_probe(&self, rollout: &str, version: &Value) {
        self.annotate(rollout, PROBE, version);
    }

    fn annotate(&self, rollout: &str, key: &str, value: &Value) {
        let path = format!("{ROLLOUTS}/{rollout}");
        let change = json!({"metadata": {"annotations": {key: value}}});
        self.ask(Request::patch(&path, "application/merge-patch+json", &change));
    }

    /// The weights of the new versions in a VirtualService, route by route.
    pub(crate) fn weights(&self, service: &str) -> Vec<i64> {
        let service = self.ask(Request::get(&format!("{SERVICES}/{service}")));
        let routes = service["spec"]["http"].as_array().into_iter().flatten();
        routes.filter_map(|route| route["route"][1]["weight"].as_i64()).collect()
    }

    pub(crate) async fn until_weights(&self, service: &str, weights: &[i64]) {
        self.until(&format!("{service} has the weights {weights:?}"), |shop| shop.weights(service) == weights).await;
    }

    /// What stands in the way, as the status of a Rollout says it.
    pub(crate) fn message(&self, rollout: &str) -> String {
        self.rollout(rollout)["status"]["message"].as_str().unwrap_or_default().to_owned()
    }
}

impl Shop {
    pub(crate) fn install_routers(&self) {
        self.install_istio();
        for crd in serde_saphyr::from_multiple::<Value>(GATEWAY_API).expect("CRDs") {
            self.ask(Request::post(CRDS, &crd));
        }
        // What of the experimental channel is not among the CRDs of the tests.
        for (kind, plural, version) in [
            ("TLSRoute", "tlsroutes", "v1alpha3"),
            ("TCPRoute", "tcproutes", "v1alpha2"),
            ("ReferenceGrant", "referencegrants", "v1beta1"),
        ] {
            self.ask(Request::post(CRDS, &any_shape(kind, plural, version)));
        }
        self.ask(Request::post("/api/v1/namespaces", &json!({"metadata": {"name": "edge"}})));
        let from = |kind: &str| json!({"group": GATEWAY, "kind": kind, "namespace": "edge"});
        let from = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"].map(from);
        let spec = json!({"from": from, "to": [{"group": "", "kind": "Service"}]});
        self.apply(&format!("{GATEWAY}/v1beta1"), "ReferenceGrant", "default", "edge", &spec);
    }

    /// A Rollout for each router, and all objects that they route by.
    pub(crate) async fn deploy_with_all_routers(&self, name: &str) {
        let service = |which: &str| format!("{name}-{which}");
        let path = json!({"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": service("stable"), "port": {"number": 80}}}});
        let spec =
            json!({"ingressClassName": "nginx", "rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]});
        self.apply("networking.k8s.io/v1", "Ingress", "default", name, &spec);
        let to = |subset: &str, weight: u8| json!({"destination": {"host": name, "subset": subset}, "weight": weight});
        let spec = json!({"hosts": [name], "http": [{"name": name, "route": [to("stable", 100), to("canary", 0)]}]});
        self.apply("networking.istio.io/v1", "VirtualService", "default", name, &spec);
        let subset = |subset: &str| json!({"name": subset, "labels": {"app": name}});
        let spec = json!({"host": name, "subsets": [subset("stable"), subset("canary")]});
        self.apply("networking.istio.io/v1", "DestinationRule", "default", name, &spec);
        let backend = |which: &str, weight: u8| json!({"name": service(which), "namespace": "default", "port": 80, "weight": weight});
        let spec = json!({"rules": [{"backendRefs": [backend("stable", 100), backend("canary", 0)]}]});
        for (kind, version) in
            [("HTTPRoute", "v1"), ("GRPCRoute", "v1"), ("TLSRoute", "v1alpha3"), ("TCPRoute", "v1alpha2")]
        {
            self.apply(&format!("{GATEWAY}/{version}"), kind, "edge", name, &spec);
        }
        // A watch that runs already has shown them by then, and nobody has needed them.
        self.pass(Duration::from_secs(1)).await;
        let routing = json!({
            "nginx": {"stableIngress": name, "removeWhenIdle": true},
            "istio": {
                "virtualService": {"name": name},
                "destinationRule": {"name": name, "stableSubsetName": "stable", "canarySubsetName": "canary"},
            },
            "gatewayAPI": {
                "httpRoute": name, "grpcRoute": name, "tlsRoute": name, "tcpRoute": name, "namespace": "edge",
            },
        });
        self.deploy_with_routing(name, &routing);
    }

    fn apply(&self, api_version: &str, kind: &str, namespace: &str, name: &str, spec: &Value) {
        let plural = if kind == "Ingress" { "ingresses".to_owned() } else { format!("{}s", kind.to_lowercase()) };
        let meta = json!({"name": name, "namespace": namespace});
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec});
        self.ask(Request::post(&format!("/apis/{api_version}/namespaces/{namespace}/{plural}"), &object));
    }
}

fn rollout(name: &str, routing: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": name, "namespace": "default", "finalizers": [FINALIZER]},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
            "strategy": {"canary": {
                "stableService": format!("{name}-stable"), "canaryService": format!("{name}-canary"),
                "trafficRouting": routing,
            }},
        },
    })
}

/// A CRD that takes whatever is written.
fn any_shape(kind: &str, plural: &str, version: &str) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let singular = kind.to_lowercase();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{GATEWAY}"),
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"},
        },
        "spec": {
            "group": GATEWAY, "scope": "Namespaced",
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular},
            "versions": [{"name": version, "served": true, "storage": true, "schema": schema}],
        },
    })
}

/// The requests about VirtualServices since the last time, each as its verb and its object.
pub(crate) fn about_services(running: &Running) -> Vec<String> {
    let sent = running.take_sent().into_iter().filter(|request| request.path.contains("/virtualservices"));
    let said = sent.map(|request| {
        let verb = if request.query.contains("watch=true") { "WATCH" } else { &request.method };
        format!("{verb} {}", request.path.rsplit('/').next().unwrap_or_default())
    });
    said.collect()
}

fn istio() -> Vec<Value> {
    serde_saphyr::from_multiple(ISTIO).expect("CRDs")
}
