//! What clients learn before they ask for objects.

use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

use crate::support::Cluster;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn aggregated(cluster: &mut Cluster, path: &str) -> Value {
    let response = cluster.send(Request::get(path).with_header("accept", AGGREGATED));
    assert_eq!(
        response.header("content-type"),
        Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    );
    response.json_body()
}

#[test]
fn all_resources_are_found_in_two_requests() {
    let mut cluster = Cluster::new();
    let core = aggregated(&mut cluster, "/api");
    let resources = core["items"][0]["versions"][0]["resources"].as_array().cloned().unwrap_or_default();
    let pods = resources.iter().find(|one| one["resource"] == "pods").cloned().unwrap_or_default();
    assert_eq!(pods["scope"], "Namespaced");
    assert_eq!(pods["shortNames"], json!(["po"]));
    assert_eq!(pods["categories"], json!(["all"]));
    assert_eq!(
        pods["verbs"],
        json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
    );
    let doors: Vec<&Value> = pods["subresources"]
        .as_array()
        .map(|all| all.iter().map(|one| &one["subresource"]).collect())
        .unwrap_or_default();
    assert_eq!(doors, ["status", "eviction", "binding"]);
    let groups = aggregated(&mut cluster, "/apis");
    let first: Vec<&Value> = groups["items"]
        .as_array()
        .map(|all| all.iter().take(2).map(|group| &group["metadata"]["name"]).collect())
        .unwrap_or_default();
    assert_eq!(first, ["apps", "events.k8s.io"]);
}

#[test]
fn older_clients_are_answered_in_their_way() {
    let mut cluster = Cluster::new();
    assert_eq!(cluster.get("/api").1["versions"], json!(["v1"]));
    let (_, groups) = cluster.get("/apis");
    assert_eq!(groups["kind"], "APIGroupList");
    assert_eq!(groups["groups"][0]["preferredVersion"]["groupVersion"], "apps/v1");
    let (_, apps) = cluster.get("/apis/apps/v1");
    let scale = apps["resources"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == "deployments/scale").cloned())
        .unwrap_or_default();
    assert_eq!((&scale["kind"], &scale["group"]), (&json!("Scale"), &json!("autoscaling")));
    assert_eq!(cluster.get("/apis/apps").1["kind"], "APIGroup");
    assert_eq!(cluster.get("/apis/unheard.of").0, 404);
    assert_eq!(cluster.get("/apis/apps/v9").0, 404);
    assert_eq!(cluster.get("/version").1["minor"], "36");
}

#[test]
fn a_new_kind_shows_up_in_discovery_and_openapi() {
    let mut cluster = Cluster::new();
    let hash = |cluster: &mut Cluster| cluster.get("/openapi/v3").1["paths"]["apis/example.com/v1"].clone();
    assert_eq!(hash(&mut cluster), Value::Null);
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Cluster",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "description": "What is wished."}}}},
            }],
        },
    });
    cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition);
    let (_, list) = cluster.get("/apis/example.com/v1");
    assert_eq!(list["resources"][0]["name"], "widgets");
    let address = hash(&mut cluster)["serverRelativeURL"].as_str().unwrap_or("").to_owned();
    let (code, document) = cluster.get(&address);
    assert_eq!(code, 200, "{address}");
    let schema = &document["components"]["schemas"]["com.example.v1.Widget"];
    assert_eq!(schema["properties"]["spec"]["description"], "What is wished.");
    assert_eq!(
        schema["x-kubernetes-group-version-kind"],
        json!([{"group": "example.com", "version": "v1", "kind": "Widget"}])
    );
}

#[test]
fn openapi_says_how_lists_merge_and_that_fields_are_validated() {
    let mut cluster = Cluster::new();
    let (_, document) = cluster.get("/openapi/v3/apis/apps/v1");
    let parameters =
        &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]["parameters"];
    let named = parameters.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "fieldValidation"));
    assert!(named, "{parameters}");
    let containers = &document["components"]["schemas"]["io.k8s.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    assert_eq!(containers["items"]["allOf"], json!([{"$ref": "#/components/schemas/io.k8s.core.v1.Container"}]));
    assert_eq!(cluster.get("/openapi/v2").0, 404);
}

#[test]
fn the_server_says_that_it_is_well() {
    let mut cluster = Cluster::new();
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(cluster.send(Request::get(path)).status, 200);
    }
    assert_eq!(cluster.post("/version", &json!({})).0, 405);
}
