//! The metrics backend of a cluster: what is scraped, what queries come to, and what can go wrong with it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::dataplane::{Entry, Flow};
use sluice_sandbox::metrics::{Labels, Store, Values, handle};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn escaped(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn body(response: &sluice_sandbox::api::request::Response) -> Value {
    match &response.body {
        Body::Whole(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
        Body::Watch(_) => Value::Null,
    }
}

/// A cluster that is scraped every 15 s and has a stable and a canary Service with pods behind them; a tenth of the
/// requests through the Ingress goes to the canary, which fails half of them.
fn shop() -> Cluster {
    let mut cluster = Cluster::new(1, 1, start());
    create(&mut cluster, "/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    for (name, hash, pods, errors) in [("web-stable", "aaa", 2, "0"), ("web-canary", "bbb", 1, "0.5")] {
        let labels = json!({"app": "web", "rollouts-pod-template-hash": hash});
        create(
            &mut cluster,
            "/apis/apps/v1/namespaces/shop/replicasets",
            &json!({
                "metadata": {"name": format!("web-{hash}")},
                "spec": {
                    "replicas": pods,
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels, "annotations": {"sandbox.sluice.dev/error-rate": errors}},
                        "spec": {"containers": [{"name": "web", "image": "web:1"}]},
                    },
                },
            }),
        );
        create(
            &mut cluster,
            "/api/v1/namespaces/shop/services",
            &json!({"metadata": {"name": name}, "spec": {"selector": labels, "ports": [{"port": 80}]}}),
        );
    }
    for (name, service, annotations) in [
        ("web", "web-stable", json!({})),
        (
            "web-canary",
            "web-canary",
            json!({
                "nginx.ingress.kubernetes.io/canary": "true",
                "nginx.ingress.kubernetes.io/canary-weight": "10",
            }),
        ),
    ] {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
        create(
            &mut cluster,
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses",
            &json!({
                "metadata": {"name": name, "annotations": annotations},
                "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.test", "http": {"paths": [path]}}]},
            }),
        );
    }
    cluster.advance_to(after(60));
    cluster.metrics_mut().scrape_every(SignedDuration::from_secs(15), after(60));
    let flow = Flow::get("load", Entry::Ingress, "shop.test", 100);
    cluster.plane_mut().send(flow, after(60));
    cluster
}

fn create(cluster: &mut Cluster, path: &str, object: &Value) {
    let response = cluster.handle(&Request::post(path, object).as_user(User::admin()));
    assert_eq!(response.status, 201, "{path}: {}", response.json_body());
}

/// The values of an instant query, in the order of the labels.
fn ask(cluster: &Cluster, query: &str) -> Vec<f64> {
    let request = Request::get(&format!("/api/v1/query?query={}", escaped(query)));
    let response = cluster.ask_metrics(&request).response.expect("an answer");
    let body = body(&response);
    assert_eq!(response.status, 200, "{query}: {body}");
    let value = |entry: &Value| entry["value"][1].as_str().and_then(|text| text.parse().ok()).expect("a number");
    body["data"]["result"].as_array().expect("a vector").iter().map(value).collect()
}

fn near(seen: &[f64], wanted: &[f64]) {
    let close =
        seen.len() == wanted.len() && seen.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6 * b.abs().max(1.0));
    assert!(close, "{seen:?} is not {wanted:?}");
}

#[test]
fn a_tenth_of_the_traffic_is_seen_on_the_canary_with_its_errors() {
    let mut cluster = shop();
    cluster.advance_to(after(360));
    near(&ask(&cluster, "sum(rate(http_requests_total[2m]))"), &[100.0]);
    near(&ask(&cluster, r#"sum(rate(http_requests_total{rollouts_pod_template_hash="bbb"}[2m]))"#), &[10.0]);
    near(&ask(&cluster, r#"sum(rate(http_requests_total{service="web-canary",code="500"}[2m]))"#), &[5.0]);
    near(&ask(&cluster, r#"sum(rate(nginx_ingress_controller_requests{canary="shop-web-canary-80"}[2m]))"#), &[10.0]);
    near(
        &ask(&cluster, r#"sum by (status) (rate(nginx_ingress_controller_requests{ingress="web",canary=""}[2m]))"#),
        &[90.0],
    );
    near(&ask(&cluster, r#"sum(up{job="pods"})"#), &[3.0]);
    near(&ask(&cluster, r#"sum(kube_pod_status_ready{condition="true"})"#), &[3.0]);
}

#[test]
fn latency_quantiles_are_those_that_the_pods_have() {
    let mut cluster = shop();
    cluster.advance_to(after(360));
    // A healthy pod answers half of its requests within 20 ms, which is the bound of a bucket.
    let query = "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[2m])))";
    let seen = ask(&cluster, query);
    assert!(seen.len() == 1 && (seen[0] - 0.020).abs() < 0.000_1, "{seen:?}");
}

#[test]
fn a_pod_that_is_gone_is_gone_from_the_metrics_at_the_next_scrape() {
    let mut cluster = shop();
    cluster.advance_to(after(120));
    let scale = json!({"spec": {"replicas": 0}});
    let path = "/apis/apps/v1/namespaces/shop/replicasets/web-bbb";
    let request = Request::patch(path, "application/merge-patch+json", &scale);
    assert_eq!(cluster.handle(&request.as_user(User::admin())).status, 200);
    cluster.advance_to(after(180));
    assert_eq!(ask(&cluster, r#"up{rollouts_pod_template_hash="bbb"}"#), Vec::<f64>::new());
    near(&ask(&cluster, "count(up)"), &[2.0]);
}

#[test]
fn counters_that_are_reset_change_no_rate() {
    let mut cluster = shop();
    cluster.advance_to(after(240));
    cluster.metrics_mut().reset_counters();
    cluster.advance_to(after(270));
    near(&ask(&cluster, "sum(http_requests_total)"), &[3_000.0]);
    cluster.advance_to(after(360));
    near(&ask(&cluster, "sum(resets(http_requests_total[5m])) > bool 0"), &[1.0]);
    // Nothing is lost: what came after the last scrape counts in the first one after the reset.
    near(&ask(&cluster, "sum(rate(http_requests_total[2m]))"), &[100.0]);
}

#[test]
fn a_backend_that_is_gone_or_slow_says_nothing_or_takes_its_time() {
    let mut cluster = shop();
    let request = Request::get("/api/v1/query?query=up");
    cluster.metrics_mut().faults_mut().slow = SignedDuration::from_secs(40);
    let answer = cluster.ask_metrics(&request);
    assert_eq!(
        (answer.after, answer.response.map(|response| response.status)),
        (SignedDuration::from_secs(40), Some(200))
    );
    cluster.metrics_mut().faults_mut().gone = true;
    assert!(cluster.ask_metrics(&request).response.is_none());
}

#[test]
fn a_backend_can_answer_with_nothing_and_with_what_is_not_a_number() {
    let mut cluster = shop();
    cluster.advance_to(after(120));
    cluster.metrics_mut().faults_mut().values = Values::Empty;
    assert_eq!(ask(&cluster, "sum(up)"), Vec::<f64>::new());
    cluster.metrics_mut().faults_mut().values = Values::NotANumber;
    let seen = ask(&cluster, "sum(up)");
    assert!(seen.len() == 1 && seen[0].is_nan(), "{seen:?}");
}

#[test]
fn samples_that_nobody_renews_are_found_for_five_minutes() {
    let mut cluster = shop();
    cluster.advance_to(after(120));
    cluster.metrics_mut().faults_mut().stale = true;
    cluster.advance_to(after(420));
    near(&ask(&cluster, r#"sum(up{job="pods"})"#), &[3.0]);
    cluster.advance_to(after(421));
    assert_eq!(ask(&cluster, r#"sum(up{job="pods"})"#), Vec::<f64>::new());
    cluster.metrics_mut().faults_mut().stale = false;
    cluster.advance_to(after(435));
    near(&ask(&cluster, r#"sum(up{job="pods"})"#), &[3.0]);
}

#[test]
fn two_forks_of_a_cluster_measure_the_same() {
    let mut cluster = shop();
    let mut fork = cluster.clone();
    cluster.advance_to(after(600));
    for second in (70..=600).step_by(10) {
        fork.advance_to(after(second));
    }
    let query = "sum by (pod, code, service) (http_requests_total)";
    assert_eq!(ask(&cluster, query), ask(&fork, query));
}

#[test]
fn samples_can_be_pushed_by_hand() {
    let mut store = Store::default();
    for (second, value) in [(0, 1.0), (15, 2.0), (30, 4.0)] {
        store.push(Labels::of("queue_length", &[("queue", "mail")]), after(second), value);
    }
    let request = Request::get("/api/v1/query?query=queue_length");
    let seen = body(&handle(&store, &request, after(31)));
    assert_eq!(
        seen,
        json!({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"__name__": "queue_length", "queue": "mail"}, "value": [1_767_225_631, "4"]},
        ]}})
    );
}

#[test]
fn what_can_not_be_evaluated_is_refused_in_the_shape_that_prometheus_has() {
    let store = Store::default();
    let deep = format!("{}up{}", "(".repeat(150), ")".repeat(150));
    let long = format!("up{}", "+up".repeat(4_000));
    let chain = format!("up{}", "+1".repeat(2_000));
    let signs = format!("{}up", "-".repeat(4_000));
    for query in ["sum(", "rate(up)", "nothing_like_this(up)", "up fill(0) up", "", &deep, &long, &chain, &signs] {
        let request = Request::get(&format!("/api/v1/query?query={}", escaped(query)));
        let response = handle(&store, &request, start());
        let seen = body(&response);
        assert_eq!((response.status, &seen["status"], &seen["errorType"]), (400, &json!("error"), &json!("bad_data")));
        let words = seen["error"].as_str().unwrap_or_default();
        assert!(words.starts_with("invalid parameter \"query\": parse error: "), "{query}: {words}");
    }
}

#[test]
fn a_subquery_without_bounds_ends_with_an_error_instead_of_never() {
    let mut store = Store::default();
    store.push(Labels::of("up", &[]), start(), 1.0);
    let query = escaped("count_over_time(vector(1)[1000y:1ms])");
    let response = handle(&store, &Request::get(&format!("/api/v1/query?query={query}")), start());
    assert_eq!((response.status, &body(&response)["errorType"]), (422, &json!("execution")));
}
