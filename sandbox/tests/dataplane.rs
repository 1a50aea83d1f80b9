//! Where requests go, and what becomes of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::dataplane::{BUCKETS_MS, DataPlane, Entry, Flow, Mishap, Objects, Plane};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// Objects of one namespace, by kind.
#[derive(Clone, Default)]
struct Cluster(Vec<Value>);

impl Cluster {
    fn with(mut self, object: Value) -> Self {
        self.0.push(object);
        self
    }

    fn of(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    fn objects(&self) -> Objects<'_> {
        Objects {
            endpoint_slices: self.of("EndpointSlice"),
            http_routes: self.of("HTTPRoute"),
            ingresses: self.of("Ingress"),
            destination_rules: self.of("DestinationRule"),
            virtual_services: self.of("VirtualService"),
            pods: self.of("Pod"),
            services: self.of("Service"),
        }
    }

    /// A Service with so many ready pods of one revision.
    fn with_service(mut self, service: &str, revision: &str, pods: usize) -> Self {
        self.0.push(json!({"kind": "Service", "metadata": {"namespace": "shop", "name": service}}));
        let names: Vec<String> = (0..pods).map(|index| format!("{service}-{index}")).collect();
        self.0.extend(names.iter().map(|name| pod(name, revision)));
        self.0.push(slice(service, &names));
        self
    }
}

fn pod(name: &str, revision: &str) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "labels": {"rollouts-pod-template-hash": revision}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn slice(service: &str, pods: &[String]) -> Value {
    let endpoints: Vec<Value> = pods
        .iter()
        .map(|pod| json!({"conditions": {"ready": true, "serving": true, "terminating": false}, "targetRef": {"namespace": "shop", "name": pod}}))
        .collect();
    json!({
        "kind": "EndpointSlice",
        "metadata": {"namespace": "shop", "name": service, "labels": {"kubernetes.io/service-name": service}},
        "endpoints": endpoints,
    })
}

fn ingress(name: &str, service: &str, annotations: &Value) -> Value {
    json!({
        "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": name, "annotations": annotations},
        "spec": {"rules": [{"host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
    })
}

fn canary(annotations: &Value) -> Value {
    let mut all = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    for (key, value) in annotations.as_object().expect("annotations") {
        all[format!("nginx.ingress.kubernetes.io/{key}")] = value.clone();
    }
    ingress("canary", "canary", &all)
}

fn two_revisions() -> Cluster {
    Cluster::default().with_service("stable", "v1", 4).with_service("canary", "v2", 2)
}

fn shopper(rate_per_s: u32) -> Flow {
    Flow::get("shoppers", Entry::Ingress, "shop.example", rate_per_s)
}

fn plane_with(cluster: &Cluster) -> DataPlane {
    let mut plane = DataPlane::new(start());
    plane.observe(&cluster.objects(), start());
    plane
}

#[test]
fn a_weight_sends_exactly_its_share_to_the_canary() {
    let cluster =
        two_revisions().with(ingress("web", "stable", &json!({}))).with(canary(&json!({"canary-weight": "30"})));
    let mut plane = plane_with(&cluster);
    plane.send(shopper(50), start());
    plane.advance_to(after(20));
    assert_eq!(plane.record().requests("shoppers"), 1_000);
    assert_eq!(plane.record().revision("shoppers", "v1").requests, 700);
    assert_eq!(plane.record().revision("shoppers", "v2").requests, 300);
    assert_eq!(plane.record().met_no_ready_pod("shoppers"), 0);
}

#[test]
fn looking_more_often_changes_no_count() {
    let cluster =
        two_revisions().with(ingress("web", "stable", &json!({}))).with(canary(&json!({"canary-weight": "7"})));
    let mut seldom = plane_with(&cluster);
    let mut often = plane_with(&cluster);
    for plane in [&mut seldom, &mut often] {
        plane.send(shopper(37), start());
    }
    for millis in 1..=10_000 {
        often.advance_to(start() + SignedDuration::from_millis(millis));
    }
    seldom.advance_to(after(10));
    for plane in [&seldom, &often] {
        assert_eq!(plane.record().requests("shoppers"), 370);
        let canary = plane.record().revision("shoppers", "v2").requests;
        assert!((25..=26).contains(&canary), "7% of 370 is 25.9, not {canary}");
        assert_eq!(plane.record().stretches("shoppers").len(), 1);
    }
}

#[test]
fn a_weight_total_other_than_a_hundred_is_honoured() {
    let cluster = two_revisions()
        .with(ingress("web", "stable", &json!({})))
        .with(canary(&json!({"canary-weight": "5", "canary-weight-total": "1000"})));
    assert!((plane_with(&cluster).split(&shopper(1)).share_of("canary") - 0.005).abs() < 1e-12);
}

#[test]
fn header_beats_cookie_beats_weight() {
    let rows = [
        (json!({"canary-by-header": "X-New"}), ("x-new", "always"), 1.0),
        (json!({"canary-by-header": "X-New", "canary-weight": "100"}), ("x-new", "never"), 0.0),
        (json!({"canary-by-header": "X-New", "canary-weight": "40"}), ("x-new", "maybe"), 0.4),
        (json!({"canary-by-header": "X-New", "canary-by-header-value": "yes"}), ("x-new", "yes"), 1.0),
        (json!({"canary-by-header": "X-New", "canary-by-header-value": "yes"}), ("x-new", "always"), 0.0),
        (json!({"canary-by-header": "X-New", "canary-by-header-pattern": "^v[2-9]"}), ("x-new", "v2-beta"), 1.0),
        (json!({"canary-by-header": "X-New", "canary-by-header-pattern": "(("}), ("x-new", "(("), 0.0),
        (json!({"canary-by-cookie": "new"}), ("cookie", "a=b; new=always"), 1.0),
        (json!({"canary-by-cookie": "new", "canary-weight": "100"}), ("cookie", "new=never"), 0.0),
        (json!({"canary-by-cookie": "new", "canary-weight": "10"}), ("cookie", "new=1"), 0.1),
    ];
    for (annotations, (header, value), share) in rows {
        let cluster = two_revisions().with(ingress("web", "stable", &json!({}))).with(canary(&annotations));
        let split = plane_with(&cluster).split(&shopper(1).with_header(header, value));
        assert!(
            (split.share_of("canary") - share).abs() < 1e-12,
            "{annotations} with {header}: {value} gave {split:?}"
        );
    }
}

#[test]
fn requests_to_a_service_without_ready_pods_are_counted_as_lost() {
    let cluster = Cluster::default()
        .with_service("stable", "v1", 1)
        .with_service("canary", "v2", 0)
        .with(ingress("web", "stable", &json!({})))
        .with(canary(&json!({"canary-weight": "20"})));
    let mut plane = plane_with(&cluster);
    plane.send(shopper(100), start());
    plane.advance_to(after(1));
    assert_eq!(plane.record().met_no_ready_pod("shoppers"), 20);
}

#[test]
fn a_router_that_still_knows_a_pod_that_is_gone_loses_its_requests() {
    let before = Cluster::default().with_service("stable", "v1", 2).with(ingress("web", "stable", &json!({})));
    let mut plane = plane_with(&before);
    plane.propagation().set_delay(Plane::Endpoints, SignedDuration::from_secs(2));
    plane.send(shopper(10), start());
    plane.advance_to(after(1));
    let after_loss = Cluster::default().with_service("stable", "v1", 1).with(ingress("web", "stable", &json!({})));
    plane.observe(&after_loss.objects(), after(1));
    plane.advance_to(after(5));
    assert_eq!(plane.record().requests("shoppers"), 50);
    assert_eq!(plane.record().met_no_ready_pod("shoppers"), 10, "half of the requests of two seconds");
}

#[test]
fn a_change_of_weight_takes_its_time_and_can_be_lost_or_refused() {
    let with_weight = |weight: &str| {
        two_revisions().with(ingress("web", "stable", &json!({}))).with(canary(&json!({"canary-weight": weight})))
    };
    let shares = |mishap: Option<Mishap>| {
        let mut plane = plane_with(&with_weight("0"));
        plane.propagation().set_delay(Plane::Ingress, SignedDuration::from_secs(3));
        if let Some(mishap) = mishap {
            plane.propagation().script(Plane::Ingress, mishap);
        }
        plane.observe(&with_weight("50").objects(), after(10));
        let share_at = |plane: &mut DataPlane, seconds: i64| {
            plane.advance_to(after(seconds));
            plane.split(&shopper(1)).share_of("canary")
        };
        let early = [12, 13, 17].map(|seconds| share_at(&mut plane, seconds));
        plane.observe(&with_weight("60").objects(), after(20));
        let next = share_at(&mut plane, 23);
        plane.propagation().accept_again(Plane::Ingress, after(30));
        (early, next, share_at(&mut plane, 33))
    };
    assert_eq!(shares(None), ([0.0, 0.5, 0.5], 0.6, 0.6));
    assert_eq!(shares(Some(Mishap::Slow(SignedDuration::from_secs(4)))), ([0.0, 0.0, 0.5], 0.6, 0.6));
    assert_eq!(shares(Some(Mishap::Lost)), ([0.0, 0.0, 0.0], 0.6, 0.6));
    assert_eq!(shares(Some(Mishap::Refused)), ([0.0, 0.0, 0.0], 0.0, 0.6));
}

fn virtual_service(routes: &Value) -> Value {
    json!({
        "kind": "VirtualService",
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"hosts": ["web"], "http": routes},
    })
}

fn neighbour() -> Flow {
    Flow::get("neighbour", Entry::Mesh, "web.shop", 100)
}

#[test]
fn a_virtual_service_splits_matches_and_mirrors() {
    let cluster = two_revisions().with(virtual_service(&json!([
        {"match": [{"headers": {"x-new": {"exact": "yes"}}}], "route": [{"destination": {"host": "canary"}}]},
        {"match": [{"uri": {"prefix": "/api"}, "withoutHeaders": {"x-old": {}}}], "route": [{"destination": {"host": "stable"}, "weight": 25}, {"destination": {"host": "canary"}, "weight": 75}]},
        {"route": [{"destination": {"host": "stable"}, "weight": 90}, {"destination": {"host": "canary"}, "weight": 10}], "mirror": {"host": "canary"}, "mirrorPercentage": {"value": 35.0}},
    ])));
    let mut plane = plane_with(&cluster);
    for (flow, share) in [
        (neighbour(), 0.1),
        (neighbour().with_header("X-New", "yes"), 1.0),
        (neighbour().with_path("/api/cart"), 0.75),
        (neighbour().with_path("/api/cart").with_header("x-old", "1"), 0.1),
    ] {
        assert!((plane.split(&flow).share_of("canary") - share).abs() < 1e-12, "{flow:?}");
    }
    plane.send(neighbour(), start());
    plane.advance_to(after(2));
    assert_eq!(plane.record().revision("neighbour", "v2").requests, 20);
    assert_eq!(plane.record().mirrored("neighbour", "canary"), 70);
}

#[test]
fn a_subset_reaches_only_the_pods_with_its_labels() {
    let mut cluster = Cluster::default()
        .with(json!({"kind": "Service", "metadata": {"namespace": "shop", "name": "web"}}))
        .with(pod("a", "v1"))
        .with(pod("b", "v2"))
        .with(slice("web", &["a".to_owned(), "b".to_owned()]))
        .with(json!({
            "kind": "DestinationRule", "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"host": "web", "subsets": [
                {"name": "stable", "labels": {"rollouts-pod-template-hash": "v1"}},
                {"name": "canary", "labels": {"rollouts-pod-template-hash": "v2"}},
            ]},
        }))
        .with(virtual_service(&json!([{"route": [
            {"destination": {"host": "web", "subset": "stable"}, "weight": 80},
            {"destination": {"host": "web", "subset": "canary"}, "weight": 20},
        ]}])));
    let mut plane = plane_with(&cluster);
    plane.send(neighbour(), start());
    plane.advance_to(after(1));
    assert_eq!(plane.record().revision("neighbour", "v1").requests, 80);
    assert_eq!(plane.record().revision("neighbour", "v2").requests, 20);
    cluster.0.retain(|object| object["kind"] != "DestinationRule");
    plane.observe(&cluster.objects(), after(1));
    plane.advance_to(after(2));
    assert_eq!(plane.record().unrouted("neighbour"), 100);
}

#[test]
fn the_most_specific_http_route_takes_the_request() {
    let route = |name: &str, hosts: Value, rules: Value| json!({"kind": "HTTPRoute", "metadata": {"namespace": "shop", "name": name}, "spec": {"hostnames": hosts, "rules": rules}});
    let cluster = two_revisions()
        .with(route("wide", json!(["*.example"]), json!([{"backendRefs": [{"name": "canary"}]}])))
        .with(route("web", json!(["shop.example"]), json!([
            {"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}], "backendRefs": [{"name": "stable", "weight": 1}, {"name": "canary", "weight": 3}]},
            {"matches": [{"path": {"type": "Exact", "value": "/api/health"}}], "backendRefs": [{"name": "stable"}]},
            {"matches": [{"headers": [{"name": "X-New", "value": "yes"}]}], "backendRefs": [{"name": "canary"}]},
            {"backendRefs": [{"name": "stable", "weight": 9}, {"name": "canary", "weight": 1}], "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "canary"}, "percent": 20}}]},
        ])));
    let plane = plane_with(&cluster);
    let get = |host: &str| Flow::get("web", Entry::Gateway, host, 1);
    for (flow, share) in [
        (get("shop.example"), 0.1),
        (get("shop.example").with_header("x-new", "yes"), 1.0),
        (get("shop.example").with_path("/api/cart").with_header("x-new", "yes"), 0.75),
        (get("shop.example").with_path("/apiary"), 0.1),
        (get("shop.example").with_path("/api/health"), 0.0),
        (get("other.example"), 1.0),
    ] {
        assert!((plane.split(&flow).share_of("canary") - share).abs() < 1e-12, "{flow:?}");
    }
    let (percent, _) = plane.split(&get("shop.example")).mirrors[0].clone();
    assert!((percent - 20.0).abs() < f64::EPSILON);
}

#[test]
fn a_request_that_no_route_takes_is_counted_with_its_reason() {
    let mut plane = plane_with(&two_revisions());
    plane.send(Flow::get("lost", Entry::Gateway, "nowhere.example", 10), start());
    plane.send(Flow::get("gone", Entry::Service, "no-such-service.shop", 10), start());
    plane.advance_to(after(1));
    assert_eq!(plane.record().unrouted("lost"), 10);
    assert_eq!(plane.record().stretches("gone")[0].unrouted, [("no Service has this name".to_owned(), 10)].into());
}

#[test]
fn a_pod_on_its_way_out_serves_until_its_containers_stop() {
    let mut leaving = pod("stable-0", "v1");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:30Z");
    leaving["status"] = json!({"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{"state": {"running": {}}}]});
    let mut slice = slice("stable", &["stable-0".to_owned()]);
    slice["endpoints"][0]["conditions"] = json!({"ready": false, "serving": true, "terminating": true});
    let mut cluster = Cluster::default()
        .with(json!({"kind": "Service", "metadata": {"namespace": "shop", "name": "stable"}}))
        .with(slice)
        .with(leaving);
    let mut plane = plane_with(&cluster);
    plane.send(Flow::get("inside", Entry::Service, "stable.shop", 10), start());
    plane.advance_to(after(1));
    assert_eq!(plane.record().met_no_ready_pod("inside"), 0);
    cluster.0.last_mut().expect("the pod")["status"]["containerStatuses"] = json!([]);
    plane.observe(&cluster.objects(), after(1));
    plane.advance_to(after(2));
    assert_eq!(plane.record().met_no_ready_pod("inside"), 10);
}

#[test]
fn annotations_say_how_a_pod_answers() {
    let mut cluster = Cluster::default().with_service("stable", "v1", 2);
    for object in cluster.0.iter_mut().filter(|object| object["kind"] == "Pod") {
        object["metadata"]["annotations"] =
            json!({"sandbox.sluice.dev/error-rate": "0.05", "sandbox.sluice.dev/latency": "p50=150ms,p99=900ms"});
    }
    let mut plane = plane_with(&cluster);
    plane.send(Flow::get("inside", Entry::Service, "stable.shop", 100), start());
    plane.advance_to(after(100));
    let answered = plane.record().revision("inside", "v1");
    assert_eq!((answered.requests, answered.errors), (10_000, 500));
    let within = |bound_ms: f64| -> u64 {
        let upto = BUCKETS_MS.iter().filter(|bound| **bound <= bound_ms).count();
        answered.latency_buckets[..upto].iter().sum()
    };
    assert_eq!(answered.latency_buckets.iter().sum::<u64>(), 10_000);
    assert!(within(100.0) < 5_000 && within(200.0) > 5_000, "half of the answers take up to 150 ms");
    assert!(within(800.0) < 9_900 && within(1_000.0) > 9_900, "99% of the answers take up to 900 ms");
}
