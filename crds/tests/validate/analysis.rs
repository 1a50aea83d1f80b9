//! What is said about analysis templates, analysis runs and experiments.

use crate::support::{Row, check, one};

const TEMPLATE: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: service}, {name: limit, value: '0.05'}]
  metrics:
  - name: error-rate
    interval: 1m
    count: 5
    failureLimit: 2
    successCondition: result[0] < {{args.limit}}
    provider:
      prometheus: {address: 'http://prometheus:9090', query: 'errors{service=\"{{args.service}}\"}'}
";

const RUN: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisRun
metadata: {name: errors-1}
spec:
  args: [{name: service, value: web}]
  metrics:
  - name: smoke
    provider:
      job:
        spec:
          template:
            spec:
              restartPolicy: Never
              containers:
              - {name: smoke, image: 'curl:1', args: ['http://{{args.service}}/'], resources: {limits: {cpu: '{{args.service}}'}}}
";

const EXPERIMENT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Experiment
metadata: {name: compare}
spec:
  duration: 10m
  templates:
  - name: baseline
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        containers: [{name: web, image: 'web:1'}]
  analyses:
  - {name: errors, templateName: errors, args: [{name: service, value: web}]}
";

#[test]
fn metrics() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.metrics", "[]")],
            &["spec.metrics: has no metric; write at least one, or name other templates in spec.templates"],
        ),
        one(&[("spec.metrics.0.name", "~")], &["spec.metrics[0].name: is required; name the metric"]),
        one(
            &[("spec.metrics.0.onNoData", "ignore")],
            &["spec.metrics[0].onNoData: \"ignore\" is not known here; write inconclusive, failure, success or wait"],
        ),
        one(
            &[("spec.metrics.0.consecutiveFailureLimit", "-1")],
            &["spec.metrics[0].consecutiveFailureLimit: -1 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.metrics.0.interval", "1 minute")],
            &["spec.metrics[0].interval: \"1 minute\" is not a duration; write 30s, 10m or 1h"],
        ),
        one(&[("spec.metrics.0.interval", "60")], &["spec.metrics[0].interval: 60 is not text; write \"60\""]),
        one(
            &[("spec.metrics.0.interval", "'60'")],
            &["spec.metrics[0].interval: \"60\" is not a duration, it has no unit; write 60s, 60m or 60h"],
        ),
        one(
            &[("spec.metrics.0.initialDelay", "99999999h")],
            &["spec.metrics[0].initialDelay: \"99999999h\" is too long for a duration; write at most 2562047h"],
        ),
        one(
            &[("spec.metrics.0.interval", "~")],
            &[
                "spec.metrics[0].interval: is required with more than one measurement; write the time between two measurements, such as 1m, or lower count to 1",
            ],
        ),
        one(
            &[("spec.metrics.0.count", "five")],
            &[
                "spec.metrics[0].count: \"five\" is not a whole number; write one such as 5, or an argument such as {{args.count}}",
            ],
        ),
        one(&[("spec.metrics.0.count", "-1")], &["spec.metrics[0].count: -1 is less than 0; write 0 or more"]),
        one(
            &[("spec.metrics.0.count", "1")],
            &["spec.metrics[0].count: 1 is less than failureLimit, which is 2; write 2 or more"],
        ),
        one(
            &[("spec.metrics.0.consecutiveSuccessLimit", "4")],
            &[
                "spec.metrics[0].count: 5 is less than failureLimit and consecutiveSuccessLimit, which are 6 in all; write 6 or more",
            ],
        ),
        one(
            &[("spec.metrics.0.inconclusiveLimit", "'6'")],
            &["spec.metrics[0].count: 5 is less than inconclusiveLimit, which is 6; write 6 or more"],
        ),
        one(
            &[("spec.metrics.0.failureLimit", "-2"), ("spec.metrics.0.consecutiveErrorLimit", "-1")],
            &[
                "spec.metrics[0].consecutiveErrorLimit: -1 is less than 0; write 0 or more",
                "spec.metrics[0].failureLimit: -2 is less than -1; write -1 or more",
            ],
        ),
        one(
            &[("spec.metrics.0.successCondition", "result[0 < 1")],
            &[
                "spec.metrics[0].successCondition: \"result[0 < 1\" is not an expression, a [ is never closed; write one such as result[0] < 0.05",
            ],
        ),
        one(
            &[("spec.metrics.0.failureCondition", "result == 'bad")],
            &[
                "spec.metrics[0].failureCondition: \"result == 'bad\" is not an expression, a ' is never closed; write one such as result[0] < 0.05",
            ],
        ),
        one(
            &[("spec.metrics.0.successCondition", "result > {{args.threshold}}")],
            &[
                "spec.metrics[0].successCondition: uses {{args.threshold}}, which this template does not declare; add - name: threshold to spec.args",
            ],
        ),
        one(
            &[("spec.metrics", "[{name: a, provider: {web: {url: x}}}, {name: a, provider: {web: {url: x}}}]")],
            &["spec.metrics[1].name: \"a\" is written twice; name each one otherwise"],
        ),
        one(
            &[(
                "spec.args",
                "[{name: service, value: a, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: limit, valueFrom: {}}, {name: limit}]",
            )],
            &[
                "spec.args[0]: has both value and valueFrom; keep one of the two",
                "spec.args[1].valueFrom: names no source; write secretKeyRef or fieldRef",
                "spec.args[2].name: \"limit\" is written twice; name each one otherwise",
            ],
        ),
        one(
            &[("spec.args.0.valueFrom", "{secretKeyRef: {name: s}, fieldRef: {fieldPath: a}}")],
            &[
                "spec.args[0].valueFrom: has both secretKeyRef and fieldRef; keep one of the two",
                "spec.args[0].valueFrom.secretKeyRef.key: is required; name the key in the Secret",
            ],
        ),
        one(
            &[("spec.templates", "[{clusterScope: true}]")],
            &["spec.templates[0].templateName: is required; name an AnalysisTemplate"],
        ),
        one(&[("spec.metric", "[]")], &["spec.metric: is not a field that anything reads; did you mean metrics?"]),
    ];
    check(TEMPLATE, ROWS);
}

#[test]
fn providers() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.metrics.0.provider", "~")],
            &["spec.metrics[0].provider: names no provider; write prometheus, web or job below it"],
        ),
        one(
            &[("spec.metrics.0.provider", "{}")],
            &["spec.metrics[0].provider: names no provider; write prometheus, web or job below it"],
        ),
        one(
            &[("spec.metrics.0.provider.web", "{url: x}")],
            &["spec.metrics[0].provider: has prometheus and web; keep one, and make a metric of each of the others"],
        ),
        one(
            &[("spec.metrics.0.provider", "{prometheuss: {query: up}}")],
            &["spec.metrics[0].provider.prometheuss: is not a field that anything reads; did you mean prometheus?"],
        ),
        one(
            &[("spec.metrics.0.provider.prometheus", "{querry: up}")],
            &["spec.metrics[0].provider.prometheus.querry: is not a field that anything reads; did you mean query?"],
        ),
        one(
            &[("spec.metrics.0.provider.prometheus", "{address: x, timeout: -1}")],
            &[
                "spec.metrics[0].provider.prometheus.query: is required; write the query, or a signal",
                "spec.metrics[0].provider.prometheus.timeout: -1 is less than 0; write seconds, 30 is usual",
            ],
        ),
        one(
            &[(
                "spec.metrics.0.provider",
                "{web: {url: '', method: DELETE, body: a, jsonBody: {b: 1}, headers: [{value: x}]}}",
            )],
            &[
                "spec.metrics[0].provider.web: has both body and jsonBody; keep one of the two",
                "spec.metrics[0].provider.web.headers[0].key: is required; name the header",
                "spec.metrics[0].provider.web.method: \"DELETE\" is not known here; write GET, POST or PUT",
                "spec.metrics[0].provider.web.url: is required; write the address to ask",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{web: {url: x, authentication: {oauth2: {tokenUrl: u, clientId: c}}}}")],
            &[
                "spec.metrics[0].provider.web.authentication.oauth2.clientSecret: is required; write it, or take it from an argument",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{prometheus: {query: up, caBundle: /etc/ca.pem}}")],
            &[
                "spec.metrics[0].provider.prometheus.caBundle: has no certificate; write PEM text, which begins with -----BEGIN CERTIFICATE-----",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{web: {url: x, insecure: true, caBundle: PEM}}")],
            &[
                "spec.metrics[0].provider.web.caBundle: has no say where insecure leaves certificates unchecked; keep one of the two",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{datadog: {apiVersion: v3, interval: 5}}")],
            &[
                "spec.metrics[0].provider.datadog.apiVersion: \"v3\" is not known here; write v1 or v2",
                "spec.metrics[0].provider.datadog.interval: 5 is not text; write \"5\"",
                "spec.metrics[0].provider.datadog.query: is required; write the query, or queries with v2",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{datadog: {queries: {a: x, b: z}, formula: a/b}}")],
            &[
                "spec.metrics[0].provider.datadog.formula: is for apiVersion v2 only; write apiVersion: v2",
                "spec.metrics[0].provider.datadog.queries: is for apiVersion v2 only; write apiVersion: v2",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{datadog: {apiVersion: v2, queries: {a: x, b: z}}}")],
            &[
                "spec.metrics[0].provider.datadog.formula: is required with several queries; say how the queries become one value",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{cloudWatch: {metricDataQueries: []}}")],
            &["spec.metrics[0].provider.cloudWatch.metricDataQueries: is required; write at least one query"],
        ),
        one(
            &[("spec.metrics.0.provider", "{kayenta: {}}")],
            &[
                "spec.metrics[0].provider.kayenta.address: is required; write the address of Kayenta",
                "spec.metrics[0].provider.kayenta.application: is required; name the application",
                "spec.metrics[0].provider.kayenta.canaryConfigName: is required; name the canary configuration",
                "spec.metrics[0].provider.kayenta.scopes: is required; say what is compared",
                "spec.metrics[0].provider.kayenta.threshold: is required; write pass and marginal below it",
            ],
        ),
        one(
            &[("spec.metrics.0.provider", "{graphite: {}}")],
            &["spec.metrics[0].provider.graphite.query: is required; write the query"],
        ),
        one(
            &[("spec.metrics.0.provider", "{newRelic: {profile: x}}")],
            &["spec.metrics[0].provider.newRelic.query: is required; write the query"],
        ),
        one(
            &[("spec.metrics.0.provider", "{skywalking: {query: x, interval: five}}")],
            &["spec.metrics[0].provider.skywalking.interval: \"five\" is not a duration; write 30s, 10m or 1h"],
        ),
        one(
            &[("spec.metrics.0.provider", "{plugin: {me/opensearch: {}}}")],
            &[
                "spec.metrics[0].provider.plugin[\"me/opensearch\"]: is a plugin in Go, which Sluice does not run; use prometheus, web or job",
            ],
        ),
    ];
    check(TEMPLATE, ROWS);
}

#[test]
fn runs() {
    const ROWS: &[Row] = &[
        one(&[("spec.metrics", "[]")], &["spec.metrics: has no metric; write at least one"]),
        one(&[("spec.args", "[{name: service}]")], &["spec.args[0]: has no value; write value or valueFrom"]),
        one(
            &[("spec.args", "[]")],
            &[
                "spec.metrics[0].provider.job.spec.template.spec.containers[0].args[0]: uses {{args.service}}, which is not among the arguments; add service to spec.args with its value",
            ],
        ),
        one(
            &[("spec.dryRun", "[{metricName: load}]")],
            &["spec.dryRun[0].metricName: names no metric of this run; write the name of one"],
        ),
        one(
            &[("spec.metrics.0.provider.job.spec", "{backoffLimit: -1}")],
            &[
                "spec.metrics[0].provider.job.spec.backoffLimit: -1 is less than 0; write 0 or more",
                "spec.metrics[0].provider.job.spec.template: is required; write the pod to run",
            ],
        ),
        one(
            &[("spec.metrics.0.provider.job.spec.template.spec.restartPolicy", "Always")],
            &[
                "spec.metrics[0].provider.job.spec.template.spec.restartPolicy: \"Always\" can't be used for a Job; write Never or OnFailure",
            ],
        ),
        one(
            &[("spec.metrics.0.provider.job.spec.template.spec.containers.0", "{name: smoke}")],
            &[
                "spec.metrics[0].provider.job.spec.template.spec.containers[0].image: is required; write one such as registry.example.com/web:1.2",
            ],
        ),
        one(
            &[("spec.metrics.0.provider.job.spec.backofLimit", "1")],
            &[
                "spec.metrics[0].provider.job.spec.backofLimit: is not a field of Kubernetes 1.36; did you mean backoffLimit?",
            ],
        ),
        one(
            &[("spec.metrics.0.provider.job", "{}")],
            &["spec.metrics[0].provider.job.spec: is required; write the Job's spec with its template"],
        ),
    ];
    check(RUN, ROWS);
}

#[test]
fn experiments() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.templates", "[]"), ("spec.analyses", "[]")],
            &["spec.templates: is required; write the versions to run"],
        ),
        one(
            &[("spec.duration", "ten minutes")],
            &["spec.duration: \"ten minutes\" is not a duration; write 30s, 10m or 1h"],
        ),
        one(&[("spec.templates.0.name", "''")], &["spec.templates[0].name: is required; name the version"]),
        one(
            &[("spec.templates.0.replicas", "-1")],
            &["spec.templates[0].replicas: -1 is less than 0; write 0 or more"],
        ),
        one(
            &[("spec.templates.0.minReadySeconds", "601")],
            &[
                "spec.templates[0].minReadySeconds: 601 is more than spec.progressDeadlineSeconds, which is 600; write 600 or less, or set a longer progressDeadlineSeconds",
            ],
        ),
        one(
            &[("spec.templates.0.selector", "{matchLabels: {app: api}}")],
            &[
                "spec.templates[0].selector.matchLabels.app: \"api\" is not what the pod template has; write web, or change the label of the pod template",
            ],
        ),
        one(
            &[("spec.templates.0.template.spec.containers", "[]")],
            &["spec.templates[0].template.spec.containers: has no container; write at least one"],
        ),
        one(
            &[("spec.templates.0.service", "{name: A}")],
            &[
                "spec.templates[0].service.name: \"A\" is not a DNS label; use up to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends",
            ],
        ),
        one(
            &[("spec.analyses", "[{name: a}, {name: a, templateName: b}]")],
            &[
                "spec.analyses[0].templateName: is required; name an AnalysisTemplate",
                "spec.analyses[1].name: \"a\" is written twice; name each one otherwise",
            ],
        ),
        one(
            &[("spec.templates.0.selector", "~")],
            &[
                "spec.templates[0].selector: is required and must not be empty; write matchLabels with labels of the pod template, such as app: web",
            ],
        ),
    ];
    check(EXPERIMENT, ROWS);
}
