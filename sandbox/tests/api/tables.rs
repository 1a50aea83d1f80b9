//! What `kubectl get` prints.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::{Cluster, MERGE, deployment, pod};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

fn table(cluster: &mut Cluster, path: &str) -> Value {
    let (code, table) = cluster.answer(Request::get(path).with_header("accept", TABLE));
    assert_eq!((code, &table["kind"]), (200, &json!("Table")), "{table}");
    table
}

/// Column names in upper case and the cells of the first row, as kubectl shows them without `-o wide`.
fn printed(table: &Value) -> (Vec<String>, Vec<String>) {
    let columns = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
    let narrow: Vec<usize> = (0..columns.len()).filter(|index| columns[*index]["priority"] == 0).collect();
    let heads = narrow.iter().map(|index| columns[*index]["name"].as_str().unwrap_or("").to_uppercase()).collect();
    let cells = narrow
        .iter()
        .map(|index| match &table["rows"][0]["cells"][*index] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect();
    (heads, cells)
}

#[test]
fn each_kind_prints_the_columns_that_users_know() {
    let mut cluster = Cluster::new();
    let namespaced = "/api/v1/namespaces/shop";
    cluster.create("/apis/apps/v1/namespaces/shop/deployments", &deployment("web", 3));
    cluster.create(&format!("{namespaced}/pods"), &pod("web"));
    cluster.config_map("colors", &json!({"a": "1", "b": "2"}));
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "clusterIP": "10.96.0.9", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]},
    });
    cluster.create(&format!("{namespaced}/services"), &service);
    let lease = json!({"metadata": {"name": "leader"}, "spec": {"holderIdentity": "me"}});
    cluster.create("/apis/coordination.k8s.io/v1/namespaces/shop/leases", &lease);
    cluster.wait(125);
    let rows: [(&str, &[&str], &[&str]); 6] = [
        ("/api/v1/namespaces", &["NAME", "STATUS", "AGE"], &["shop", "Active", "2m5s"]),
        (
            "/apis/apps/v1/namespaces/shop/deployments",
            &["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
            &["web", "0/3", "0", "0", "2m5s"],
        ),
        (
            "/api/v1/namespaces/shop/pods",
            &["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
            &["web", "0/1", "Pending", "0", "2m5s"],
        ),
        ("/api/v1/namespaces/shop/configmaps", &["NAME", "DATA", "AGE"], &["colors", "2", "2m5s"]),
        (
            "/api/v1/namespaces/shop/services",
            &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
            &["web", "NodePort", "10.96.0.9", "<none>", "80:30080/TCP", "2m5s"],
        ),
        ("/apis/coordination.k8s.io/v1/namespaces/shop/leases", &["NAME", "HOLDER", "AGE"], &["leader", "me", "2m5s"]),
    ];
    for (path, heads, cells) in rows {
        let (found_heads, found_cells) = printed(&table(&mut cluster, path));
        assert_eq!(found_heads, heads, "{path}");
        assert_eq!(found_cells, cells, "{path}");
    }
}

#[test]
fn a_pod_says_in_one_word_how_it_is() {
    let waiting = |reason: &str| json!({"phase": "Running", "containerStatuses": [{"restartCount": 4, "state": {"waiting": {"reason": reason}}}]});
    let rows = [
        (waiting("CrashLoopBackOff"), ["0/1", "CrashLoopBackOff", "4"]),
        (waiting("ImagePullBackOff"), ["0/1", "ImagePullBackOff", "4"]),
        (
            json!({"phase": "Running", "containerStatuses": [{"ready": true, "restartCount": 0, "state": {"running": {}}}]}),
            ["1/1", "Running", "0"],
        ),
        (
            json!({"phase": "Running", "containerStatuses": [{
                "ready": true, "restartCount": 1, "state": {"running": {}},
                "lastState": {"terminated": {"finishedAt": "2025-12-31T23:59:00Z"}},
            }]}),
            ["1/1", "Running", "1 (60s ago)"],
        ),
        (
            json!({"phase": "Succeeded", "containerStatuses": [{"restartCount": 0, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}]}),
            ["0/1", "Completed", "0"],
        ),
        (
            json!({"phase": "Failed", "containerStatuses": [{"restartCount": 0, "state": {"terminated": {"exitCode": 3}}}]}),
            ["0/1", "ExitCode:3", "0"],
        ),
        (json!({"phase": "Failed", "reason": "Evicted"}), ["0/1", "Evicted", "0"]),
    ];
    for (status, wanted) in rows {
        let mut cluster = Cluster::new();
        cluster.create("/api/v1/namespaces/shop/pods", &pod("web"));
        let (code, _) = cluster.patch("/api/v1/namespaces/shop/pods/web/status", MERGE, &json!({"status": status}));
        assert_eq!(code, 200);
        let (_, cells) = printed(&table(&mut cluster, "/api/v1/namespaces/shop/pods"));
        assert_eq!(cells[1..4], wanted, "{status}");
    }
    let mut cluster = Cluster::new();
    cluster.create("/api/v1/namespaces/shop/pods", &pod("web"));
    cluster.delete("/api/v1/namespaces/shop/pods/web");
    let (_, cells) = printed(&table(&mut cluster, "/api/v1/namespaces/shop/pods"));
    assert_eq!(cells[2], "Terminating");
}

#[test]
fn rows_carry_metadata_everything_or_nothing() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({"a": "1"}));
    let path = "/api/v1/namespaces/shop/configmaps";
    let object = &table(&mut cluster, path)["rows"][0]["object"];
    assert_eq!((&object["kind"], &object["metadata"]["name"]), (&json!("PartialObjectMetadata"), &json!("colors")));
    let object = &table(&mut cluster, &format!("{path}?includeObject=Object"))["rows"][0]["object"];
    assert_eq!(object["data"]["a"], "1");
    let object = &table(&mut cluster, &format!("{path}?includeObject=None"))["rows"][0]["object"];
    assert_eq!(object, &Value::Null);
    let one = table(&mut cluster, &format!("{path}/colors"));
    assert_eq!(one["rows"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_watched_table_names_its_columns_once() {
    let mut cluster = Cluster::new();
    cluster.config_map("a", &json!({}));
    cluster.config_map("b", &json!({}));
    let request = Request::get("/api/v1/namespaces/shop/configmaps?watch=true").with_header("accept", TABLE);
    let mut watch = cluster.watch_with(request);
    let events = cluster.events(&mut watch);
    assert!(events[0]["object"]["columnDefinitions"].is_array());
    assert_eq!(events[1]["object"]["columnDefinitions"], Value::Null);
    assert_eq!(events[1]["object"]["rows"][0]["cells"][0], "b");
}

#[test]
fn metadata_alone_can_be_listed_and_watched() {
    let mut cluster = Cluster::new();
    cluster.config_map("a", &json!({"x": "1"}));
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let path = "/api/v1/namespaces/shop/configmaps";
    let (_, list) = cluster.answer(Request::get(path).with_header("accept", accept));
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert_eq!(list["items"][0].get("data"), None);
    let mut watch = cluster.watch_with(Request::get(&format!("{path}?watch=true")).with_header("accept", accept));
    assert_eq!(cluster.events(&mut watch)[0]["object"]["kind"], "PartialObjectMetadata");
}
