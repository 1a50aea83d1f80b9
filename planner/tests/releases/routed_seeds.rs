//! The same people and nodes where routers divide the traffic, and hands in the routes.

use serde_json::json;
use sluice_sandbox::Random;
use sluice_scenarios::Site;

use super::seeds::{by_hand, draw, live, manifest, pick};

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec: {rules: [{host: web, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: stable, port: {number: 80}}}}]}}]}
";
const BY_SERVICE: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec: {hosts: [web], http: [{route: [{destination: {host: stable}, weight: 100}, {destination: {host: canary}, weight: 0}]}]}
";
const BY_SUBSET: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec: {hosts: [web], http: [{route: [{destination: {host: stable, subset: old}, weight: 100}, {destination: {host: stable, subset: new}, weight: 0}]}]}
";
const SUBSETS: &str = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec: {host: stable, subsets: [{name: old, labels: {app: web}}, {name: new, labels: {app: web}}]}
";
const ROUTE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{name: public}]
  rules: [{backendRefs: [{name: stable, port: 80, weight: 100}, {name: canary, port: 80, weight: 0}]}]
";
const INGRESSES: &str = "/apis/networking.k8s.io/v1";
const ISTIO: &str = "/apis/networking.istio.io/v1";
const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1";

fn rollout(site: &mut Site, random: &mut Random) -> String {
    let mut create = |group: &str, plural: &str, yaml: &str| {
        site.create(&format!("{group}/namespaces/default/{plural}"), yaml);
    };
    let services = "stableService: stable, canaryService: canary, ";
    let in_turns = pick(random, &[services, "pingPong: {pingService: stable, pongService: canary}, "]);
    let (services, router) = match draw(random, 4) {
        0 => {
            create(INGRESSES, "ingresses", INGRESS);
            (
                services,
                pick(random, &["nginx: {stableIngress: web}", "nginx: {stableIngress: web, removeWhenIdle: true}"]),
            )
        }
        1 => {
            create(ISTIO, "virtualservices", BY_SERVICE);
            (in_turns, "managedRoutes: [{name: mine}], istio: {virtualService: {name: web}}")
        }
        2 => {
            create(ISTIO, "virtualservices", BY_SUBSET);
            create(ISTIO, "destinationrules", SUBSETS);
            let router = "managedRoutes: [{name: mine}], istio: {virtualService: {name: web}, \
                          destinationRule: {name: web, stableSubsetName: old, canarySubsetName: new}}";
            ("", router)
        }
        _ => {
            create(GATEWAY, "httproutes", ROUTE);
            (in_turns, "managedRoutes: [{name: mine}], gatewayAPI: {httpRoute: web}")
        }
    };
    let delay = pick(random, &["", "", "propagationDelay: 4s, "]);
    let scale = pick(
        random,
        &[
            "",
            "",
            "dynamicStableScale: true, ",
            "dynamicStableScale: true, maxUnavailable: 0, ",
            "scaleDownDelaySeconds: 5, abortScaleDownDelaySeconds: 5, ",
            "scaleDownDelaySeconds: 0, abortScaleDownDelaySeconds: 0, ",
            "maxSurge: 1, ",
            "minPodsPerReplicaSet: 2, ",
        ],
    );
    let header = "{setHeaderRoute: {name: mine, match: [{headerName: x, headerValue: {exact: tester}}]}}";
    let steps = match draw(random, 6) {
        0 => "[]".to_owned(),
        1 | 2 => "[{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 20}}]".to_owned(),
        3 => "[{setCanaryScale: {replicas: 2}}, {pause: {duration: 5}}, {setCanaryScale: {matchTrafficWeight: true}}, \
              {setWeight: 50}, {pause: {}}]"
            .to_owned(),
        4 if !router.contains("nginx") => {
            format!(
                "[{{setCanaryScale: {{weight: 40}}}}, {header}, {{pause: {{}}}}, {{setWeight: 70}}, {{pause: {{duration: 9}}}}]"
            )
        }
        _ => "[{setWeight: 50}, {setWeight: 10}, {pause: {}}, {setWeight: 100}]".to_owned(),
    };
    manifest(random, &format!("canary: {{{services}{scale}trafficRouting: {{{delay}{router}}}, steps: {steps}}}"))
}

/// Somebody puts a share of the traffic somewhere, or takes an object away.
fn hands_in_routes(site: &mut Site, random: &mut Random) {
    let (old, new) = pick(random, &["100:0", "0:100", "50:50", "90:10"]).split_once(':').expect("two weights");
    let (old, new): (i64, i64) = (old.parse().expect("a weight"), new.parse().expect("a weight"));
    match draw(random, 12) {
        0 => {
            let annotations = json!({"nginx.ingress.kubernetes.io/canary-weight": new.to_string()});
            by_hand(site, random, INGRESSES, "ingresses", Some(json!({"metadata": {"annotations": annotations}})));
        }
        1 => {
            let to = |host: &str, subset: Option<&str>, weight: i64| json!({"destination": {"host": host, "subset": subset}, "weight": weight});
            let by_subset = !site.cluster.world().list("networking.istio.io", "destinationrules", "default").is_empty();
            let route = if by_subset {
                json!([to("stable", Some("old"), old), to("stable", Some("new"), new)])
            } else {
                json!([{"destination": {"host": "stable"}, "weight": old}, {"destination": {"host": "canary"}, "weight": new}])
            };
            by_hand(site, random, ISTIO, "virtualservices", Some(json!({"spec": {"http": [{"route": route}]}})));
        }
        2 => {
            let backends =
                json!([{"name": "stable", "port": 80, "weight": old}, {"name": "canary", "port": 80, "weight": new}]);
            by_hand(site, random, GATEWAY, "httproutes", Some(json!({"spec": {"rules": [{"backendRefs": backends}]}})));
        }
        _ => {}
    }
    site.new_epoch();
}

#[test]
fn whatever_people_and_nodes_do_no_share_meets_too_few_pods_and_all_comes_back_to_stable() {
    let fails = |seed: &u64| std::panic::catch_unwind(|| live(*seed, rollout, hands_in_routes)).is_err();
    let failed: Vec<u64> = (0..24).filter(fails).collect();
    assert!(failed.is_empty(), "seeds {failed:?} fail; the reasons stand above");
}
