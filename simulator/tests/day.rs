//! A day behind routers that lag: releases good and bad, people in between, a controller that dies after each write,
//! and a hundred requests a second, of which none may meet a destination without a pod.

use jiff::SignedDuration;
use serde_json::json;
use sluice_sandbox::Random;
use sluice_sandbox::dataplane::{Mishap, Plane};
use sluice_scenarios::{Crashes, Door, Requests, Site};

fn draw(random: &mut Random, bound: u64) -> u64 {
    random.below(bound)
}

fn pick<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    of[usize::try_from(draw(random, of.len() as u64)).expect("an index")]
}

/// What a Rollout, its two Services and its router are called.
struct Road {
    door: Door,
    plane: Plane,
    router: &'static str,
    path: &'static str,
    object: &'static str,
}

const ROADS: [Road; 3] = [
    Road {
        door: Door::Ingress,
        plane: Plane::Ingress,
        router: "propagationDelay: 3s, nginx: {stableIngress: web}",
        path: "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
        object: "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default}
spec: {rules: [{host: web, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: stable, port: {number: 80}}}}]}}]}
",
    },
    Road {
        door: Door::Mesh,
        plane: Plane::Istio,
        router: "propagationDelay: 3s, istio: {virtualService: {name: web}}",
        path: "/apis/networking.istio.io/v1/namespaces/default/virtualservices",
        object: "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec: {hosts: [web], http: [{route: [{destination: {host: stable}, weight: 100}, {destination: {host: canary}, weight: 0}]}]}
",
    },
    Road {
        door: Door::Gateway,
        plane: Plane::Gateway,
        router: "gatewayAPI: {httpRoute: web}",
        path: "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes",
        object: "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{name: public}]
  hostnames: [web]
  rules: [{backendRefs: [{name: stable, port: 80, weight: 100}, {name: canary, port: 80, weight: 0}]}]
",
    },
];

/// Pods that take a while to begin and go on serving for a while when they are told to end.
fn rollout(random: &mut Random, road: &Road) -> String {
    let scale = pick(
        random,
        &[
            "",
            "dynamicStableScale: true, ",
            "scaleDownDelaySeconds: 60, abortScaleDownDelaySeconds: 0, ",
            "maxSurge: 1, maxUnavailable: 1, ",
        ],
    );
    format!(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: web, namespace: default}}
spec:
  replicas: 4
  progressDeadlineSeconds: 120
  progressDeadlineAbort: true
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{sandbox.sluice.dev/ready-after: 9s, sandbox.sluice.dev/shutdown-after: 5s}}}}
    spec: {{terminationGracePeriodSeconds: 10, containers: [{{name: web, image: 'web:0'}}]}}
  strategy:
    canary:
      {{{scale}stableService: stable, canaryService: canary, trafficRouting: {{{router}}},
       steps: [{{setWeight: 5}}, {{pause: {{duration: 60}}}}, {{setWeight: 25}}, {{pause: {{duration: 5m}}}}, {{setWeight: 75}}, {{pause: {{duration: 60}}}}]}}
",
        router = road.router
    )
}

fn an_hour(site: &mut Site, random: &mut Random, hour: u64, road: &Road) {
    site.new_epoch();
    match draw(random, 6) {
        0 => site.set_image(&format!("web:missing-{hour}")),
        1 => site.change(&json!({"spec": {"replicas": 2 + draw(random, 6)}})),
        2 => site.change(&json!({"spec": {"restartAt": site.cluster.now().to_string()}})),
        _ => site.set_image(&format!("web:{hour}")),
    }
    let mut left = 3600;
    for _ in 0..3 {
        let passes = i64::try_from(draw(random, 600)).expect("seconds");
        left -= passes;
        site.run_for(passes);
        site.new_epoch();
        let slower = SignedDuration::from_millis(i64::try_from(draw(random, 900)).expect("a delay"));
        site.cluster.plane_mut().propagation().script(road.plane, Mishap::Slow(slower));
        match draw(random, 8) {
            0 => site.wish(&json!({"abort": true})),
            1 => site.wish(&json!({"abort": false})),
            2 => site.wish(&json!({"promoteFull": true})),
            3 => site.set_image(&format!("web:{hour}-again")),
            4 => site.change(&json!({"spec": {"replicas": 2 + draw(random, 6)}})),
            _ => {}
        }
    }
    site.run_for(left);
}

#[test]
fn no_request_of_a_day_meets_a_destination_without_a_pod() {
    for (seed, road) in ROADS.iter().enumerate() {
        let random = &mut Random::seeded(seed as u64);
        let crashes = if seed == 0 { Crashes::AfterEachWrite } else { Crashes::Never };
        let mut site = Site::new(crashes);
        for name in ["stable", "canary"] {
            let yaml = format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: default}}, \
                 spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}}}"
            );
            site.create("/api/v1/namespaces/default/services", &yaml);
        }
        site.create(road.path, road.object);
        site.create_rollout(&rollout(random, road));
        site.run_for(60);
        let routers = site.cluster.plane_mut().propagation();
        routers.set_delay(Plane::Endpoints, SignedDuration::from_millis(700));
        routers.set_delay(road.plane, SignedDuration::from_secs(2));
        site.send(&Requests { through: road.door, host: "web".to_owned() });
        for hour in 1..=24 {
            an_hour(&mut site, random, hour, road);
            if let Some(lost) = site.lost_requests() {
                panic!("hour {hour} behind {}: {lost}\n{}", road.router, site.last.why);
            }
        }
        assert!(site.cluster.plane().record().requests("web") >= 24 * 3600 * 100, "a day of requests");
    }
}
