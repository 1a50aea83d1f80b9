//! Values of the wrong type, in every kind and at every depth: each is told once, where it is, and hides nothing of
//! the rest.

use crate::support::{Row, check, one, sentences, yaml};

const ROLLOUT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 3
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
      trafficRouting: {nginx: {stableIngress: web}}
      steps:
      - setWeight: 20
      - pause: {duration: 10m}
";

#[test]
fn each_wrong_type_is_told_once() {
    const ROWS: &[Row] = &[
        one(
            &[("metadata", "web")],
            &[
                "metadata: \"web\" is text, not an object; write fields below it, such as annotations, creationTimestamp, deletionGracePeriodSeconds or deletionTimestamp",
            ],
        ),
        one(&[("metadata.name", "5")], &["metadata.name: 5 is not text; write \"5\""]),
        one(&[("metadata.labels", "{version: 2}")], &["metadata.labels.version: 2 is not text; write \"2\""]),
        one(
            &[("metadata.annotations", "[a]")],
            &[
                "metadata.annotations: […] is a list, not a map of keys and values; write key: value lines below it, or {} for none",
            ],
        ),
        one(
            &[("spec", "[]")],
            &[
                "spec: [] is a list, not an object; write fields below it, such as analysis, minReadySeconds, paused or progressDeadlineAbort",
            ],
        ),
        one(
            &[("spec.replicas", "three")],
            &["spec.replicas: \"three\" is text, not a whole number; write a whole number"],
        ),
        one(&[("spec.replicas", "'3'")], &["spec.replicas: \"3\" is text, not a whole number; write 3 without quotes"]),
        one(&[("spec.replicas", "2.5")], &["spec.replicas: 2.5 is not a whole number; write a whole number"]),
        one(&[("spec.replicas", "true")], &["spec.replicas: true is not a whole number; write a whole number"]),
        one(&[("spec.replicas", "[3]")], &["spec.replicas: […] is a list, not a whole number; write a whole number"]),
        one(
            &[("spec.replicas", "2147483648")],
            &["spec.replicas: 2147483648 is more than 2147483647; write 2147483647 or less"],
        ),
        one(
            &[("spec.replicas", "99999999999999999999999999")],
            &["spec.replicas: 1e+26 is more than 2147483647; write 2147483647 or less"],
        ),
        one(
            &[("spec.paused", "'true'")],
            &["spec.paused: \"true\" is text, not true or false; write true without quotes"],
        ),
        one(&[("spec.paused", "1")], &["spec.paused: 1 is not true or false; write true or false"]),
        one(
            &[("spec.selector", "app=web")],
            &[
                "spec.selector: \"app=web\" is text, not an object; write fields below it, such as matchExpressions or matchLabels",
            ],
        ),
        one(
            &[("spec.selector.matchLabels", "[app]")],
            &[
                "spec.selector.matchLabels: […] is a list, not a map of keys and values; write key: value lines below it, or {} for none",
            ],
        ),
        one(
            &[("spec.selector.matchLabels.app", "{a: b}")],
            &["spec.selector.matchLabels.app: {…} is an object, not text; write text"],
        ),
        one(
            &[("spec.strategy", "canary")],
            &["spec.strategy: \"canary\" is text, not an object; write fields below it, such as blueGreen or canary"],
        ),
        one(
            &[("spec.strategy.canary", "true")],
            &[
                "spec.strategy.canary: true is not an object; write fields below it, such as abortScaleDownDelaySeconds, analysis, antiAffinity or canaryMetadata",
            ],
        ),
        one(
            &[("spec.strategy.canary.canaryService", "{name: web}")],
            &["spec.strategy.canary.canaryService: {…} is an object, not text; write text"],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting", "nginx")],
            &[
                "spec.strategy.canary.trafficRouting: \"nginx\" is text, not an object; write fields below it, such as alb, ambassador, apisix or appMesh",
            ],
        ),
        one(
            &[("spec.strategy.canary.trafficRouting.nginx.stableIngress", "[web]")],
            &["spec.strategy.canary.trafficRouting.nginx.stableIngress: […] is a list, not text; write text"],
        ),
        one(
            &[("spec.strategy.canary.steps", "{setWeight: 20}")],
            &[
                "spec.strategy.canary.steps: {…} is an object, not a list; begin each item with \"- \", or write [] for none",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps", "[setWeight, 5, null, []]")],
            &[
                "spec.strategy.canary.steps[0]: \"setWeight\" is text, not an object; write fields below it, such as analysis, experiment, pause or plugin",
                "spec.strategy.canary.steps[1]: 5 is not an object; write fields below it, such as analysis, experiment, pause or plugin",
                "spec.strategy.canary.steps[2]: null is not an object; write fields below it, such as analysis, experiment, pause or plugin",
                "spec.strategy.canary.steps[3]: [] is a list, not an object; write fields below it, such as analysis, experiment, pause or plugin",
            ],
        ),
        one(
            &[("spec.strategy.canary.maxSurge", "{percent: 5}")],
            &[
                "spec.strategy.canary.maxSurge: {…} is an object, not a whole number or text; write a whole number or text",
            ],
        ),
        one(&[("spec.restartAt", "5")], &["spec.restartAt: 5 is not text; write \"5\""]),
        one(
            &[("status", "Healthy")],
            &[
                "status: \"Healthy\" is text, not an object; write fields below it, such as HPAReplicas, abort, abortedAt or alb",
            ],
        ),
    ];
    check(ROLLOUT, ROWS);
}

#[test]
fn a_wrong_type_hides_no_other_mistake() {
    let manifest = yaml(
        "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: many
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 5}
      - {name: web}
  strategy:
    canary:
      maxSurge: 0
      maxUnavailable: 0
      steps:
      - setWeight: [20]
      - pause: {duration: 10x}
      - setWeight: 120
",
    );
    assert_eq!(
        sentences(&manifest),
        [
            "spec.replicas: \"many\" is text, not a whole number; write a whole number",
            "spec.selector.matchLabels.app: \"api\" is not what the pod template has; write web, or change the label of the pod template",
            "spec.strategy.canary.maxSurge: and maxUnavailable are both 0; allow one of the two, for example maxSurge: 1",
            "spec.strategy.canary.steps[0].setWeight: […] is a list, not a whole number; write a whole number",
            "spec.strategy.canary.steps[1].pause.duration: \"10x\" is not a duration; write 30s, 10m or 1h",
            "spec.strategy.canary.steps[2].setWeight: 120 is not a weight; write 0 to 100",
            "spec.template.spec.containers[0].image: 5 is not text; write \"5\"",
            "spec.template.spec.containers[1].image: is required; write one such as registry.example.com/web:1.2",
            "spec.template.spec.containers[1].name: \"web\" is the name of another container; name it otherwise",
        ]
    );
}

#[test]
fn unknown_fields_are_led_home() {
    const ROWS: &[Row] = &[
        one(&[("spec.replica", "3")], &["spec.replica: is not a field that anything reads; did you mean replicas?"]),
        one(&[("spec.Replicas", "3")], &["spec.Replicas: is not a field that anything reads; did you mean replicas?"]),
        one(
            &[("spec.min-ready-seconds", "3")],
            &["spec.min-ready-seconds: is not a field that anything reads; did you mean minReadySeconds?"],
        ),
        one(
            &[("spec.strategy.steps", "[]")],
            &["spec.strategy.steps: is not a field that anything reads; did you mean spec.strategy.canary.steps?"],
        ),
        one(
            &[("spec.steps", "[]")],
            &["spec.steps: is not a field that anything reads; did you mean spec.strategy.canary.steps?"],
        ),
        one(
            &[("spec.strategy.canary.progressDeadlineSeconds", "5")],
            &[
                "spec.strategy.canary.progressDeadlineSeconds: is not a field that anything reads; did you mean spec.progressDeadlineSeconds?",
            ],
        ),
        one(
            &[("spec.strategy.canary.nginx", "{}")],
            &[
                "spec.strategy.canary.nginx: is not a field that anything reads; did you mean spec.strategy.canary.trafficRouting.nginx?",
            ],
        ),
        one(
            &[("spec.strategy.canary.activeService", "web")],
            &[
                "spec.strategy.canary.activeService: is not a field that anything reads; did you mean spec.strategy.blueGreen.activeService?",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.1", "{pause: {seconds: 5}}")],
            &[
                "spec.strategy.canary.steps[1].pause.seconds: is not a field that anything reads; the only field here is duration",
            ],
        ),
        one(
            &[("spec.strategy.canary.steps.1", "{duration: 5m}")],
            &[
                "spec.strategy.canary.steps[1].duration: is not a field that anything reads; did you mean spec.strategy.canary.steps[1].pause.duration?",
            ],
        ),
        one(
            &[("spec.strategy.rollingUpdate", "{}")],
            &[
                "spec.strategy.rollingUpdate: is not a field that anything reads; the fields here are blueGreen and canary",
            ],
        ),
        one(
            &[("spec.qwertyuiop", "1")],
            &["spec.qwertyuiop: is not a field that anything reads; remove it or check its spelling"],
        ),
        one(
            &[("extra", "1")],
            &[
                "extra: is not a field that anything reads; the fields here are apiVersion, kind, metadata, spec and status",
            ],
        ),
        one(
            &[("spec.strategy", "{cannary: {}}")],
            &["spec.strategy.cannary: is not a field that anything reads; did you mean canary?"],
        ),
    ];
    check(ROLLOUT, ROWS);
}

#[test]
fn unknown_fields_stop_no_release() {
    let manifest =
        yaml(&ROLLOUT.replace("replicas: 3", "replica: 3").replace("image: 'web:1'", "image: 'web:1', imagee: x"));
    assert_eq!(sentences(&manifest).len(), 2);
    let read = sluice_crds::validate::read::<sluice_crds::Rollout>(manifest);
    assert_eq!(read.mistakes, []);
    assert_eq!(read.object.spec.replicas(), 1);
}

#[test]
fn null_is_the_same_as_not_written() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.strategy.canary.steps.1", "{pause: null}")],
            &["spec.strategy.canary.steps[1].pause: null is the same as not written; write {} or fields below it"],
        ),
        one(
            &[("spec.strategy", "{canary: null}")],
            &["spec.strategy.canary: null is the same as not written; write {} or fields below it"],
        ),
        one(
            &[(
                "spec",
                "{replicas: null, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}, creationTimestamp: null}, spec: {containers: [{name: web, image: 'web:1', resources: null}]}}, strategy: {canary: {steps: null}}}",
            )],
            &[],
        ),
    ];
    check(ROLLOUT, ROWS);
}
