//! Two templates that make the same pods are recognised, and no other.

use serde_json::{Value, json};
use sluice_crds::template::{PodTemplate, semantically_equal};

use crate::defaulted::defaulted;

fn equal(a: &Value, b: &Value) -> bool {
    let (a, b) = (PodTemplate::from(a.clone()), PodTemplate::from(b.clone()));
    let equal = semantically_equal(&a, &b);
    assert_eq!(equal, semantically_equal(&b, &a), "equality goes both ways");
    equal
}

/// What a user writes, and what the API server keeps of it in a ReplicaSet.
#[test]
fn a_replica_set_is_recognised_by_what_the_api_server_made_of_its_template() {
    let written = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "serviceAccountName": "runner",
            "containers": [{
                "name": "web",
                "image": "nginx",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
                "readinessProbe": {"httpGet": {"port": "http"}},
                "livenessProbe": {"grpc": {"port": 9000}, "periodSeconds": 5},
            }],
            "volumes": [
                {"name": "scratch"},
                {"name": "config", "configMap": {"name": "c"}},
                {"name": "host", "hostPath": {"path": "/x"}},
                {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
            ],
        },
    });
    let kept = json!({
        "metadata": {"creationTimestamp": null, "labels": {"app": "web", "rollouts-pod-template-hash": "7f4fd4bbb8"}},
        "spec": {
            "serviceAccountName": "runner",
            "serviceAccount": "runner",
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
            "containers": [{
                "name": "web",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "env": [{"name": "POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
                "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                "readinessProbe": {
                    "httpGet": {"port": "http", "path": "/", "scheme": "HTTP"},
                    "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
                },
                "livenessProbe": {
                    "grpc": {"port": 9000, "service": ""},
                    "timeoutSeconds": 1, "periodSeconds": 5, "successThreshold": 1, "failureThreshold": 3,
                },
            }],
            "volumes": [
                {"name": "scratch", "emptyDir": {}},
                {"name": "config", "configMap": {"name": "c", "defaultMode": 420}},
                {"name": "host", "hostPath": {"path": "/x", "type": ""}},
                {"name": "all", "projected": {
                    "defaultMode": 420,
                    "sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}],
                }},
            ],
        },
    });
    assert!(equal(&written, &kept));
}

#[test]
fn what_a_controller_adds_for_a_revision_is_not_looked_at() {
    let written = json!({"spec": {"containers": []}});
    let selects_on_hash = json!({
        "labelSelector": {"matchExpressions": [{"key": "rollouts-pod-template-hash", "operator": "NotIn", "values": ["x"]}]},
        "topologyKey": "kubernetes.io/hostname",
    });
    let own_term = json!({"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "zone"});
    let preferred = |terms: &[&Value]| -> Value {
        let terms: Vec<Value> = terms.iter().map(|term| json!({"weight": 1, "podAffinityTerm": term})).collect();
        json!({"spec": {"containers": [], "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}}})
    };
    let required = |terms: &[&Value]| -> Value {
        json!({"spec": {"containers": [], "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}})
    };
    assert!(equal(&written, &preferred(&[&selects_on_hash])));
    assert!(equal(&written, &required(&[&selects_on_hash])));
    assert!(equal(&required(&[&own_term]), &required(&[&own_term, &selects_on_hash])));
    assert!(equal(&preferred(&[&own_term]), &preferred(&[&selects_on_hash, &own_term])));
    assert!(!equal(&written, &required(&[&own_term])));
}

#[test]
fn ways_of_writing_the_same_are_equal() {
    let same = [
        (json!({}), json!({"metadata": {"labels": {}, "annotations": null}, "spec": {"volumes": []}})),
        (json!({"spec": {"serviceAccount": "a"}}), json!({"spec": {"serviceAccountName": "a", "serviceAccount": "a"}})),
        (json!({"spec": {"hostNetwork": false}}), json!({"spec": {}})),
        (json!({"spec": {"priority": 7.0}}), json!({"spec": {"priority": 7}})),
        (
            json!({"spec": {"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}]}]}}),
            json!({"spec": {"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80, "hostPort": 80}]}]}}),
        ),
        (
            json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "1.5", "memory": "1e3", "x": "1u"}}}]}}),
            json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "1500m", "memory": "1k", "x": "1m"}, "requests": {}}}]}}),
        ),
    ];
    for (a, b) in same {
        assert!(equal(&a, &b), "{a} {b}");
    }
}

#[test]
fn what_makes_other_pods_is_not_equal() {
    let different = [
        (json!({"spec": {}}), json!({"spec": {"terminationGracePeriodSeconds": 0}})),
        (json!({"spec": {}}), json!({"spec": {"enableServiceLinks": false}})),
        (json!({"spec": {}}), json!({"spec": {"future": {}}})),
        (
            json!({"spec": {"containers": [{"image": "a:1"}]}}),
            json!({"spec": {"containers": [{"image": "a:1", "imagePullPolicy": "Always"}]}}),
        ),
        (
            json!({"spec": {"containers": [{"name": "a"}]}}),
            json!({"spec": {"containers": [{"name": "a", "securityContext": {}}]}}),
        ),
        (
            json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}),
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}]}}),
        ),
        (
            json!({"spec": {"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80}]}]}}),
            json!({"spec": {"hostNetwork": true, "containers": [{"ports": [{"containerPort": 80, "hostPort": 81}]}]}}),
        ),
        (
            json!({"spec": {"volumes": [{"name": "a"}]}}),
            json!({"spec": {"volumes": [{"name": "a", "emptyDir": {"medium": "Memory"}}]}}),
        ),
        (json!({"metadata": {"labels": {"a": "1"}}}), json!({"metadata": {"labels": {"a": "2"}}})),
    ];
    for (a, b) in different {
        assert!(!equal(&a, &b), "{a} {b}");
    }
}

#[test]
fn every_template_equals_what_the_api_server_makes_of_it() {
    for entry in defaulted() {
        assert!(equal(entry.template.as_json(), entry.defaulted.as_json()), "{}", entry.template.as_json());
    }
    assert_eq!(defaulted().count(), 100);
}

/// Each text and number of a template is changed once, and the change is seen.
#[test]
fn no_change_of_a_single_value_goes_unseen() {
    let mut changes = 0;
    for entry in defaulted().step_by(3) {
        let defaulted = entry.defaulted.into_json();
        for path in leaves(&defaulted) {
            // The old name of the account is only looked at where the new one is missing.
            if path == "/spec/serviceAccount" && defaulted.pointer("/spec/serviceAccountName").is_some() {
                continue;
            }
            let mut changed = defaulted.clone();
            let leaf = changed.pointer_mut(&path).expect("the path was just found");
            *leaf = match &*leaf {
                Value::String(text) => format!("{text}9x").into(),
                Value::Bool(set) => (!*set).into(),
                other => (other.as_i64().unwrap_or(0) + 7).into(),
            };
            assert!(!equal(&defaulted, &changed), "{path} of {defaulted}");
            changes += 1;
        }
    }
    assert!(changes > 500, "only {changes} values were changed");
}

/// The JSON pointers of all texts, numbers and truth values.
fn leaves(value: &Value) -> Vec<String> {
    let below = |key: String, value: &Value| {
        leaves(value).into_iter().map(move |path| format!("/{key}{path}")).collect::<Vec<_>>()
    };
    match value {
        Value::Null => Vec::new(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| below(key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| below(index.to_string(), value)).collect()
        }
        _ => vec![String::new()],
    }
}
