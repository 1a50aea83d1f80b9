//! Names, needs and small verdicts.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_traffic::{Action, Kind, ObjectRef, Split, edits, is_in_force, split};

use crate::support::{World, case, objects, routing, stored, yaml};

#[test]
fn everything_that_has_to_be_read_is_named() {
    let case = case(
        "{nginx: {stableIngress: web}, istio: {virtualService: {name: web.mesh}, destinationRule: {name: web}},
          gatewayAPI: {httpRoute: web, tcpRoutes: [{name: db}], namespace: edge}, plugins: {argoproj-labs/gatewayAPI: {grpcRoute: rpc}}}",
    );
    let needs = routing(&case).needs();
    let expected = [
        ObjectRef::new(Kind::Ingress, "shop", "web"),
        ObjectRef::new(Kind::Ingress, "shop", "web-web-canary"),
        ObjectRef::new(Kind::VirtualService, "mesh", "web"),
        ObjectRef::new(Kind::DestinationRule, "shop", "web"),
        ObjectRef::new(Kind::HttpRoute, "edge", "web"),
        ObjectRef::new(Kind::TcpRoute, "edge", "db"),
        ObjectRef::new(Kind::GrpcRoute, "shop", "rpc"),
    ];
    assert_eq!(needs.objects, BTreeSet::from(expected));
    assert_eq!(needs.grants_in, BTreeSet::from(["shop".to_owned()]));
}

#[test]
fn the_longest_names_still_end_in_canary() {
    let long = "i".repeat(250);
    let needs = routing(&case(&format!("{{nginx: {{stableIngress: {long}}}}}"))).needs();
    let name = format!("web-{}-canary", "i".repeat(242));
    assert_eq!(name.len(), 253);
    assert!(needs.objects.contains(&ObjectRef::new(Kind::Ingress, "shop", &name)));
}

#[test]
fn a_split_is_brought_into_its_bounds() {
    let split = Split::new(100, 130).with_additional("trial", 5);
    assert_eq!((split.canary(), split.stable(), split.additional()[0].weight), (100, 0, 0));
    let split = Split::new(0, -3);
    assert_eq!((split.total(), split.canary(), split.stable()), (1, 0, 1));
    let split = Split::new(100, 90).with_additional("trial", 20);
    assert_eq!((split.stable(), split.additional()[0].weight), (0, 10));
}

#[test]
fn a_patch_goes_to_the_version_that_was_read_and_tests_who_it_is() {
    let case = case("{istio: {virtualService: {name: web}}}");
    let routing = routing(&case);
    let object = yaml(
        "{apiVersion: networking.istio.io/v1beta1, kind: VirtualService, metadata: {name: web}, spec: {http: [{route: [
          {destination: {host: web-stable}, weight: 100}, {destination: {host: web-canary}, weight: 0}]}]}}",
    );
    let world = World::from([stored(object)]);
    let done = edits(&Split::new(100, 20), &routing, &objects(&world, &routing, &json!({})));
    let [edit] = done.edits.as_slice() else { panic!("{done:?}") };
    assert_eq!(edit.target.api_prefix(), "/apis/networking.istio.io/v1beta1");
    let Action::JsonPatch(operations) = &edit.action else { panic!("{edit:?}") };
    assert_eq!(
        operations[0].to_json(),
        json!({"op": "test", "path": "/metadata/uid", "value": "uid-VirtualService-web"})
    );
}

#[test]
fn the_least_and_the_most_shifted_are_told_apart() {
    let case = case("{istio: {virtualServices: [{name: a}, {name: b}, {name: gone}]}}");
    let routing = routing(&case);
    let service = |name: &str, stable: u32, canary: u32| {
        stored(yaml(&format!(
            "{{kind: VirtualService, metadata: {{name: {name}}}, spec: {{http: [{{route: [
              {{destination: {{host: web-stable}}, weight: {stable}}}, {{destination: {{host: web-canary}}, weight: {canary}}}]}}]}}}}"
        )))
    };
    // b counts to 3; a third is more than 33 of 100.
    let world = World::from([service("a", 80, 20), service("b", 2, 1)]);
    let seen = split(&routing, &objects(&world, &routing, &json!({})));
    let canary =
        |share: Option<&sluice_traffic::Share>| share.map(|share| (share.object.name.clone(), share.weights.canary));
    assert_eq!(canary(seen.least_shifted()), Some(("a".to_owned(), 20)));
    assert_eq!(canary(seen.most_shifted()), Some(("b".to_owned(), 34)));
    assert_eq!(seen.unclear, [ObjectRef::new(Kind::VirtualService, "shop", "gone")]);
    assert_eq!(seen.verified(), None);
}

#[test]
fn a_probe_believes_what_chance_allows() {
    let rows = [
        // weight of 100, answers, of the canary, in force
        (20, 200, 40, true),
        (20, 200, 62, true),
        (20, 200, 65, false),
        (20, 200, 15, false),
        (0, 200, 0, true),
        (0, 200, 1, false),
        (100, 200, 200, true),
        (100, 200, 199, false),
        (50, 0, 0, false),
    ];
    for (weight, answers, of_canary, expected) in rows {
        assert_eq!(is_in_force(weight, 100, answers, of_canary), expected, "{of_canary} of {answers} at {weight} %");
    }
}
