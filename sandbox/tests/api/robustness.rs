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

fn body(random: &mut Random) -> Vec<u8> {
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "required": ["a"]}}}},
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec[?(@.a=='b')]"}]}],
        },
    });
    let service = json!({"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    let operations =
        json!([{"op": "replace", "path": "/spec", "value": 1}, {"op": "move", "from": "/metadata", "path": "/spec/x"}]);
    let wholes = [pod("web"), deployment("web", 1), service, definition, operations, json!({"spec": {"replicas": 3}})];
    let mut value = wholes[index(random, wholes.len())].clone();
    for _ in 0..random.below(4) {
        spoil(random, &mut value);
    }
    let mut bytes = value.to_string().into_bytes();
    if random.chance(200_000) {
        let at = index(random, bytes.len());
        bytes[at] = u8::try_from(random.below(256)).unwrap_or(0);
    }
    if random.chance(50_000) {
        bytes.truncate(index(random, bytes.len()));
    }
    bytes
}

fn request(random: &mut Random) -> Request {
    let method = pick(random, &["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""]);
    let path = pick(random, PATHS);
    let mut request = Request::new(method, &format!("{path}?{}", pick(random, QUERIES)))
        .with_header("content-type", pick(random, TYPES))
        .with_header("accept", pick(random, ACCEPTS))
        .as_user(User::admin());
    if method != "GET" {
        request.body = body(random).into();
    }
    request
}

#[test]
fn thousands_of_odd_requests_are_all_answered() {
    for seed in 0..20 {
        let mut random = Random::seeded(seed);
        let mut cluster = Cluster::new();
        for step in 0..200 {
            let request = request(&mut random);
            let said = format!("seed {seed}, step {step}: {} {}?{}", request.method, request.path, request.query);
            let before = cluster.world.revision();
            let response = cluster.send(request);
            assert!((200..600).contains(&response.status), "{said}: {}", response.status);
            if response.status >= 400 {
                assert_eq!(cluster.world.revision(), before, "{said}: a refusal changes nothing");
            }
            if let Body::Watch(cursor) = response.body {
                let mut cursor = *cursor;
                cluster.events(&mut cursor);
            }
        }
    }
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
