//! What is said about the steps and the traffic routers of a canary.

use crate::support::{Row, check, one};

const ROUTED: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1'}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web-stable
      trafficRouting:
        managedRoutes: [{name: beta}]
        istio: {virtualService: {name: web}}
      steps:
      - setCanaryScale: {replicas: 1}
      - setHeaderRoute: {name: beta, match: [{headerName: x-beta, headerValue: {exact: 'yes'}}]}
      - setMirrorRoute: {name: beta, percentage: 10, match: [{path: {prefix: /api}}]}
      - pause: {}
";

const UNROUTED: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1'}
  strategy:
    canary:
      steps: [{setWeight: 20}]
";

#[test]
fn steps_of_every_kind() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.canary.steps.0", "{}")],
            &[
                "spec.strategy.canary.steps[0]: does nothing; write one of setWeight, pause, setCanaryScale, setHeaderRoute, setMirrorRoute, analysis and experiment",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setWeight: 5, pause: {}}")],
            &[
                "spec.strategy.canary.steps[0]: is pause and setWeight at once; make a step of each, in the order that you want",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setWeight: 5, setCanaryScale: {weight: 5}}")],
            &[
                "spec.strategy.canary.steps[0]: is setCanaryScale and setWeight at once; make a step of each, in the order that you want",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.steps.0",
                "{setHeaderRoute: {name: beta}, setMirrorRoute: {name: beta}, pause: {}}",
            )],
            &[
                "spec.strategy.canary.steps[0]: is pause, setHeaderRoute and setMirrorRoute at once; make a step of each, in the order that you want",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{analysis: {templates: [{templateName: ok}]}, plugin: {name: a/b}}")],
            &[
                "spec.strategy.canary.steps[0]: is analysis and plugin at once; make a step of each, in the order that you want",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setWeight: 101}")],
            &["spec.strategy.canary.steps[0].setWeight: 101 is not a weight; write 0 to 100"],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setWeight: -1}")],
            &["spec.strategy.canary.steps[0].setWeight: -1 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setWeight: 20%}")],
            &["spec.strategy.canary.steps[0].setWeight: \"20%\" is text, not a whole number; write a whole number"],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: {duration: 10x}}")],
            &["spec.strategy.canary.steps[3].pause.duration: \"10x\" is not a duration; write 30s, 10m or 1h"],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: {duration: 1d}}")],
            &["spec.strategy.canary.steps[3].pause.duration: \"1d\" is not a duration, there are no days; write 24h"],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: {duration: ''}}")],
            &["spec.strategy.canary.steps[3].pause.duration: \"\" is not a duration; write 30s, 10m or 1h"],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: {duration: -5m}}")],
            &[
                "spec.strategy.canary.steps[3].pause.duration: \"-5m\" is less than nothing; write 30s, 10m or 1h, or remove it to wait for a person",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: {duration: 1.5}}")],
            &[
                "spec.strategy.canary.steps[3].pause.duration: 1.5 is not a whole number or text; write a whole number or text",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{pause: 10m}")],
            &[
                "spec.strategy.canary.steps[3].pause: \"10m\" is text, not an object; write fields below it, such as duration",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setCanaryScale: {weight: 20, replicas: 2}}")],
            &["spec.strategy.canary.steps[0].setCanaryScale: has weight and replicas; keep one of them"],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setCanaryScale: {}}")],
            &[
                "spec.strategy.canary.steps[0].setCanaryScale: does not say what size; write weight, replicas or matchTrafficWeight: true",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setCanaryScale: {replicas: -1}}")],
            &["spec.strategy.canary.steps[0].setCanaryScale.replicas: -1 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.strategy.canary.steps.1.setHeaderRoute.name", "alpha")],
            &[
                "spec.strategy.canary.steps[1].setHeaderRoute.name: \"alpha\" is not one of trafficRouting.managedRoutes; add - name: alpha to trafficRouting.managedRoutes",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.1.setHeaderRoute.match.0", "{headerName: x-beta}")],
            &[
                "spec.strategy.canary.steps[1].setHeaderRoute.match[0].headerValue: is required; write exact, prefix or regex below it",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.1.setHeaderRoute.match.0.headerValue", "{exact: a, regex: b}")],
            &[
                "spec.strategy.canary.steps[1].setHeaderRoute.match[0].headerValue: compares in more than one way; keep one of exact, prefix and regex",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.2.setMirrorRoute.percentage", "150")],
            &["spec.strategy.canary.steps[2].setMirrorRoute.percentage: 150 is not a percentage; write 0 to 100"],
        ),
        one(
            &[("spec.strategy.canary.steps.2.setMirrorRoute.match.0", "{method: {}, headers: {x: {}}}")],
            &[
                "spec.strategy.canary.steps[2].setMirrorRoute.match[0].headers.x: does not say what to compare with; write exact, prefix or regex below it",
                "spec.strategy.canary.steps[2].setMirrorRoute.match[0].method: does not say what to compare with; write exact, prefix or regex below it",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.steps.3",
                "{analysis: {templates: [{templateName: ok}], args: [{name: a, value: b}, {name: a}, {value: c}]}}",
            )],
            &[
                "spec.strategy.canary.steps[3].analysis.args[1].name: \"a\" is written twice; name each one otherwise",
                "spec.strategy.canary.steps[3].analysis.args[2].name: is required; name the argument",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.steps.3",
                "{analysis: {templates: [{templateName: ok}], args: [{name: a, value: b, valueFrom: {podTemplateHashValue: Newest}}, {name: c, valueFrom: {}}]}}",
            )],
            &[
                "spec.strategy.canary.steps[3].analysis.args[0]: has both value and valueFrom; keep one of the two",
                "spec.strategy.canary.steps[3].analysis.args[0].valueFrom.podTemplateHashValue: \"Newest\" is not known here; write Stable or Latest",
                "spec.strategy.canary.steps[3].analysis.args[1].valueFrom: names no source; write podTemplateHashValue or fieldRef",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.steps.3",
                "{analysis: {templates: [{templateName: ok}], dryRun: [{metricName: '*'}], measurementRetention: [{metricName: '(x', limit: -1}]}}",
            )],
            &[
                "spec.strategy.canary.steps[3].analysis.dryRun[0].metricName: \"*\" is not a regular expression, there is nothing to repeat before *, + or ?; write the metric's name, or a pattern such as error-.*",
                "spec.strategy.canary.steps[3].analysis.measurementRetention[0].limit: -1 is less than 0; write 0 or more",
                "spec.strategy.canary.steps[3].analysis.measurementRetention[0].metricName: \"(x\" is not a regular expression, a ( is never closed; write the metric's name, or a pattern such as error-.*",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.steps.3",
                "{experiment: {duration: 5, templates: [{name: a, specRef: canary, weight: 60}, {name: a, specRef: newest, weight: 60}], analyses: [{name: x}]}}",
            )],
            &[
                "spec.strategy.canary.steps[3].experiment.analyses[0].templateName: is required; name an AnalysisTemplate",
                "spec.strategy.canary.steps[3].experiment.duration: 5 is not text; write \"5\"",
                "spec.strategy.canary.steps[3].experiment.templates: have 120 of 100 weight in all; lower their weights",
                "spec.strategy.canary.steps[3].experiment.templates[1].name: \"a\" is written twice; name each one otherwise",
                "spec.strategy.canary.steps[3].experiment.templates[1].specRef: \"newest\" is not known here; write canary or stable",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.3", "{experiment: {}}")],
            &[
                "spec.strategy.canary.steps[3].experiment.templates: is required; write the revisions to run in templates",
            ],
        ),
    ];
    check(ROUTED, ROWS);
}

#[test]
fn steps_that_need_a_router() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.canary.steps.0", "{setCanaryScale: {weight: 5}}")],
            &[
                "spec.strategy.canary.steps[0].setCanaryScale: has a meaning with trafficRouting only; remove the step, or set trafficRouting",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setHeaderRoute: {name: beta}}")],
            &[
                "spec.strategy.canary.steps[0].setHeaderRoute: needs a traffic router that can route by header; remove the step, or use nginx, istio, gatewayAPI, alb or apisix",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{setMirrorRoute: {name: beta}}")],
            &[
                "spec.strategy.canary.steps[0].setMirrorRoute: needs a traffic router that can copy requests; remove the step, or use istio or gatewayAPI",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.0", "{experiment: {templates: [{name: a, specRef: canary, weight: 5}]}}")],
            &[
                "spec.strategy.canary.steps[0].experiment.templates[0].weight: needs a traffic router that can share with an experiment; remove it, or use alb, istio, smi or gatewayAPI",
            ],
        ),
        one(
            &[("spec.strategy.canary.pingPong", "{pingService: a, pongService: a}")],
            &[
                "spec.strategy.canary.pingPong: works with alb, istio and gatewayAPI only; use one of those, or write canaryService and stableService instead",
                "spec.strategy.canary.pingPong.pongService: \"a\" is the pingService too; name a Service of its own for each",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting", "{nginx: {stableIngress: web}}")],
            &[
                "spec.strategy.canary.canaryService: is required with nginx; name a Service that this Rollout may point at its pods",
                "spec.strategy.canary.stableService: is required with nginx; name a Service that this Rollout may point at its pods",
            ],
        ),
    ];
    check(UNROUTED, ROWS);
}

#[test]
fn routers() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.canary.trafficRouting.istio", "{}")],
            &[
                "spec.strategy.canary.trafficRouting.istio.virtualService: is required; write virtualService, or virtualServices for several",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.istio.virtualServices", "[{name: a}]")],
            &[
                "spec.strategy.canary.trafficRouting.istio: has both virtualService and virtualServices; keep one of the two",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.trafficRouting.istio.destinationRule",
                "{name: web, canarySubsetName: a, stableSubsetName: a}",
            )],
            &[
                "spec.strategy.canary.trafficRouting.istio.destinationRule.canarySubsetName: \"a\" is the stableSubsetName too; name a subset of its own for each",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.istio.destinationRule", "{name: web}")],
            &[
                "spec.strategy.canary.trafficRouting.istio.destinationRule.canarySubsetName: is required; name the subset of the new revision",
                "spec.strategy.canary.trafficRouting.istio.destinationRule.stableSubsetName: is required; name the subset of the stable revision",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.nginx", "{stableIngress: a, stableIngresses: [b]}")],
            &[
                "spec.strategy.canary.trafficRouting.nginx: has both stableIngress and stableIngresses; keep one of the two",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.nginx", "{}")],
            &[
                "spec.strategy.canary.trafficRouting.nginx.stableIngress: is required; name the Ingress, or several in stableIngresses",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.trafficRouting.alb",
                "{ingress: a, servicePort: 0, stickinessConfig: {enabled: true, durationSeconds: 700000}}",
            )],
            &[
                "spec.strategy.canary.trafficRouting.alb.servicePort: 0 is not a port; write 1 to 65535",
                "spec.strategy.canary.trafficRouting.alb.stickinessConfig.durationSeconds: 700000 is out of range; write 1 to 604800, which is a week",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.alb", "{ingress: a}")],
            &["spec.strategy.canary.trafficRouting.alb.servicePort: is required; write a whole number"],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.alb", "{ingress: a, servicePort: 80}"),
                ("spec.strategy.canary.steps.1.setHeaderRoute.match.0.headerValue", "{prefix: a}"),
            ],
            &[
                "spec.strategy.canary.steps[1].setHeaderRoute.match[0].headerValue: compares in a way that alb can't; write exact; * and ? stand for anything in it",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.alb", "{ingress: a, servicePort: 80}"),
                ("spec.strategy.canary.pingPong", "{pingService: a, pongService: b}"),
            ],
            &[
                "spec.strategy.canary.trafficRouting.alb.rootService: is required with pingPong; name the Service that stands in the Ingress",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.appMesh", "{virtualService: {name: web}}")],
            &[
                "spec.strategy.canary.trafficRouting.appMesh: is AWS App Mesh, which AWS has ended and Sluice does not serve; move to gatewayAPI, istio or alb",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.trafficRouting.plugins",
                "{me/consul: {}, argoproj-labs/gatewayAPI: {namespace: x}}",
            )],
            &[
                "spec.strategy.canary.trafficRouting.plugins[\"argoproj-labs/gatewayAPI\"]: names no route; write httpRoute, grpcRoute, tlsRoute or tcpRoute",
                "spec.strategy.canary.trafficRouting.plugins[\"me/consul\"]: is a plugin in Go, which Sluice does not run; use a built-in router: nginx, istio, gatewayAPI, alb, smi, traefik, apisix or ambassador",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.trafficRouting.plugins",
                "{argoproj-labs/gatewayAPI: {httpRouteSelector: {matchLabels: {app: web}}}}",
            )],
            &[
                "spec.strategy.canary.trafficRouting.plugins[\"argoproj-labs/gatewayAPI\"]: names no route; write httpRoute, grpcRoute, tlsRoute or tcpRoute",
                "spec.strategy.canary.trafficRouting.plugins[\"argoproj-labs/gatewayAPI\"].httpRouteSelector: chooses routes by label, which Sluice does not; name them in httpRoutes, grpcRoutes, tlsRoutes or tcpRoutes",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.trafficRouting.plugins",
                "{argoproj-labs/gatewayAPI: {httpRoutes: [{name: a, useHeaderRoutes: 'yes'}, {name: a}]}}",
            )],
            &[
                "spec.strategy.canary.trafficRouting.plugins[\"argoproj-labs/gatewayAPI\"].httpRoutes[0].useHeaderRoutes: \"yes\" is text, not true or false; write true or false",
                "spec.strategy.canary.trafficRouting.plugins[\"argoproj-labs/gatewayAPI\"].httpRoutes[1].name: \"a\" is written twice; name each one otherwise",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.ambassador", "{}"),
                ("spec.strategy.canary.trafficRouting.traefik", "{}"),
                ("spec.strategy.canary.trafficRouting.apisix", "{}"),
            ],
            &[
                "spec.strategy.canary.trafficRouting.ambassador.mappings: is required; name the Mappings to copy",
                "spec.strategy.canary.trafficRouting.apisix.route: is required; name the ApisixRoute in route.name",
                "spec.strategy.canary.trafficRouting.traefik.weightedTraefikServiceName: is required; name the TraefikService",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.maxTrafficWeight", "1000")],
            &[
                "spec.strategy.canary.trafficRouting.maxTrafficWeight: 1000 is for nginx only; remove it; all other routers count to 100",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.nginx", "{stableIngress: a}"),
                ("spec.strategy.canary.trafficRouting.maxTrafficWeight", "0"),
            ],
            &[
                "spec.strategy.canary.trafficRouting.maxTrafficWeight: 0 can't stand for all traffic; write 1 or more, 100 is usual",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.managedRoutes", "[{name: beta}, {name: beta}]")],
            &[
                "spec.strategy.canary.trafficRouting.managedRoutes[1].name: \"beta\" is written twice; name each one otherwise",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting", "{managedRoutes: [{name: a}]}"),
                ("spec.strategy.canary.steps", "[{setWeight: 5}]"),
            ],
            &[
                "spec.strategy.canary.trafficRouting: names no router, so the weights move no traffic; write nginx, istio, gatewayAPI, alb, smi, traefik, apisix or ambassador below it",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.propagationDelay", "soon"),
                ("spec.strategy.canary.trafficRouting.stickySessions", "{cookieName: 'a b', maxAgeSeconds: 0}"),
                ("spec.strategy.canary.trafficRouting.probe", "{url: shop.example.com, header: 'x:y', requests: 0}"),
            ],
            &[
                "spec.strategy.canary.trafficRouting.probe.header: \"x:y\" is not the name of a header; name the header of the answers that holds the pod template hash, such as x-pod-hash",
                "spec.strategy.canary.trafficRouting.probe.requests: 0 is out of range; write 1 to 10000; 200 is usual",
                "spec.strategy.canary.trafficRouting.probe.url: \"shop.example.com\" is not an address; write one that goes through the router, such as http://shop.example.com/version",
                "spec.strategy.canary.trafficRouting.propagationDelay: \"soon\" is not a duration; write 30s, 10m or 1h",
                "spec.strategy.canary.trafficRouting.stickySessions.cookieName: \"a b\" is not the name of a cookie; use letters, digits, \"-\", \"_\" and \".\"",
                "spec.strategy.canary.trafficRouting.stickySessions.maxAgeSeconds: 0 is no time at all; write 1 or more; 86400 is a day",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting.istio", "~"),
                ("spec.strategy.canary.trafficRouting.smi", "{}"),
                ("spec.strategy.canary.trafficRouting.stickySessions", "{}"),
                ("spec.strategy.canary.steps", "[{setWeight: 5}]"),
            ],
            &[
                "spec.strategy.canary.trafficRouting.stickySessions: works with nginx, istio and gatewayAPI only; remove it, or use one of those; for alb write alb.stickinessConfig",
            ],
        ),
        one(
            &[("spec.strategy.canary.canaryService", "~")],
            &[
                "spec.strategy.canary.canaryService: is required with istio; name a Service that this Rollout may point at its pods",
            ],
        ),
    ];
    check(ROUTED, ROWS);
}
