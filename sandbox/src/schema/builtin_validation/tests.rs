//! What a real server says about objects that make no sense.

use serde_json::{Value, json};

use super::super::builtin_defaults::default_builtin;
use super::validate_builtin;

fn complaints(api_version: &str, kind: &str, mut new: Value, old: Option<Value>) -> Vec<String> {
    default_builtin(api_version, kind, &mut new);
    let old = old.map(|mut old| {
        default_builtin(api_version, kind, &mut old);
        old
    });
    let errors = validate_builtin(api_version, kind, &new, old.as_ref());
    errors.iter().map(ToString::to_string).collect()
}

fn deployment(spec: Value) -> Value {
    let mut full = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "x"}]}}});
    if let (Some(full), Value::Object(spec)) = (full.as_object_mut(), spec) {
        full.extend(spec);
    }
    json!({"metadata": {"name": "d", "namespace": "default"}, "spec": full})
}

#[test]
fn deployments_are_checked() {
    let rows = [
        (json!({}), vec![]),
        (json!({"replicas": -1}), vec!["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        (
            json!({"selector": {"matchLabels": {"a": "c"}}}),
            vec![
                "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
            ],
        ),
        (json!({"selector": {}}), vec!["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        (
            json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}),
            vec![
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0",
            ],
        ),
        (
            json!({"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}),
            vec!["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
        ),
        (
            json!({"progressDeadlineSeconds": 5, "minReadySeconds": 10}),
            vec!["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
        ),
    ];
    for (spec, expected) in rows {
        assert_eq!(complaints("apps/v1", "Deployment", deployment(spec), None), expected);
    }
    let moved =
        deployment(json!({"selector": {"matchLabels": {"a": "c"}}, "template": {"metadata": {"labels": {"a": "c"}},
        "spec": {"containers": [{"name": "c", "image": "x"}]}}}));
    assert_eq!(
        complaints("apps/v1", "Deployment", moved, Some(deployment(json!({})))),
        ["spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable"]
    );
}

#[test]
fn pods_keep_what_they_run() {
    let pod = |spec: Value| json!({"metadata": {"name": "p", "namespace": "default"}, "spec": spec});
    let old = pod(json!({"containers": [{"name": "c", "image": "x:1"}]}));
    let image = pod(json!({"containers": [{"name": "c", "image": "x:2"}]}));
    assert!(complaints("v1", "Pod", image, Some(old.clone())).is_empty());
    let policy = pod(json!({"containers": [{"name": "c", "image": "x:1"}], "restartPolicy": "Never"}));
    assert_eq!(complaints("v1", "Pod", policy, Some(old)).len(), 1);
}
