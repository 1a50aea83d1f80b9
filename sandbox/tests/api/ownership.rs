//! Who owns which field: server-side apply and the traces that other writes leave.

use serde_json::{Value, json};

use crate::support::{APPLY, Cluster, MERGE, deployment};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

/// Managers as `name/operation/door`, in the order of the object.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("").to_owned();
    entries
        .iter()
        .map(|entry| format!("{}/{}/{}", text(entry, "manager"), text(entry, "operation"), text(entry, "subresource")))
        .collect()
}

fn wish(replicas: u32, image: &str) -> Value {
    let mut wish = deployment("web", replicas);
    wish["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    wish
}

#[test]
fn an_applied_object_is_created_and_its_fields_are_owned() {
    let mut cluster = Cluster::new();
    let path = format!("{DEPLOYMENTS}/web?fieldManager=git");
    let (code, created) = cluster.patch(&path, APPLY, &wish(2, "web:1"));
    assert_eq!((code, managers(&created)), (201, vec!["git/Apply/".to_owned()]), "{created}");
    let fields = &created["metadata"]["managedFields"][0]["fieldsV1"];
    assert_eq!(fields["f:spec"]["f:replicas"], json!({}));
    assert_eq!(fields["f:spec"].get("f:strategy"), None, "defaults belong to nobody");
    cluster.wait(60);
    let (code, again) = cluster.patch(&path, APPLY, &wish(2, "web:1"));
    assert_eq!((code, &again["metadata"]["resourceVersion"]), (200, &created["metadata"]["resourceVersion"]));
}

#[test]
fn a_field_of_another_manager_is_a_conflict_until_forced() {
    let mut cluster = Cluster::new();
    cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=git"), APPLY, &wish(2, "web:1"));
    let (code, refused) = cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=ci"), APPLY, &wish(2, "web:2"));
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"git\": .spec.template.spec.containers[name=\"web\"].image"
    );
    assert_eq!(refused["details"]["causes"][0]["reason"], "FieldManagerConflict");
    let (code, forced) =
        cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=ci&force=true"), APPLY, &wish(2, "web:2"));
    assert_eq!(code, 200);
    assert_eq!(forced["spec"]["template"]["spec"]["containers"][0]["image"], "web:2");
    assert_eq!(managers(&forced), ["ci/Apply/", "git/Apply/"]);
}

#[test]
fn what_is_no_longer_applied_goes_unless_somebody_else_owns_it() {
    let mut cluster = Cluster::new();
    let path = format!("{DEPLOYMENTS}/web?fieldManager=git");
    let mut labelled = wish(2, "web:1");
    labelled["metadata"]["labels"] = json!({"a": "1", "b": "2"});
    cluster.patch(&path, APPLY, &labelled);
    let mut other = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"b": "2"}}});
    other["metadata"]["name"] = json!("web");
    cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=ci"), APPLY, &other);
    let (code, after) = cluster.patch(&path, APPLY, &wish(2, "web:1"));
    assert_eq!((code, &after["metadata"]["labels"]), (200, &json!({"b": "2"})));
}

#[test]
fn updates_status_writes_and_scaling_leave_their_own_traces() {
    let mut cluster = Cluster::new();
    cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=git"), APPLY, &wish(2, "web:1"));
    let status = json!({"status": {"replicas": 2}});
    cluster.patch(&format!("{DEPLOYMENTS}/web/status?fieldManager=controller"), MERGE, &status);
    let scale = json!({"spec": {"replicas": 5}});
    cluster.patch(&format!("{DEPLOYMENTS}/web/scale?fieldManager=hpa"), MERGE, &scale);
    let (_, after) = cluster.get(&format!("{DEPLOYMENTS}/web"));
    assert_eq!(managers(&after), ["git/Apply/", "controller/Update/status", "hpa/Update/scale"]);
    let (code, refused) = cluster.patch(&format!("{DEPLOYMENTS}/web?fieldManager=git"), APPLY, &wish(2, "web:1"));
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"hpa\" with subresource \"scale\" using apps/v1: .spec.replicas"
    );
}

#[test]
fn a_writer_without_a_name_is_known_by_its_program() {
    let mut cluster = Cluster::new();
    let request = sluice_sandbox::api::request::Request::post(DEPLOYMENTS, &deployment("web", 1))
        .with_header("user-agent", "deployer/2.0 (linux)");
    let (_, created) = cluster.answer(request);
    assert_eq!(managers(&created), ["deployer/Update/"]);
}

#[test]
fn an_apply_with_an_unknown_field_or_another_version_is_refused() {
    let mut cluster = Cluster::new();
    let path = format!("{DEPLOYMENTS}/web?fieldManager=git");
    let mut odd = wish(1, "web:1");
    odd["spec"]["unheard"] = json!(1);
    let (code, refused) = cluster.patch(&path, APPLY, &odd);
    assert_eq!(
        (code, refused["message"].as_str()),
        (
            500,
            Some(
                "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.unheard: field not declared in schema"
            )
        )
    );
    let mut old = wish(1, "web:1");
    old["apiVersion"] = json!("apps/v1beta1");
    assert_eq!(cluster.patch(&path, APPLY, &old).0, 400);
}
