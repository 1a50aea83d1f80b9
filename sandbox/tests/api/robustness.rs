//! Whatever is sent, the server answers: with a success or with a refusal, never with a panic.

use serde_json::{Value, json};
use sluice_sandbox::Random;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request};

use crate::support::{Cluster, deployment, pod};

const PATHS: &[&str] = &[
    "/",
    "/api",
    "/apis",
    "/api/v1",
    "/api/v1/namespaces",
    "/api/v1/namespaces/shop",
    "/api/v1/namespaces/shop/finalize",
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/pods/web",
    "/api/v1/namespaces/shop/pods/web/status",
    "/api/v1/namespaces/shop/pods/web/eviction",
    "/api/v1/namespaces/shop/pods/web/binding",
    "/api/v1/namespaces/shop/services",
    "/api/v1/namespaces/shop/services/web",
    "/api/v1/namespaces/shop/events",
    "/apis/events.k8s.io/v1/namespaces/shop/events",
    "/apis/apps/v1/namespaces/shop/deployments",
    "/apis/apps/v1/namespaces/shop/deployments/web",
    "/apis/apps/v1/namespaces/shop/deployments/web/scale",
    "/apis/apps/v1/namespaces/shop/deployments/web/status",
    "/apis/policy/v1/namespaces/shop/poddisruptionbudgets",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/openapi/v3",
    "/openapi/v3/apis/apps/v1",
    "/%ff/%00",
    "/api/v1/namespaces/%2e%2e/pods/%20",
];

const QUERIES: &[&str] = &[
    "",
    "limit=1",
    "limit=-1",
    "limit=99999999999999999999",
    "continue=%00",
    "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiIn0",
    "resourceVersion=18446744073709551615",
    "resourceVersion=-1",
    "watch=true&resourceVersion=1&timeoutSeconds=0",
    "watch=1&allowWatchBookmarks=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan",
    "labelSelector=a%20in%20(",
    "labelSelector=%21%21a,,",
    "fieldSelector=metadata.name%3D%5C",
    "fieldManager=me&force=true",
    "fieldManager=me&fieldValidation=Strict&dryRun=All",
    "dryRun=Some&propagationPolicy=Sideways",
    "gracePeriodSeconds=-9223372036854775808",
];

const TYPES: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "nonsense",
];

const ACCEPTS: &[&str] =
    &["", "application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/yaml", "a/b"];

/// Values that somebody could put where another one belongs.
fn odd_value(random: &mut Random) -> Value {
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{1F600}"),
        json!("-"),
        json!([]),
        json!([null, {}, [[]]]),
        json!({}),
        json!({"": {"$patch": "delete"}}),
        json!([{"op": "copy", "from": "", "path": "/metadata/x"}]),
    ];
    odd[index(random, odd.len())].clone()
}

fn index(random: &mut Random, count: usize) -> usize {
    usize::try_from(random.below(count as u64)).unwrap_or(0)
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[index(random, from.len())]
}

/// Replaces something somewhere inside by something odd.
fn spoil(random: &mut Random, value: &mut Value) {
    if random.chance(150_000) {
        *value = odd_value(random);
        return;
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = index(random, fields.len());
            if let Some(inner) = fields.values_mut().nth(at) {
                spoil(random, inner);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = index(random, items.len());
            spoil(random, &mut items[at]);
        }
        _ => *value = odd_value(random),
    }
}

fn definition() -> Value {
    json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "required": ["a"]}}}},
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec[?(@.a=='b')]"}],
            }],
        },
    })
}

/// What somebody could mean: method, path, content type and body.
fn sensible(random: &mut Random) -> (&'static str, &'static str, &'static str, Value) {
    let json_type = "application/json";
    let service = json!({"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    let budget =
        json!({"metadata": {"name": "keep"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}});
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]});
    let review = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    let event = json!({"metadata": {"generateName": "e"}, "involvedObject": {"namespace": "shop"}, "reason": "x"});
    let operations = json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}, {"op": "copy", "from": "/spec", "path": "/spec/x"}]);
    let widget =
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"a": "b"}});
    let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let deployments = "/apis/apps/v1/namespaces/shop/deployments";
    let web = "/apis/apps/v1/namespaces/shop/deployments/web";
    let pods = "/api/v1/namespaces/shop/pods";
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let widgets = "/apis/example.com/v1/namespaces/shop/widgets";
    let all = [
        ("GET", pods, json_type, Value::Null),
        ("GET", deployments, json_type, Value::Null),
        ("POST", pods, json_type, pod("web")),
        ("POST", deployments, json_type, deployment("web", 1)),
        ("POST", "/api/v1/namespaces/shop/services", json_type, service),
        ("POST", "/api/v1/namespaces/shop/events", json_type, event),
        ("POST", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", json_type, budget),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings", json_type, binding),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json_type, review),
        ("POST", crds, json_type, definition()),
        ("POST", widgets, json_type, widget.clone()),
        ("PATCH", "/apis/example.com/v1/namespaces/shop/widgets/w", "application/apply-patch+yaml", widget.clone()),
        ("PUT", "/apis/example.com/v1/namespaces/shop/widgets/w", json_type, widget),
        ("PATCH", web, "application/apply-patch+yaml", deployment("web", 2)),
        ("PATCH", web, "application/strategic-merge-patch+json", deployment("web", 3)),
        ("PATCH", web, "application/merge-patch+json", json!({"spec": {"replicas": 4}})),
        ("PATCH", web, "application/json-patch+json", operations),
        ("PUT", web, json_type, deployment("web", 5)),
        ("PATCH", "/api/v1/namespaces/shop/pods/web/status", "application/strategic-merge-patch+json", status),
        (
            "PUT",
            "/apis/apps/v1/namespaces/shop/deployments/web/scale",
            json_type,
            json!({"metadata": {"name": "web"}, "spec": {"replicas": 6}}),
        ),
        ("POST", "/api/v1/namespaces/shop/pods/web/eviction", json_type, json!({"metadata": {"name": "web"}})),
        ("DELETE", "/api/v1/namespaces/shop/pods/web", json_type, json!({"propagationPolicy": "Foreground"})),
        ("DELETE", crds, json_type, Value::Null),
    ];
    all[index(random, all.len())].clone()
}

fn request(random: &mut Random) -> Request {
    let (method, path, kind, mut body) = sensible(random);
    for _ in 0..random.below(3) {
        spoil(random, &mut body);
    }
    let odd = |random: &mut Random| random.chance(80_000);
    let path = if odd(random) { pick(random, PATHS) } else { path };
    let method =
        if odd(random) { pick(random, &["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""]) } else { method };
    let kind = if odd(random) { pick(random, TYPES) } else { kind };
    let accept = if random.chance(300_000) { pick(random, ACCEPTS) } else { "" };
    let query = match () {
        () if random.chance(300_000) => pick(random, QUERIES),
        () if kind == "application/apply-patch+yaml" => "fieldManager=me",
        () => "",
    };
    let mut bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    if odd(random) && !bytes.is_empty() {
        let at = index(random, bytes.len());
        bytes[at] = u8::try_from(random.below(256)).unwrap_or(0);
    }
    let mut request = Request::new(method, &format!("{path}?{query}"))
        .with_header("content-type", kind)
        .with_header("accept", accept)
        .as_user(User::admin());
    request.body = bytes.into();
    request
}

#[test]
fn thousands_of_odd_requests_are_all_answered() {
    let mut accepted = 0;
    for seed in 0..20 {
        let mut random = Random::seeded(seed);
        let mut cluster = Cluster::new();
        for step in 0..300 {
            let request = request(&mut random);
            let said = format!("seed {seed}, step {step}: {} {}?{}", request.method, request.path, request.query);
            let before = cluster.world.revision();
            let response = cluster.send(request);
            assert!((200..600).contains(&response.status), "{said}: {}", response.status);
            accepted += usize::from(response.status < 300);
            if response.status >= 400 {
                assert_eq!(cluster.world.revision(), before, "{said}: a refusal changes nothing");
            }
            if let Body::Watch(cursor) = response.body {
                let mut cursor = *cursor;
                cluster.events(&mut cursor);
            }
        }
    }
    assert!(accepted > 1_000, "only {accepted} requests made sense");
}

#[test]
fn the_same_requests_give_the_same_bytes() {
    let story = || {
        let mut random = Random::seeded(11);
        let mut cluster = Cluster::new();
        let answers: Vec<(u16, String)> = (0..200)
            .map(|_| {
                let response = cluster.send(request(&mut random));
                let body = match response.body {
                    Body::Whole(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    Body::Watch(_) => "watch".to_owned(),
                };
                (response.status, body)
            })
            .collect();
        answers
    };
    assert_eq!(story(), story());
}
