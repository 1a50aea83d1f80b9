//! When a deleted Rollout would leave something broken behind.

use serde_json::json;
use sluice_traffic::needs_finalizer;

use crate::support::{World, case, objects, routing, stored, yaml};

fn held(traffic_routing: &str, there: &[&str]) -> bool {
    let case = case(traffic_routing);
    let routing = routing(&case);
    let world: World = there.iter().map(|object| stored(yaml(object))).collect();
    needs_finalizer(&routing, &objects(&world, &routing, &json!({})))
}

const ISTIO: &str = "{istio: {virtualService: {name: web}}, managedRoutes: [{name: beta}]}";
const IDLE: &str = "
kind: VirtualService
metadata: {name: web}
spec: {http: [{route: [{destination: {host: web-stable}, weight: 100}, {destination: {host: web-canary}, weight: 0}]}]}
";
const SHARED: &str = "
kind: VirtualService
metadata: {name: web}
spec: {http: [{route: [{destination: {host: web-stable}, weight: 80}, {destination: {host: web-canary}, weight: 20}]}]}
";
const WITH_ROUTE: &str = "
kind: VirtualService
metadata: {name: web}
spec:
  http:
  - {name: beta, match: [{headers: {x: {exact: w}}}], route: [{destination: {host: web-canary}, weight: 100}]}
  - {route: [{destination: {host: web-stable}, weight: 100}, {destination: {host: web-canary}, weight: 0}]}
";

#[test]
fn an_idle_route_needs_none() {
    assert!(!held(ISTIO, &[IDLE]));
}

#[test]
fn a_share_in_a_shared_object_needs_one() {
    assert!(held(ISTIO, &[SHARED]));
}

#[test]
fn a_header_route_in_a_shared_object_needs_one() {
    assert!(held(ISTIO, &[WITH_ROUTE]));
}

#[test]
fn an_object_that_is_gone_needs_none() {
    assert!(!held(ISTIO, &[]));
}

#[test]
fn what_the_rollout_owns_goes_with_it() {
    let canary = "
kind: Ingress
metadata:
  name: web-web-canary
  annotations: {nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '50'}
  ownerReferences: [{kind: Rollout, name: web, uid: uid-of-web, controller: true}]
spec: {}
";
    assert!(!held("{nginx: {stableIngress: web}}", &[canary]));
}
