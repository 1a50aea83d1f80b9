//! Deleting objects, as a client sees it.

use crate::support::{Cluster, MERGE, deployment, names, pod};
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const PODS: &str = "/api/v1/namespaces/shop/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

#[test]
fn deleting_answers_with_a_status_or_with_the_object() {
    let mut cluster = Cluster::new();
    let created = cluster.config_map("colors", &json!({}));
    let (code, body) = cluster.delete(&format!("{MAPS}/colors"));
    assert_eq!(code, 200);
    assert_eq!(body["status"], "Success");
    assert_eq!(body["details"], json!({"name": "colors", "kind": "configmaps", "uid": created["metadata"]["uid"]}));
    let service = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    cluster.create("/api/v1/namespaces/shop/services", &service);
    let (_, body) = cluster.delete("/api/v1/namespaces/shop/services/web");
    assert_eq!(body["kind"], "Service");
}

#[test]
fn a_deletion_with_preconditions_means_that_very_object() {
    let mut cluster = Cluster::new();
    let created = cluster.config_map("colors", &json!({}));
    let path = format!("{MAPS}/colors");
    let uid = created["metadata"]["uid"].as_str().unwrap_or("");
    let with = |preconditions: Value| Request::delete(&path).with_json(&json!({"preconditions": preconditions}));
    let (code, refused) = cluster.answer(with(json!({"uid": "other"})));
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        format!(
            "Operation cannot be fulfilled on ConfigMap \"colors\": the UID in the precondition (other) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        )
    );
    let (code, _) = cluster.answer(with(json!({"resourceVersion": "1"})));
    assert_eq!(code, 409);
    let (code, _) = cluster.answer(with(json!({"uid": uid, "resourceVersion": "3"})));
    assert_eq!(code, 200);
}

#[test]
fn a_finalizer_holds_a_deleted_object_until_it_is_removed() {
    let mut cluster = Cluster::new();
    let body = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
    cluster.create(MAPS, &body);
    let path = format!("{MAPS}/held");
    let (code, held) = cluster.delete(&path);
    assert_eq!((code, &held["metadata"]["deletionTimestamp"]), (200, &json!("2026-01-01T00:00:00Z")));
    assert_eq!(held["metadata"]["deletionGracePeriodSeconds"], 0);
    let more = json!({"metadata": {"finalizers": ["example.com/hold", "example.com/late"]}});
    let (code, refused) = cluster.patch(&path, MERGE, &more);
    assert_eq!(code, 422);
    assert_eq!(
        refused["details"]["causes"][0]["message"],
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"example.com/late\"}"
    );
    let (code, _) = cluster.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}}));
    assert_eq!(code, 200);
    assert_eq!(cluster.get(&path).0, 404);
}

#[test]
fn propagation_shows_as_finalizers_for_the_garbage_collector() {
    let table = [
        (json!({"propagationPolicy": "Orphan"}), Some(json!(["orphan"])), 200),
        (json!({"propagationPolicy": "Foreground"}), Some(json!(["foregroundDeletion"])), 200),
        (json!({"orphanDependents": true}), Some(json!(["orphan"])), 200),
        (json!({"propagationPolicy": "Background"}), None, 200),
        (json!({"orphanDependents": false}), None, 200),
        (json!({}), None, 200),
    ];
    for (options, finalizers, code) in table {
        let mut cluster = Cluster::new();
        cluster.create(DEPLOYMENTS, &deployment("web", 1));
        let path = format!("{DEPLOYMENTS}/web");
        let (got, _) = cluster.answer(Request::delete(&path).with_json(&options));
        assert_eq!(got, code, "{options}");
        let (_, after) = cluster.get(&path);
        assert_eq!(after["metadata"].get("finalizers").cloned(), finalizers, "{options}");
    }
    let mut cluster = Cluster::new();
    cluster.create(MAPS, &json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}));
    let old_cascade = json!({"orphanDependents": false});
    let (code, _) = cluster.answer(Request::delete(&format!("{MAPS}/held")).with_json(&old_cascade));
    assert_eq!(code, 202, "the old cascade says that it goes on");
    let both = json!({"orphanDependents": false, "propagationPolicy": "Orphan"});
    let (code, _) = cluster.answer(Request::delete(&format!("{MAPS}/held")).with_json(&both));
    assert_eq!(code, 422);
}

#[test]
fn a_running_pod_is_given_its_grace() {
    let mut cluster = Cluster::new();
    cluster.create(PODS, &pod("web"));
    let path = format!("{PODS}/web");
    let (code, going) = cluster.delete(&path);
    assert_eq!(code, 200);
    assert_eq!(going["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(going["metadata"]["deletionTimestamp"], "2026-01-01T00:00:30Z");
    assert_eq!(going["metadata"]["generation"], 2);
    let revision = cluster.world.revision();
    let (_, again) = cluster.delete(&format!("{path}?gracePeriodSeconds=60"));
    assert_eq!(again["metadata"]["deletionGracePeriodSeconds"], 30, "only shorter");
    assert_eq!(cluster.world.revision(), revision);
    let (_, sooner) = cluster.delete(&format!("{path}?gracePeriodSeconds=5"));
    assert_eq!(sooner["metadata"]["deletionTimestamp"], "2026-01-01T00:00:05Z");
    let (code, _) = cluster.delete(&format!("{path}?gracePeriodSeconds=0"));
    assert_eq!(code, 200);
    assert_eq!(cluster.get(&path).0, 404);
}

#[test]
fn a_pod_that_no_node_has_goes_at_once() {
    let mut cluster = Cluster::new();
    let mut waiting = pod("waiting");
    waiting["spec"]["nodeName"] = Value::Null;
    cluster.create(PODS, &waiting);
    assert_eq!(cluster.delete(&format!("{PODS}/waiting")).0, 200);
    assert_eq!(cluster.get(&format!("{PODS}/waiting")).0, 404);
}

#[test]
fn a_namespace_ends_when_its_finalizer_is_taken() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({}));
    let (code, going) = cluster.delete("/api/v1/namespaces/shop");
    assert_eq!((code, &going["status"]["phase"]), (200, &json!("Terminating")));
    let (code, refused) = cluster.post(MAPS, &json!({"metadata": {"name": "late"}}));
    assert_eq!(code, 403);
    assert_eq!(
        refused["message"],
        "configmaps \"late\" is forbidden: unable to create new content in namespace shop because it is being terminated"
    );
    assert_eq!(refused["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let mut finalized = going.clone();
    finalized["spec"]["finalizers"] = json!([]);
    let (code, body) = cluster.put("/api/v1/namespaces/shop/finalize", &finalized);
    assert_eq!(code, 200, "{body}");
    assert_eq!(cluster.get("/api/v1/namespaces/shop").0, 404);
}

#[test]
fn deleting_a_collection_takes_what_the_selector_takes() {
    let mut cluster = Cluster::new();
    cluster.labelled("a", &json!({"tier": "web"}));
    cluster.labelled("b", &json!({"tier": "db"}));
    let (code, gone) = cluster.delete(&format!("{MAPS}?labelSelector=tier%3Dweb"));
    assert_eq!((code, names(&gone)), (200, vec!["a".to_owned()]));
    assert_eq!(names(&cluster.get(MAPS).1), ["b"]);
}
