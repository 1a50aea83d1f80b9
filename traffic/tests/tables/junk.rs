//! Objects as no API server would send them: nothing panics, and what is written can be applied.

use serde_json::{Value, json};
use sluice_sandbox::Random;
use sluice_traffic::{Split, edits, give_back, needs_finalizer, split};

use crate::support::{World, apply, case, objects, routing, stored, wanted_split, yaml};

const SEEDS: u64 = 300;

const CASES: &str = "
- {kind: Ingress, metadata: {name: web, annotations: {a: b}}, spec: {tls: [], defaultBackend: {service: {name: web-stable}}, rules: [{host: a, http: {paths: [{path: /, backend: {service: {name: web-stable}}}]}}]}}
- {kind: Ingress, metadata: {name: web-web-canary, annotations: {a: b}, ownerReferences: [{uid: uid-of-web}]}, spec: {rules: [{host: a, http: {paths: [{path: /, backend: {service: {name: web-canary}}}]}}]}}
- {kind: VirtualService, metadata: {name: web}, spec: {http: [{name: beta, match: [{headers: {x: {exact: w}}}], route: [{destination: {host: web, subset: c}, weight: 100}]}, {match: [{uri: {prefix: /}, headers: {a: {exact: b}}}], mirror: {host: x}, route: [{destination: {host: web, subset: s}, weight: 80}, {destination: {host: web, subset: c}, weight: 20, headers: {response: {add: {Set-Cookie: sluice-version=1}}}}]}]}}
- {kind: DestinationRule, metadata: {name: web}, spec: {host: web, subsets: [{name: s, labels: {a: b}}, {name: c}]}}
- {kind: HTTPRoute, metadata: {name: web, generation: 1, annotations: {argo-rollouts.argoproj.io/managed-rules: '{\"shop/web\":[[]]}'}, managedFields: [{manager: sluice-traffic}]}, spec: {parentRefs: [{name: p}], rules: [{matches: [{path: {type: PathPrefix, value: /}, headers: [{name: a, value: b}]}], filters: [], sessionPersistence: {sessionName: sluice-version}, backendRefs: [{name: web-stable, weight: 1}, {name: web-canary, weight: 0}]}]}, status: {parents: [{parentRef: {name: p}, conditions: [{type: Accepted, status: 'True'}]}]}}
";

#[test]
fn nothing_panics_whatever_the_objects_are() {
    let case = case(
        "{nginx: {stableIngress: web}, stickySessions: {}, managedRoutes: [{name: beta}, {name: copy}],
          istio: {virtualService: {name: web}, destinationRule: {name: web, canarySubsetName: c, stableSubsetName: s}},
          gatewayAPI: {httpRoute: web}}",
    );
    let routing = routing(&case);
    let wanted = yaml(
        "{canary: 30, version: v, canary_hash: h, stable_hash: g,
          headers: [{name: beta, match: [{headerName: a, headerValue: {exact: b}}]}],
          mirrors: [{name: copy, match: [{path: {prefix: /a}, headers: {x: {regex: w}}}]}]}",
    );
    let whole = yaml(CASES);
    for seed in 0..SEEDS {
        let mut random = Random::seeded(seed);
        let mut world = World::new();
        for object in whole.as_array().expect("a list") {
            let (name, mut object) = stored(object.clone());
            for _ in 0..random.below(4) {
                spoil(&mut object, &mut random);
            }
            world.insert(name, object);
        }
        let seen = objects(&world, &routing, &json!({}));
        for wanted in [wanted_split(&wanted, &routing), Split::new(100, 0)] {
            let done = edits(&wanted, &routing, &seen);
            apply(&world, &done).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        }
        let done = give_back(&routing, &seen);
        apply(&world, &done).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        needs_finalizer(&routing, &seen);
        split(&routing, &seen);
    }
}

/// Puts something else in one place.
fn spoil(value: &mut Value, random: &mut Random) {
    let pick = |count: usize, random: &mut Random| usize::try_from(random.below(count as u64)).expect("small");
    match value {
        Value::Object(fields) if !fields.is_empty() && random.below(6) > 0 => {
            let index = pick(fields.len(), random);
            // The uid is what a patch is bound to, and no object comes without one.
            if let Some((_, inner)) = fields.iter_mut().nth(index).filter(|(key, _)| *key != "uid") {
                spoil(inner, random);
            }
        }
        Value::Array(list) if !list.is_empty() && random.below(6) > 0 => {
            let index = pick(list.len(), random);
            spoil(&mut list[index], random);
        }
        _ if matches!(value, Value::Object(fields) if fields.contains_key("uid") || fields.contains_key("metadata")) => {
        }
        _ => {
            *value = match random.below(7) {
                0 => Value::Null,
                1 => json!(-1),
                2 => json!(i64::MAX),
                3 => json!("x"),
                4 => json!([]),
                5 => json!({}),
                _ => json!([{"name": "web-canary"}, "web-stable", 7]),
            };
        }
    }
}
