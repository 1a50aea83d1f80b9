//! Ingresses and what nginx is told.

use std::path::Path;

use serde_json::{Value, json};

use super::config::{Frame, text};
use crate::dataplane::view::View;

const WORLD: &str = "
kind: Service
metadata: {name: old}
spec: {ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: new}
spec: {ports: [{name: http, port: 80}]}
---
kind: EndpointSlice
metadata: {name: old-1, labels: {kubernetes.io/service-name: old}}
ports: [{name: http, port: 8080}]
endpoints:
  - {addresses: [10.244.0.1], conditions: {ready: true}}
  - {addresses: [10.244.0.2], conditions: {ready: true}}
  - {addresses: [10.244.0.3], conditions: {ready: false, serving: true, terminating: true}}
---
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: old, port: {name: http}}}}]}
---
kind: Ingress
metadata: {name: web-canary}
spec:
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: new, port: {number: 80}}}}]}
";

/// The lines of the configuration that say who serves, with these annotations on the canary Ingress.
fn told(annotations: &[(&str, &str)]) -> Vec<String> {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(WORLD).expect("YAML");
    for (name, value) in annotations {
        objects[4]["metadata"]["annotations"][format!("nginx.ingress.kubernetes.io/{name}")] = json!(value);
    }
    let listen = "127.0.0.1:81".parse().expect("an address");
    let frame = Frame { folder: Path::new("/f"), listen, generation: 7 };
    let text = text(&View::of(objects), frame).expect("it can be said");
    let says = ["upstream", "split_clients", "map ", "location /"];
    let lines = text.lines().map(str::trim).filter(|line| says.iter().any(|word| line.starts_with(word)));
    lines.map(str::to_owned).collect()
}

const OLD: &str = "upstream old_80 { server 127.244.0.1:8080 max_fails=0; server 127.244.0.2:8080 max_fails=0; }";
const NEW: &str = "upstream new_80 { server unix:/f/nobody.sock max_fails=0; }";

#[test]
fn an_ingress_sends_to_the_ready_pods_of_its_service() {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(WORLD).expect("YAML");
    objects.truncate(4);
    let listen = "127.0.0.1:81".parse().expect("an address");
    let frame = Frame { folder: Path::new("/f"), listen, generation: 7 };
    let text = text(&View::of(objects), frame).expect("it can be said");
    assert!(text.contains(OLD), "{text}");
    assert!(text.contains("server_name web.example.com;"), "{text}");
    assert!(text.contains("location = /-/generation { return 200 \"7\"; }"), "{text}");
    assert!(text.contains("location / { proxy_pass http://old_80; }"), "{text}");
}

#[test]
fn a_canary_takes_its_weight_of_its_total() {
    let half_a_percent = told(&[("canary", "true"), ("canary-weight", "5"), ("canary-weight-total", "1000")]);
    let split = "split_clients $request_id $weight0 { 0.50% new_80; * old_80; }";
    assert_eq!(half_a_percent, [NEW, OLD, split, "location / { proxy_pass http://$weight0; }"]);
}

#[test]
fn nothing_and_everything_are_not_divided() {
    let nothing = told(&[("canary", "true"), ("canary-weight", "0")]);
    assert_eq!(nothing, [NEW, OLD, "location / { proxy_pass http://old_80; }"]);
    let everything = told(&[("canary", "true"), ("canary-weight", "100")]);
    assert_eq!(everything, [NEW, OLD, "location / { proxy_pass http://new_80; }"]);
}

#[test]
fn a_header_comes_before_a_cookie_and_that_before_the_weight() {
    let annotations = [
        ("canary", "true"),
        ("canary-weight", "20"),
        ("canary-by-cookie", "beta"),
        ("canary-by-header", "X-Tester"),
        ("canary-by-header-value", "yes"),
    ];
    assert_eq!(
        told(&annotations),
        [
            NEW,
            OLD,
            "split_clients $request_id $weight0 { 20.00% new_80; * old_80; }",
            "map $cookie_beta $cookie0 { default $weight0; always new_80; never old_80; }",
            "map $http_x_tester $header0 { default $cookie0; \"yes\" new_80; }",
            "location / { proxy_pass http://$header0; }",
        ]
    );
}

#[test]
fn a_header_may_match_a_pattern_or_say_always_and_never() {
    let by = |more: &[(&str, &str)]| told(&[&[("canary", "true"), ("canary-by-header", "x-tester")], more].concat());
    let pattern = "map $http_x_tester $header0 { default old_80; \"~^qa-\" new_80; }";
    assert!(by(&[("canary-by-header-pattern", "^qa-")]).contains(&pattern.to_owned()));
    let always = "map $http_x_tester $header0 { default old_80; always new_80; never old_80; }";
    assert!(by(&[]).contains(&always.to_owned()));
}
