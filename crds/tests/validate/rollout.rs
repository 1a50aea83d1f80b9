//! What is said about a Rollout, its canary and its blue-green strategy.

use crate::support::{Row, check, one};

const CANARY: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      containers:
      - {name: web, image: 'web:1'}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web-stable
      steps:
      - setWeight: 20
      - pause: {duration: 10m}
";

const BLUE_GREEN: &str = "
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
    blueGreen:
      activeService: web-active
      previewService: web-preview
      autoPromotionEnabled: false
";

#[test]
fn a_rollout_as_a_whole() {
    const ROWS: &[Row] = &[
        one(
            &[("metadata.name", "Web_1")],
            &[
                "metadata.name: \"Web_1\" is not an object name; use up to 253 of a-z, 0-9, \"-\" and \".\", with a letter or digit at both ends of each part",
            ],
        ),
        one(&[("metadata.name", "~")], &["metadata.name: is required; name the object"]),
        one(
            &[("metadata.labels", "{-a: b}")],
            &[
                "metadata.labels.-a: \"-a\" is not a label key; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
            ],
        ),
        one(
            &[("metadata.labels", "{a: 'b c'}")],
            &[
                "metadata.labels.a: \"b c\" is not a label value; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
            ],
        ),
        one(&[("spec", "~")], &["spec: is required; write an object"]),
        one(&[("spec.replicas", "-1")], &["spec.replicas: -1 is less than 0; write 0 or more"]),
        one(&[("spec.minReadySeconds", "-5")], &["spec.minReadySeconds: -5 is less than 0; write 0 or more"]),
        one(
            &[("spec.minReadySeconds", "600")],
            &[
                "spec.minReadySeconds: 600 is not less than progressDeadlineSeconds, which is 600; write less than 600, or set a longer progressDeadlineSeconds",
            ],
        ),
        one(
            &[("spec.minReadySeconds", "30"), ("spec.progressDeadlineSeconds", "20")],
            &["spec.progressDeadlineSeconds: 20 is not more than minReadySeconds, which is 30; write more than 30"],
        ),
        one(
            &[("spec.progressDeadlineSeconds", "0")],
            &["spec.progressDeadlineSeconds: 0 is not more than minReadySeconds, which is 0; write more than 0"],
        ),
        one(&[("spec.revisionHistoryLimit", "-1")], &["spec.revisionHistoryLimit: -1 is less than 0; write 0 or more"]),
        one(
            &[("spec.rollbackWindow", "{revisions: -3}")],
            &["spec.rollbackWindow.revisions: -3 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.restartAt", "yesterday")],
            &["spec.restartAt: \"yesterday\" is not a time; write it as 2025-01-31T15:04:05Z"],
        ),
        one(
            &[("spec.selector", "~")],
            &[
                "spec.selector: is required and must not be empty; write matchLabels with labels of the pod template, such as app: web",
            ],
        ),
        one(
            &[("spec.selector", "{}")],
            &[
                "spec.selector: is required and must not be empty; write matchLabels with labels of the pod template, such as app: web",
            ],
        ),
        one(
            &[("spec.selector.matchLabels", "{app: api}")],
            &[
                "spec.selector.matchLabels.app: \"api\" is not what the pod template has; write web, or change the label of the pod template",
            ],
        ),
        one(
            &[("spec.selector.matchLabels", "{app: web, track: stable}")],
            &[
                "spec.selector.matchLabels.track: \"stable\" is a label that the pod template does not have; add the label track: stable to the pod template, or remove it here",
            ],
        ),
        one(
            &[("spec.selector.matchLabels", "{a/b/c: web}")],
            &[
                "spec.selector.matchLabels[\"a/b/c\"]: \"a/b/c\" is not a label key; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
            ],
        ),
        one(
            &[("spec.selector.matchExpressions", "[{key: tier, operator: NotIn, values: [front]}]")],
            &[
                "spec.selector.matchExpressions[0]: does not match the labels of the pod template; change it, or the labels of the pod template",
            ],
        ),
        one(
            &[("spec.selector.matchExpressions", "[{key: tier, operator: Includes, values: [front]}]")],
            &[
                "spec.selector.matchExpressions[0].operator: \"Includes\" is not an operator; write In, NotIn, Exists or DoesNotExist",
            ],
        ),
        one(
            &[("spec.selector.matchExpressions", "[{key: tier, operator: In}]")],
            &["spec.selector.matchExpressions[0].values: In compares with values and there are none; add at least one"],
        ),
        one(
            &[("spec.template", "~")],
            &["spec.template: is required; write the pod to run, or name the object that has it in spec.workloadRef"],
        ),
        one(
            &[("spec.workloadRef", "{apiVersion: apps/v1, kind: Deployment, name: web}")],
            &["spec.template: can't be combined with workloadRef; remove one of the two"],
        ),
        one(
            &[
                ("spec.template", "~"),
                ("spec.selector", "~"),
                ("spec.workloadRef", "{kind: StatefulSet, scaleDown: later}"),
            ],
            &[
                "spec.workloadRef.apiVersion: is required; write apps/v1, or v1 for a PodTemplate",
                "spec.workloadRef.kind: \"StatefulSet\" is not known here; write Deployment, ReplicaSet or PodTemplate",
                "spec.workloadRef.name: is required; name the object",
                "spec.workloadRef.scaleDown: \"later\" is not known here; write never, onsuccess or progressively",
            ],
        ),
        one(&[("spec.strategy", "~")], &["spec.strategy: is required; write canary or blueGreen"]),
        one(&[("spec.strategy", "{}")], &["spec.strategy: is required; write canary or blueGreen"]),
        one(
            &[("spec.strategy.blueGreen", "{activeService: web}")],
            &["spec.strategy: has both canary and blueGreen; keep one of the two"],
        ),
    ];
    check(CANARY, ROWS);
}

#[test]
fn the_canary_strategy() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.canary.canaryService", "web-stable")],
            &[
                "spec.strategy.canary.canaryService: \"web-stable\" is the stableService too; name a Service of its own for each",
            ],
        ),
        one(
            &[("spec.strategy.canary.stableService", "Web")],
            &[
                "spec.strategy.canary.stableService: \"Web\" is not a DNS label; use up to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends",
            ],
        ),
        one(
            &[("spec.strategy.canary.maxSurge", "0"), ("spec.strategy.canary.maxUnavailable", "0%")],
            &[
                "spec.strategy.canary.maxSurge: and maxUnavailable are both 0; allow one of the two, for example maxSurge: 1",
            ],
        ),
        one(
            &[("spec.strategy.canary.maxSurge", "some")],
            &["spec.strategy.canary.maxSurge: \"some\" is not a number or percentage; write 2 or \"25%\""],
        ),
        one(
            &[("spec.strategy.canary.maxSurge", "12.5%")],
            &["spec.strategy.canary.maxSurge: \"12.5%\" is not a number or percentage; write 2 or \"25%\""],
        ),
        one(
            &[("spec.strategy.canary.maxUnavailable", "-1")],
            &[
                "spec.strategy.canary.maxUnavailable: \"-1\" is less than nothing; write a number of pods or a percentage",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.scaleDownDelaySeconds", "60"),
                ("spec.strategy.canary.dynamicStableScale", "true"),
            ],
            &[
                "spec.strategy.canary.dynamicStableScale: has a meaning with trafficRouting only; remove it, or set trafficRouting",
                "spec.strategy.canary.scaleDownDelaySeconds: has a meaning with trafficRouting only; remove it, or set trafficRouting",
            ],
        ),
        one(
            &[
                ("spec.strategy.canary.trafficRouting", "{nginx: {stableIngress: web}}"),
                ("spec.strategy.canary.scaleDownDelaySeconds", "60"),
                ("spec.strategy.canary.dynamicStableScale", "true"),
            ],
            &[
                "spec.strategy.canary.scaleDownDelaySeconds: can't be combined with dynamicStableScale, which leaves nothing to wait for; remove one of the two",
            ],
        ),
        one(
            &[("spec.strategy.canary.abortScaleDownDelaySeconds", "-1")],
            &["spec.strategy.canary.abortScaleDownDelaySeconds: -1 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.strategy.canary.replicaProgressThreshold", "{type: Percent, value: 120}")],
            &["spec.strategy.canary.replicaProgressThreshold.value: 120 is more than 100 percent; write 0 to 100"],
        ),
        one(
            &[("spec.strategy.canary.replicaProgressThreshold", "{type: Half, value: -1}")],
            &[
                "spec.strategy.canary.replicaProgressThreshold.type: \"Half\" is not known here; write Percent or Pods",
                "spec.strategy.canary.replicaProgressThreshold.value: -1 is less than 0; write 0 or more",
            ],
        ),
        one(
            &[("spec.strategy.canary.antiAffinity", "{}")],
            &[
                "spec.strategy.canary.antiAffinity: has no rule; write preferredDuringSchedulingIgnoredDuringExecution or requiredDuringSchedulingIgnoredDuringExecution",
            ],
        ),
        one(
            &[(
                "spec.strategy.canary.antiAffinity",
                "{requiredDuringSchedulingIgnoredDuringExecution: {}, preferredDuringSchedulingIgnoredDuringExecution: {weight: 5}}",
            )],
            &["spec.strategy.canary.antiAffinity: has both the preferred and the required rule; keep one of the two"],
        ),
        one(
            &[(
                "spec.strategy.canary.antiAffinity",
                "{preferredDuringSchedulingIgnoredDuringExecution: {weight: 101}}",
            )],
            &[
                "spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight: 101 is more than 100; write 100 or less",
            ],
        ),
        one(
            &[("spec.strategy.canary.canaryMetadata", "{labels: {'bad key': x}}")],
            &[
                "spec.strategy.canary.canaryMetadata.labels[\"bad key\"]: \"bad key\" is not a label key; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
            ],
        ),
        one(
            &[("spec.strategy.canary.analysis", "{startingStep: 1}")],
            &["spec.strategy.canary.analysis.templates: is required; name at least one AnalysisTemplate"],
        ),
    ];
    check(CANARY, ROWS);
}

#[test]
fn the_blue_green_strategy() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.blueGreen.activeService", "~")],
            &["spec.strategy.blueGreen.activeService: is required; name the Service that carries the traffic"],
        ),
        one(
            &[("spec.strategy.blueGreen.activeService", "''")],
            &["spec.strategy.blueGreen.activeService: is required; name the Service that carries the traffic"],
        ),
        one(
            &[("spec.strategy.blueGreen.previewService", "web-active")],
            &[
                "spec.strategy.blueGreen.previewService: \"web-active\" is the activeService; name a Service of its own for the preview, or remove it",
            ],
        ),
        one(
            &[("spec.strategy.blueGreen.previewReplicaCount", "-2")],
            &["spec.strategy.blueGreen.previewReplicaCount: -2 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.strategy.blueGreen.abortScaleDownDelaySeconds", "-2")],
            &["spec.strategy.blueGreen.abortScaleDownDelaySeconds: -2 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.strategy.blueGreen.scaleDownDelayRevisionLimit", "11")],
            &[
                "spec.strategy.blueGreen.scaleDownDelayRevisionLimit: 11 is more than spec.revisionHistoryLimit, which is 10; write 10 or less, or keep more revisions",
            ],
        ),
        one(
            &[("spec.strategy.blueGreen.maxUnavailable", "'25 %'")],
            &["spec.strategy.blueGreen.maxUnavailable: \"25 %\" is not a number or percentage; write 2 or \"25%\""],
        ),
        one(
            &[("spec.strategy.blueGreen.prePromotionAnalysis", "{templates: [{}]}")],
            &[
                "spec.strategy.blueGreen.prePromotionAnalysis.templates[0].templateName: is required; name an AnalysisTemplate",
            ],
        ),
        one(
            &[("spec.strategy.blueGreen.steps", "[{pause: {}}]")],
            &[
                "spec.strategy.blueGreen.steps: is not a field that anything reads; did you mean spec.strategy.canary.steps?",
            ],
        ),
    ];
    check(BLUE_GREEN, ROWS);
}
