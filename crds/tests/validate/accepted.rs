//! Manifests that run today: none of them is a mistake, neither to the controller nor to lint.

use crate::support::{sentences, set, yaml};
use sluice_crds::lint::lint;

type Changes = &'static [(&'static str, &'static str)];

fn check(good: &str, rows: &[Changes]) {
    for changes in rows {
        let mut manifest = yaml(good);
        for (path, change) in *changes {
            set(&mut manifest, path, yaml(change));
        }
        assert_eq!(sentences(&manifest), Vec::<String>::new(), "{changes:?}");
    }
}

#[test]
fn rollouts() {
    const GOOD: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy: {canary: {}}
";
    const ROWS: &[Changes] = &[
        &[("spec.replicas", "0")],
        &[("spec.paused", "true"), ("spec.revisionHistoryLimit", "0"), ("spec.minReadySeconds", "0")],
        &[("metadata.creationTimestamp", "null"), ("status", "{}")],
        &[("metadata.name", "~"), ("metadata.generateName", "web-")],
        &[
            ("metadata.annotations", "{Example.COM/Some_Key: 'any text, even ü'}"),
            ("metadata.labels", "{app.kubernetes.io/name: ''}"),
        ],
        &[(
            "metadata.managedFields",
            "[{manager: kubectl, operation: Update, apiVersion: argoproj.io/v1alpha1, fieldsType: FieldsV1, fieldsV1: {'f:spec': {}}}]",
        )],
        &[("spec.selector.matchExpressions", "[{key: tier, operator: Exists}, {key: gone, operator: DoesNotExist}]")],
        &[("spec.template", "~"), ("spec.workloadRef", "{apiVersion: apps/v1, kind: Deployment, name: web}")],
        &[
            ("spec.template", "{metadata: {creationTimestamp: null}, spec: {containers: []}}"),
            ("spec.selector", "~"),
            ("spec.workloadRef", "{apiVersion: apps/v1, kind: Deployment, name: web, scaleDown: never}"),
        ],
        &[("spec.restartAt", "2025-01-31T15:04:05+01:00"), ("spec.progressDeadlineAbort", "true")],
        &[("spec.rollbackWindow", "{revisions: 0}"), ("spec.analysis", "{successfulRunHistoryLimit: 0}")],
        &[("spec.strategy", "{blueGreen: {activeService: web}}")],
        &[(
            "spec.strategy",
            "{blueGreen: {activeService: web, previewReplicaCount: 0, scaleDownDelaySeconds: 0, scaleDownDelayRevisionLimit: 10, maxUnavailable: 100%}}",
        )],
    ];
    check(GOOD, ROWS);
}

#[test]
fn canaries() {
    const GOOD: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy: {canary: {canaryService: web-canary, stableService: web-stable}}
";
    const ROWS: &[Changes] = &[
        &[("spec.strategy.canary.steps", "[]")],
        &[(
            "spec.strategy.canary.steps",
            "[{setWeight: 0}, {setWeight: 100}, {pause: {}}, {pause: {duration: 0}}, {pause: {duration: 30}}, {pause: {duration: '30'}}, {pause: {duration: 1h30m}}]",
        )],
        &[("spec.strategy.canary.maxSurge", "0")],
        &[("spec.strategy.canary.maxUnavailable", "0")],
        &[("spec.strategy.canary.maxSurge", "'25'"), ("spec.strategy.canary.maxUnavailable", "0")],
        &[("spec.strategy.canary.maxSurge", "1"), ("spec.strategy.canary.maxUnavailable", "100%")],
        &[("spec.strategy.canary.dynamicStableScale", "false")],
        &[("spec.strategy.canary.abortScaleDownDelaySeconds", "0")],
        &[("spec.strategy.canary.minPodsPerReplicaSet", "2")],
        &[("spec.strategy.canary.replicaProgressThreshold", "{type: Pods, value: 1}")],
        &[("spec.strategy.canary.antiAffinity", "{requiredDuringSchedulingIgnoredDuringExecution: {}}")],
        &[(
            "spec.strategy.canary.analysis",
            "{templates: [{templateName: errors}], args: [{name: unset}], dryRun: [{metricName: '.*'}]}",
        )],
        &[(
            "spec.strategy.canary.steps",
            "[{analysis: {templates: [{templateName: a, clusterScope: true}], analysisRunMetadata: {labels: {for: '{{args.x}}'}}}}]",
        )],
        &[(
            "spec.strategy.canary.steps",
            "[{experiment: {templates: [{name: a, specRef: stable}, {name: b, specRef: canary, replicas: 0}]}}]",
        )],
        &[
            ("spec.strategy.canary.trafficRouting", "{nginx: {stableIngress: web}, maxTrafficWeight: 1000}"),
            ("spec.strategy.canary.steps", "[{setWeight: 500}, {setCanaryScale: {weight: 999}}]"),
        ],
        &[
            (
                "spec.strategy.canary.trafficRouting",
                "{nginx: {stableIngress: web, removeWhenIdle: true}, managedRoutes: [{name: beta}], propagationDelay: 10s, stickySessions: {cookieName: web_version}, probe: {url: 'https://shop.example.com', header: x-pod-hash}}",
            ),
            (
                "spec.strategy.canary.steps",
                "[{setHeaderRoute: {name: beta, match: [{headerName: x-beta, headerValue: {exact: 'yes'}}]}}]",
            ),
        ],
        &[
            (
                "spec.strategy.canary.trafficRouting",
                "{nginx: {stableIngresses: [a, b], additionalIngressAnnotations: {canary-by-header: x}}}",
            ),
            ("spec.strategy.canary.scaleDownDelaySeconds", "0"),
        ],
        &[(
            "spec.strategy.canary.trafficRouting",
            "{istio: {virtualServices: [{name: a.other, routes: [x]}, {name: b, tlsRoutes: [{port: 443, sniHosts: [x.example.com]}], tcpRoutes: [{port: 80}]}]}}",
        )],
        &[(
            "spec.strategy.canary",
            "{trafficRouting: {istio: {virtualService: {name: a}, destinationRule: {name: a, canarySubsetName: x, stableSubsetName: z}}}}",
        )],
        &[(
            "spec.strategy.canary",
            "{pingPong: {pingService: a, pongService: b}, trafficRouting: {alb: {ingress: a, servicePort: 443, rootService: root}}}",
        )],
        &[
            (
                "spec.strategy.canary.trafficRouting",
                "{alb: {ingresses: [a, b], servicePort: 80, stickinessConfig: {enabled: false}}}",
            ),
            ("spec.strategy.canary.dynamicStableScale", "true"),
        ],
        &[
            ("spec.strategy.canary.trafficRouting", "{smi: {}}"),
            (
                "spec.strategy.canary.steps",
                "[{setCanaryScale: {matchTrafficWeight: true}}, {setCanaryScale: {weight: 5, matchTrafficWeight: false}}]",
            ),
        ],
        &[("spec.strategy.canary.trafficRouting", "{traefik: {weightedTraefikServiceName: web}}")],
        &[("spec.strategy.canary.trafficRouting", "{ambassador: {mappings: [web]}}")],
        &[
            (
                "spec.strategy.canary.trafficRouting",
                "{apisix: {route: {name: web, rules: [main]}}, managedRoutes: [{name: h}]}",
            ),
            ("spec.strategy.canary.steps", "[{setHeaderRoute: {name: h}}]"),
        ],
        &[
            (
                "spec.strategy.canary.trafficRouting",
                "{gatewayAPI: {httpRoutes: [{name: web, useHeaderRoutes: true}]}, managedRoutes: [{name: m}]}",
            ),
            ("spec.strategy.canary.steps", "[{setMirrorRoute: {name: m, percentage: 0}}]"),
        ],
        &[(
            "spec.strategy.canary.trafficRouting",
            "{plugins: {argoproj-labs/gatewayAPI: {httpRoute: web, namespace: default}}}",
        )],
        &[(
            "spec.strategy.canary.trafficRouting",
            "{plugins: {argoproj-labs/gatewayAPI: {grpcRoutes: [{name: web}]}}, nginx: {stableIngress: web}}",
        )],
    ];
    check(GOOD, ROWS);
}

#[test]
fn analyses() {
    const GOOD: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: service}, {name: count, value: '3'}, {name: token, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  metrics: [{name: m, provider: {prometheus: {query: up}}}]
";
    const ROWS: &[Changes] = &[
        &[("spec.metrics", "~"), ("spec.templates", "[{templateName: other}]")],
        &[
            ("spec.templates", "[{templateName: other}]"),
            ("spec.metrics.0.successCondition", "result > {{args.of-the-other}}"),
        ],
        &[
            ("spec.metrics.0.count", "'{{args.count}}'"),
            ("spec.metrics.0.interval", "'{{args.service}}'"),
            ("spec.metrics.0.failureLimit", "'{{ args.count }}'"),
        ],
        &[("spec.metrics.0.count", "1"), ("spec.metrics.0.failureLimit", "-1")],
        &[
            ("spec.metrics.0.interval", "5m"),
            ("spec.metrics.0.failureLimit", "3"),
            ("spec.metrics.0.inconclusiveLimit", "3"),
        ],
        &[
            ("spec.metrics.0.interval", "1m30s"),
            ("spec.metrics.0.count", "'10'"),
            ("spec.metrics.0.failureLimit", "5"),
            ("spec.metrics.0.consecutiveSuccessLimit", "5"),
        ],
        &[("spec.metrics.0.successCondition", "len(result) == 0 || all(result, {# < 0.5}) // as 'ever'")],
        &[(
            "spec.metrics.0.provider",
            "{web: {url: 'http://{{args.service}}', method: '{{args.count}}', authentication: {oauth2: {clientId: unused}}}}",
        )],
        &[(
            "spec.metrics.0.provider",
            "{job: {spec: {template: {spec: {restartPolicy: OnFailure, serviceAccountName: '{{args.service}}', containers: [{name: a, image: '{{args.service}}', env: [{name: A, value: '{{args.token}}'}]}]}}}}}",
        )],
        &[("spec.metrics.0.provider", "{job: {spec: {template: {spec: {containers: [{name: a, image: a}]}}}}}")],
        &[("spec.metrics.0.provider", "{datadog: {query: avg}}")],
        &[("spec.metrics.0.provider", "{datadog: {apiVersion: v2, queries: {a: x}}}")],
        &[("kind", "ClusterAnalysisTemplate")],
    ];
    check(GOOD, ROWS);
}

#[test]
fn whole_files() {
    for (name, text) in [
        ("canary.yaml", include_str!("../corpus/canary.yaml")),
        ("blue-green.yaml", include_str!("../corpus/blue-green.yaml")),
        ("analysis.yaml", include_str!("../corpus/analysis.yaml")),
    ] {
        let report = lint(text.as_bytes());
        let told: Vec<String> = report.findings.iter().map(|finding| finding.mistake.to_string()).collect();
        assert_eq!(told, Vec::<String>::new(), "{name}");
        assert!(report.objects > 0, "{name}");
    }
}
