//! Golden signals, as queries and as what comes of them in a cluster that has traffic.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_analysis::signals::fill;
use sluice_crds::analysis::Metric;
use sluice_crds::mistake::FieldPath;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::dataplane::{Entry, Flow};

const CRDS: [&str; 2] =
    [include_str!("../../e2e/router-crds/istio.yaml"), include_str!("../../e2e/router-crds/gateway-api.yaml")];

fn rollout() -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"strategy": {"canary": {"canaryService": "web-canary", "stableService": "web-stable"}}},
    })
}

/// The query that a signal becomes, or what keeps it from becoming one.
fn query(signal: &Value, rollout: &Value) -> Result<String, Vec<String>> {
    let metric = json!({"name": "errors", "provider": {"prometheus": {"signal": signal}}});
    let mut metrics: Vec<Metric> = vec![serde_json::from_value(metric).expect("a metric")];
    fill(&FieldPath::of("spec.strategy.canary.analysis.templates"), &mut metrics, rollout)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let prometheus = metrics.remove(0).provider.and_then(|provider| provider.prometheus).expect("Prometheus");
    assert!(prometheus.signal.is_none(), "a run shows the query");
    Ok(prometheus.query.expect("a query"))
}

#[test]
fn a_signal_is_a_query_that_the_run_shows() {
    let rows = [
        (
            json!({"dataPlane": "nginx", "measure": "requests"}),
            "sum(increase(nginx_ingress_controller_requests\
             {namespace=\"shop\",service=\"web-stable\",canary=~\"shop-web-canary-[^-]+\"}[1m]))",
        ),
        (
            json!({"dataPlane": "istio", "measure": "successRate", "of": "stable", "window": "1m30s"}),
            "1 - (sum(rate(istio_requests_total{reporter=\"destination\",destination_service_namespace=\"shop\",\
             destination_service_name=~\"web-stable\",response_code=~\"5..\"}[90s])) or vector(0)) \
             / sum(rate(istio_requests_total{reporter=\"destination\",destination_service_namespace=\"shop\",\
             destination_service_name=~\"web-stable\"}[90s]))",
        ),
        (
            json!({"dataPlane": "gatewayAPI", "measure": "p95", "of": "both"}),
            "histogram_quantile(0.95, sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket\
             {envoy_cluster_name=~\"(.*[/_])?shop[/_](web-canary|web-stable)([/_].*)?\"}[1m])))",
        ),
    ];
    for (signal, expected) in rows {
        assert_eq!(query(&signal, &rollout()), Ok(expected.to_owned()));
    }
}

#[test]
fn a_rollout_without_services_can_not_tell_its_traffic_apart() {
    let alone = json!({"metadata": {"name": "web"}, "spec": {"strategy": {"canary": {"stableService": "web"}}}});
    let problem = "spec.strategy.canary.analysis.templates: asks for a signal (errors) that is told apart by Services; \
                   set canaryService in the strategy";
    let signal = json!({"dataPlane": "istio", "measure": "p50"});
    assert_eq!(query(&signal, &alone), Err(vec![problem.to_owned()]));
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn create(cluster: &mut Cluster, path: &str, object: &Value) {
    let response = cluster.handle(&Request::post(path, object).as_user(User::admin()));
    assert_eq!(response.status, 201, "{path}: {}", response.json_body());
}

/// A tenth of the requests through each data plane goes to the canary, which fails half of them.
fn shop() -> Cluster {
    let mut cluster = Cluster::new(1, 1, start());
    for crd in CRDS.iter().flat_map(|file| file.split("\n---\n")) {
        let crd: Value = serde_saphyr::from_str(crd).expect("YAML");
        create(&mut cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
    }
    create(&mut cluster, "/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    for (name, pods, errors) in [("web-stable", 2, "0"), ("web-canary", 1, "0.5")] {
        let labels = json!({"app": name});
        let template = json!({
            "metadata": {"labels": labels, "annotations": {"sandbox.sluice.dev/error-rate": errors}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        });
        let spec = json!({"replicas": pods, "selector": {"matchLabels": labels}, "template": template});
        let path = "/apis/apps/v1/namespaces/shop/replicasets";
        create(&mut cluster, path, &json!({"metadata": {"name": name}, "spec": spec}));
        let spec = json!({"selector": labels, "ports": [{"port": 80}]});
        let path = "/api/v1/namespaces/shop/services";
        create(&mut cluster, path, &json!({"metadata": {"name": name}, "spec": spec}));
    }
    routes(&mut cluster);
    cluster.advance_to(after(60));
    cluster.metrics_mut().scrape_every(SignedDuration::from_secs(15), after(60));
    for (name, entry, host) in [
        ("nginx", Entry::Ingress, "nginx.test"),
        ("mesh", Entry::Mesh, "web.shop"),
        ("gateway", Entry::Gateway, "gateway.test"),
    ] {
        cluster.plane_mut().send(Flow::get(name, entry, host, 100), after(60));
    }
    cluster.advance_to(after(360));
    cluster
}

fn routes(cluster: &mut Cluster) {
    let canary = json!({
        "nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "10",
    });
    for (name, service, annotations) in [("web", "web-stable", json!({})), ("web-canary", "web-canary", canary)] {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        let http = json!({"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]});
        let spec = json!({"ingressClassName": "nginx", "rules": [{"host": "nginx.test", "http": http}]});
        let path = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";
        create(cluster, path, &json!({"metadata": {"name": name, "annotations": annotations}, "spec": spec}));
    }
    let route = json!([
        {"destination": {"host": "web-stable"}, "weight": 90}, {"destination": {"host": "web-canary"}, "weight": 10},
    ]);
    create(
        cluster,
        "/apis/networking.istio.io/v1/namespaces/shop/virtualservices",
        &json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web"},
            "spec": {"hosts": ["web"], "http": [{"route": route}]},
        }),
    );
    let backends = json!([
        {"name": "web-stable", "port": 80, "weight": 90}, {"name": "web-canary", "port": 80, "weight": 10},
    ]);
    let spec = json!({"hostnames": ["gateway.test"], "rules": [{"backendRefs": backends}]});
    let path = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes";
    create(
        cluster,
        path,
        &json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": spec,
        }),
    );
}

fn measured(cluster: &Cluster, signal: &Value) -> f64 {
    let query = query(signal, &rollout()).expect("a query");
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let request = Request::get(&format!("/api/v1/query?query={escaped}"));
    let response = cluster.ask_metrics(&request).response.expect("an answer");
    let Body::Whole(bytes) = &response.body else { panic!("no watch") };
    let body: Value = serde_json::from_slice(bytes).expect("JSON");
    let value = body["data"]["result"][0]["value"][1].as_str().and_then(|text| text.parse().ok());
    value.unwrap_or_else(|| panic!("{query}: {body}"))
}

#[test]
fn each_data_plane_tells_the_canary_from_the_stable_revision() {
    let cluster = shop();
    for plane in ["nginx", "istio", "gatewayAPI"] {
        // (measure, whose, from, to)
        for (measure, of, from, to) in [
            ("requests", "canary", 599.0, 601.0),
            ("requests", "stable", 5_399.0, 5_401.0),
            ("requests", "both", 5_999.0, 6_001.0),
            ("successRate", "canary", 0.499, 0.501),
            ("successRate", "stable", 0.999, 1.001),
            ("successRate", "both", 0.949, 0.951),
            ("p50", "stable", 15.0, 25.0),
            ("p99", "canary", 50.0, 500.0),
        ] {
            let value = measured(&cluster, &json!({"dataPlane": plane, "measure": measure, "of": of}));
            assert!((from..=to).contains(&value), "{measure} of {of} by {plane}: {value}");
        }
    }
}
