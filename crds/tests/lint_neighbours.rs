//! What lint says about references between the objects of one file.

use sluice_crds::lint::lint;

fn told(text: &str) -> Vec<String> {
    let report = lint(text.as_bytes());
    let findings = report.findings.iter();
    findings
        .map(|found| {
            format!("{}: {}", found.object.as_ref().map(ToString::to_string).unwrap_or_default(), found.mistake)
        })
        .collect()
}

const NONE: [&str; 0] = [];

const NGINX: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web-stable
      trafficRouting: {nginx: {stableIngress: web}}
      steps:
      - setWeight: 20
      - analysis: {templates: [{templateName: errors}], args: [{name: service, value: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-stable}
spec: {selector: {app: web, rollouts-pod-template-hash: abc}}
---
apiVersion: v1
kind: Service
metadata: {name: web-canary}
spec: {selector: {app: web}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web-stable, port: {number: 80}}}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: service}, {name: limit, value: '0.05'}]
  metrics:
  - name: error-rate
    interval: 1m
    count: 3
    successCondition: result[0] < {{args.limit}}
    provider: {prometheus: {query: 'errors{service=\"{{args.service}}\"}'}}
";

const ISTIO: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web-stable
      trafficRouting: {istio: {virtualService: {name: web, routes: [primary]}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - name: primary
    route:
    - destination: {host: web-stable}
    - destination: {host: web-canary.default.svc.cluster.local}
  - name: other
    route: [{destination: {host: elsewhere}}]
";

#[test]
fn references_that_hold_are_silent() {
    assert_eq!(told(NGINX), NONE);
    assert_eq!(told(ISTIO), NONE);
}

#[test]
fn references_that_do_not_hold_are_told_where_the_mend_belongs() {
    let rows: &[(&str, &str, &str, &[&str])] = &[
        (
            NGINX,
            "spec: {selector: {app: web}}",
            "spec: {selector: {app: web, track: canary}}",
            &[
                "Service web-canary: spec.selector.track: \"canary\" is not what the pods of Rollout web have; add track: canary to the labels of its pod template, or remove it here",
            ],
        ),
        (
            NGINX,
            "spec: {selector: {app: web}}",
            "spec: {selector: {app: api}}",
            &[
                "Service web-canary: spec.selector.app: \"api\" is not what the pods of Rollout web have; write web, or change the label of its pod template",
            ],
        ),
        (
            NGINX,
            "metadata: {name: web-canary}",
            "metadata: {name: web-canary, annotations: {argo-rollouts.argoproj.io/managed-by-rollouts: api}}",
            &[
                "Service web-canary: metadata.annotations[\"argo-rollouts.argoproj.io/managed-by-rollouts\"]: \"api\" is another Rollout than web, which names this Service; give each Rollout Services of its own, or remove the annotation",
            ],
        ),
        (
            NGINX,
            "service: {name: web-stable,",
            "service: {name: web,",
            &[
                "Ingress web: spec.rules: sends nothing to the Service web-stable, whose traffic Rollout web shares; write web-stable as the backend of a path",
            ],
        ),
        (
            NGINX,
            ", args: [{name: service, value: web}]",
            "",
            &[
                "Rollout web: spec.strategy.canary.steps[1].analysis.args: does not give service, which the template errors needs; add - name: service with its value",
            ],
        ),
        (
            NGINX,
            "{name: service, value: web}",
            "{name: service, value: web}, {name: svc, value: web}",
            &[
                "Rollout web: spec.strategy.canary.steps[1].analysis.args[1].name: \"svc\" is not an argument of the template; remove it, or declare it in the template",
            ],
        ),
        (
            NGINX,
            "    count: 3\n",
            "",
            &[
                "Rollout web: spec.strategy.canary.steps[1].analysis.templates[0].templateName: \"errors\" has the metric error-rate, which never ends; set its count, or run the template in the background",
            ],
        ),
        (
            ISTIO,
            "routes: [primary]",
            "routes: [main]",
            &[
                "Rollout web: spec.strategy.canary.trafficRouting.istio.virtualService.routes[0]: \"main\" is not an HTTP route of VirtualService web; write the name of one",
            ],
        ),
        (
            ISTIO,
            ", routes: [primary]",
            "",
            &[
                "Rollout web: spec.strategy.canary.trafficRouting.istio.virtualService.routes: is required, since VirtualService web has 2 HTTP routes; name the routes to share",
            ],
        ),
        (
            ISTIO,
            "host: web-canary.default",
            "host: web-canary2.default",
            &[
                "VirtualService web: spec.http[0].route: has no destination with host web-canary, which Rollout web shares with; add a destination with host: web-canary",
            ],
        ),
        (
            ISTIO,
            "{virtualService: {name: web, routes: [primary]}}",
            "{virtualService: {name: web, routes: [primary]}, destinationRule: {name: web, canarySubsetName: canary, stableSubsetName: stable}}",
            &[
                "VirtualService web: spec.http[0].route: has no destination with subset canary, which Rollout web shares with; add a destination with subset: canary",
                "VirtualService web: spec.http[0].route: has no destination with subset stable, which Rollout web shares with; add a destination with subset: stable",
            ],
        ),
    ];
    for (good, before, after, expected) in rows {
        assert!(good.contains(before), "{before}");
        assert_eq!(told(&good.replacen(before, after, 1)), *expected, "{after}");
    }
}

#[test]
fn what_is_not_in_the_file_may_be_in_the_cluster() {
    for missing in ["kind: Service", "kind: Ingress", "kind: AnalysisTemplate"] {
        let rest: Vec<&str> = NGINX.split("---").filter(|document| !document.contains(missing)).collect();
        assert!(rest.len() < 5);
        assert_eq!(told(&rest.join("---")), NONE, "without {missing}");
    }
}

#[test]
fn objects_of_another_namespace_are_not_meant() {
    let text = NGINX.replace("metadata: {name: web-canary}", "metadata: {name: web-canary, namespace: other}");
    assert_eq!(told(&text.replace("spec: {selector: {app: web}}", "spec: {selector: {app: api}}")), NONE);
}

#[test]
fn a_background_analysis_need_not_end() {
    let text = NGINX
        .replace("      steps:\n      - setWeight: 20\n      - analysis:", "      analysis:")
        .replace("    count: 3\n", "");
    assert_eq!(told(&text), NONE);
}

#[test]
fn templates_that_are_run_together_share_their_arguments() {
    let text = NGINX.replace(
        "[{templateName: errors}], args: [{name: service, value: web}]",
        "[{templateName: errors}, {templateName: more}]",
    );
    let more = "---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: more}
spec:
  args: [{name: service, value: web}]
  metrics: [{name: error-rate, provider: {web: {url: 'http://{{args.service}}'}}}]
";
    assert_eq!(
        told(&format!("{text}{more}")),
        [
            "Rollout web: spec.strategy.canary.steps[1].analysis.templates[1].templateName: \"more\" has the metric error-rate, as errors has; name one of the two otherwise"
        ]
    );
}

const WORKLOAD: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy: {canary: {stableService: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}}
";

#[test]
fn a_template_in_a_workload_of_the_same_file_is_checked_like_one_of_the_rollouts_own() {
    assert_eq!(told(WORKLOAD), NONE);
    // (what is changed, into what → what is said)
    for (from, to, said) in [
        (
            "spec: {selector: {app: web}}",
            "spec: {selector: {app: web, tier: front}}",
            "Service web: spec.selector.tier: \"front\" is not what the pods of Rollout web have; add tier: front to the \
             labels of its pod template, or remove it here",
        ),
        (
            "image: 'web:1'",
            "command: [web]",
            "Deployment web: spec.template.spec.containers[0].image: is required; write one such as \
             registry.example.com/web:1.2",
        ),
        (
            "  workloadRef:",
            "  selector: {matchLabels: {app: api}}\n  workloadRef:",
            "Rollout web: spec.selector.matchLabels.app: \"api\" is not what the pod template has",
        ),
    ] {
        let text = WORKLOAD.replacen(from, to, 1);
        let found = told(&text);
        assert!(found.len() == 1 && found[0].starts_with(said), "{found:#?}");
    }
}

#[test]
fn a_pod_template_needs_a_selector_in_its_rollout() {
    let text = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: v1, kind: PodTemplate, name: web}
  strategy: {canary: {}}
---
apiVersion: v1
kind: PodTemplate
metadata: {name: web}
template:
  metadata: {labels: {app: web}}
  spec: {containers: [{name: web}]}
";
    let found = told(text);
    assert!(found.iter().any(|said| said.starts_with("Rollout web: spec.selector: is required")), "{found:#?}");
    assert!(
        found.iter().any(|said| said.starts_with("PodTemplate web: template.spec.containers[0].image: ")),
        "{found:#?}"
    );
}
