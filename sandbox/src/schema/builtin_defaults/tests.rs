//! What a user leaves out, and what the server makes of it.

use serde_json::{Value, json};

use super::{admit_pod, default_builtin, generate_selector, pod_status};

fn defaulted(api_version: &str, kind: &str, mut value: Value) -> Value {
    default_builtin(api_version, kind, &mut value);
    let once = value.clone();
    default_builtin(api_version, kind, &mut value);
    assert_eq!(value, once, "defaulting twice changes nothing");
    value
}

#[test]
fn a_deployment_is_completed() {
    let given = json!({"spec": {"selector": {"matchLabels": {"a": "b"}}, "paused": false, "minReadySeconds": 0,
        "template": {"metadata": {"labels": {"a": "b"}, "creationTimestamp": null},
        "spec": {"hostNetwork": false, "containers": [{"name": "c", "image": "nginx", "env": [], "resources": {"limits": {"cpu": "1000m", "memory": 1024}},
            "ports": [{"containerPort": 80}], "readinessProbe": {"httpGet": {"port": 80}}}]}}}});
    assert_eq!(
        defaulted("apps/v1", "Deployment", given),
        json!({"metadata": {}, "status": {}, "spec": {
            "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
                "containers": [{"name": "c", "image": "nginx", "imagePullPolicy": "Always",
                    "resources": {"limits": {"cpu": "1", "memory": "1024"}},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "readinessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}]}}}})
    );
    let recreate =
        defaulted("apps/v1", "Deployment", json!({"spec": {"strategy": {"type": "Recreate"}, "replicas": 0}}));
    assert_eq!(recreate["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(recreate["spec"]["replicas"], 0);
}

#[test]
fn images_are_pulled_as_their_tag_suggests() {
    for (image, policy) in [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ] {
        let pod = defaulted("v1", "Pod", json!({"spec": {"containers": [{"name": "c", "image": image}]}}));
        assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
}

#[test]
fn a_pod_is_completed_and_admitted() {
    let mut pod = defaulted(
        "v1",
        "Pod",
        json!({"spec": {"containers": [{"name": "c", "image": "a:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}}),
    );
    assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"], json!({"cpu": "1", "memory": "1Gi"}));
    assert_eq!(pod_status(&pod), json!({"phase": "Pending", "qosClass": "Guaranteed"}));
    admit_pod(&mut pod, "kube-api-access-abcde");
    let spec = &pod["spec"];
    assert_eq!((&spec["serviceAccountName"], &spec["priority"]), (&json!("default"), &json!(0)));
    assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
    assert_eq!(spec["volumes"][0]["name"], "kube-api-access-abcde");
    assert_eq!(
        spec["containers"][0]["volumeMounts"],
        json!([{"name": "kube-api-access-abcde", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}])
    );
    let before = pod.clone();
    admit_pod(&mut pod, "another");
    assert_eq!(pod, before);
}

#[test]
fn a_job_is_completed_and_selects_its_own_pods() {
    let mut job = defaulted(
        "batch/v1",
        "Job",
        json!({"metadata": {"name": "j", "uid": "u"}, "spec": {"template": {"metadata": {"labels": {"a": "b"}},
               "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a:1"}]}}}}),
    );
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    let spec = &job["spec"];
    let fields = ["completions", "parallelism", "backoffLimit", "completionMode", "suspend", "podReplacementPolicy"];
    assert_eq!(
        fields.map(|field| spec[field].clone()),
        [json!(1), json!(1), json!(6), json!("NonIndexed"), json!(false), json!("TerminatingOrFailed")]
    );
    generate_selector(&mut job);
    assert_eq!(job["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}));
    assert_eq!(
        job["spec"]["template"]["metadata"]["labels"],
        json!({"a": "b", "job-name": "j", "controller-uid": "u",
               "batch.kubernetes.io/job-name": "j", "batch.kubernetes.io/controller-uid": "u"})
    );
}

#[test]
fn the_smaller_kinds_are_completed() {
    let rows = [
        (
            ("v1", "Service"),
            json!({"spec": {"ports": [{"port": 80}]}}),
            json!({"metadata": {}, "status": {"loadBalancer": {}}, "spec": {"type": "ClusterIP", "sessionAffinity": "None",
                   "internalTrafficPolicy": "Cluster", "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}}),
        ),
        (
            ("v1", "Secret"),
            json!({"stringData": {"a": "b"}}),
            json!({"metadata": {}, "type": "Opaque", "data": {"a": "Yg=="}}),
        ),
        (
            ("v1", "Namespace"),
            json!({"metadata": {"name": "n"}}),
            json!({"metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "n"}}, "spec": {}, "status": {"phase": "Active"}}),
        ),
        (("v1", "ConfigMap"), json!({"data": {}}), json!({"metadata": {}})),
        (
            ("apps/v1", "ReplicaSet"),
            json!({"spec": {"selector": {}}}),
            json!({"metadata": {}, "spec": {"replicas": 1, "selector": {}, "template": {"metadata": {}, "spec": {
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "containers": null, "securityContext": {}, "terminationGracePeriodSeconds": 30}}}, "status": {"replicas": 0}}),
        ),
        (
            ("rbac.authorization.k8s.io/v1", "RoleBinding"),
            json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}),
            json!({"metadata": {}, "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
                   "subjects": [{"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}]}),
        ),
    ];
    for ((api_version, kind), given, expected) in rows {
        assert_eq!(defaulted(api_version, kind, given), expected, "{kind}");
    }
    let autoscaler =
        defaulted("autoscaling/v2", "HorizontalPodAutoscaler", json!({"spec": {"behavior": {"scaleDown": {}}}}));
    assert_eq!(autoscaler["spec"]["minReplicas"], 1);
    assert_eq!(autoscaler["spec"]["behavior"]["scaleDown"]["selectPolicy"], "Max");
    assert_eq!(autoscaler["spec"]["behavior"]["scaleUp"]["stabilizationWindowSeconds"], 0);
}
