//! Creating, reading and changing objects, as a client sees it.

use crate::support::{APPLY, Cluster, JSON_PATCH, MERGE, STRATEGIC, deployment, names, pod};
use serde_json::{Value, json};
use sluice_sandbox::api::request::Request;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const PODS: &str = "/api/v1/namespaces/shop/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

#[test]
fn a_new_object_gets_what_only_the_server_decides() {
    let mut cluster = Cluster::new();
    let created = cluster.config_map("colors", &json!({"a": "blue"}));
    assert_eq!(created["kind"], "ConfigMap");
    assert_eq!(created["apiVersion"], "v1");
    let metadata = &created["metadata"];
    assert_eq!(metadata["namespace"], "shop");
    assert_eq!(metadata["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(metadata["uid"].as_str().map(str::len), Some(36));
    assert_eq!(metadata["resourceVersion"], "3");
    assert_eq!(metadata.get("generation"), None);
    let (code, read) = cluster.get(&format!("{MAPS}/colors"));
    assert_eq!((code, &read), (200, &created));
}

#[test]
fn the_same_seed_gives_the_same_cluster() {
    let story = || {
        let mut cluster = Cluster::new();
        let body = json!({"metadata": {"generateName": "job-"}});
        (0..3).map(|_| cluster.create(MAPS, &body).to_string()).collect::<Vec<_>>()
    };
    assert_eq!(story(), story());
}

#[test]
fn a_generated_name_ends_in_five_letters() {
    let mut cluster = Cluster::new();
    let created = cluster.create(MAPS, &json!({"metadata": {"generateName": "job-"}}));
    let name = created["metadata"]["name"].as_str().unwrap_or("");
    assert!(name.starts_with("job-") && name.len() == 9, "{name}");
    let long = "x".repeat(70);
    let created = cluster.create(MAPS, &json!({"metadata": {"generateName": long}}));
    assert_eq!(created["metadata"]["name"].as_str().map(str::len), Some(63));
}

#[test]
fn refusals_are_worded_as_the_real_server_words_them() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({}));
    let named = |name: &str| json!({"metadata": {"name": name}});
    let table: Vec<(Request, u16, &str, &str)> = vec![
        (Request::get(&format!("{MAPS}/none")), 404, "NotFound", "configmaps \"none\" not found"),
        (Request::get(&format!("{DEPLOYMENTS}/none")), 404, "NotFound", "deployments.apps \"none\" not found"),
        (Request::post(MAPS, &named("colors")), 409, "AlreadyExists", "configmaps \"colors\" already exists"),
        (
            Request::post("/api/v1/namespaces/nowhere/configmaps", &named("a")),
            404,
            "NotFound",
            "namespaces \"nowhere\" not found",
        ),
        (
            Request::post(MAPS, &json!({"metadata": {}})),
            422,
            "Invalid",
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required",
        ),
        (
            Request::post(MAPS, &json!({"metadata": {"name": "a", "namespace": "other"}})),
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            Request::put(&format!("{MAPS}/colors"), &named("other")),
            400,
            "BadRequest",
            "the name of the object (other) does not match the name on the URL (colors)",
        ),
        (
            Request::post(MAPS, &json!({"apiVersion": "v2", "kind": "ConfigMap"})),
            400,
            "BadRequest",
            "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \"v2\" in scheme \"pkg/runtime/scheme.go:111\"",
        ),
        (
            Request::get("/api/v1/namespaces/shop/unicorns"),
            404,
            "NotFound",
            "the server could not find the requested resource",
        ),
        (
            Request::new("POST", &format!("{MAPS}/colors")),
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            Request::post(MAPS, &named("a")).with_header("content-type", "text/html"),
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ),
        (
            Request::get(&format!("{MAPS}?labelSelector=a+b")),
            400,
            "BadRequest",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        (
            Request::get(&format!("{MAPS}?fieldSelector=spec.color%3Dred")),
            400,
            "BadRequest",
            "\"spec.color\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        ),
        (
            Request::get(&format!("{PODS}?fieldSelector=spec.color%3Dred")),
            400,
            "BadRequest",
            "field label not supported: spec.color",
        ),
        (
            Request::get(&format!("{MAPS}?resourceVersion=100")),
            504,
            "Timeout",
            "Timeout: Too large resource version: 100, current: 3",
        ),
        (
            Request::get(&format!("{MAPS}?continue=nonsense")),
            400,
            "BadRequest",
            "invalid continue token: continue key is not valid: invalid character '\\u009e' looking for beginning of value",
        ),
    ];
    for (request, code, reason, message) in table {
        let shown = format!("{} {}", request.method, request.path);
        let (got, body) = cluster.answer(request);
        let wanted = (code, "Status", "Failure", reason, message);
        let found = (
            got,
            body["kind"].as_str().unwrap_or(""),
            body["status"].as_str().unwrap_or(""),
            body["reason"].as_str().unwrap_or(""),
            body["message"].as_str().unwrap_or(""),
        );
        assert_eq!(found, wanted, "{shown}");
        assert_eq!(body["code"], code, "{shown}");
    }
}

#[test]
fn unknown_paths_are_answered_in_plain_text() {
    let mut cluster = Cluster::new();
    for path in ["/nowhere", "/apis/unheard.of/v1/things", "/openapi/v2"] {
        let response = cluster.send(Request::get(path));
        assert_eq!(response.status, 404);
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn a_body_that_is_too_big_or_not_json_is_refused() {
    let mut cluster = Cluster::new();
    let mut huge = Request::post(MAPS, &json!({}));
    huge.body = vec![b' '; 3 * 1024 * 1024 + 1].into();
    let (code, body) = cluster.answer(huge);
    assert_eq!((code, body["reason"].as_str()), (413, Some("RequestEntityTooLarge")));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for text in ["{", "", "[]", "7", "{\"a\":}", "\u{1}", deep.as_str()] {
        let mut broken = Request::post(MAPS, &json!({}));
        broken.body = text.to_owned().into();
        let (code, body) = cluster.answer(broken);
        assert_eq!((code, body["reason"].as_str()), (400, Some("BadRequest")), "{text:.20}");
    }
}

#[test]
fn a_write_based_on_an_old_state_is_refused() {
    let mut cluster = Cluster::new();
    let old = cluster.config_map("colors", &json!({"a": "blue"}));
    let path = format!("{MAPS}/colors");
    let (code, _) = cluster.patch(&path, MERGE, &json!({"data": {"a": "green"}}));
    assert_eq!(code, 200);
    let (code, refused) = cluster.put(&path, &old);
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Operation cannot be fulfilled on configmaps \"colors\": the object has been modified; please apply your changes to the latest version and try again"
    );
    assert_eq!(refused["details"], json!({"name": "colors", "kind": "configmaps"}));
    let mut fresh = old.clone();
    fresh["metadata"]["resourceVersion"] = Value::Null;
    let (code, written) = cluster.put(&path, &fresh);
    assert_eq!((code, &written["data"]["a"]), (200, &json!("blue")), "a write without a version overwrites");
}

#[test]
fn a_write_that_changes_nothing_keeps_the_resource_version() {
    let mut cluster = Cluster::new();
    let created = cluster.config_map("colors", &json!({"a": "blue"}));
    let path = format!("{MAPS}/colors");
    cluster.wait(60);
    let (_, patched) = cluster.patch(&path, MERGE, &json!({"data": {"a": "blue"}}));
    assert_eq!(patched["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
    let (_, put) = cluster.put(&path, &created);
    assert_eq!(put["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
}

#[test]
fn what_the_server_decided_once_stays() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({}));
    let path = format!("{MAPS}/colors");
    for (field, value) in [
        ("uid", json!("other")),
        ("creationTimestamp", json!("2020-01-01T00:00:00Z")),
        ("deletionTimestamp", json!("2020-01-01T00:00:00Z")),
    ] {
        let (code, refused) = cluster.patch(&path, MERGE, &json!({"metadata": {field: value}}));
        assert_eq!(code, 422, "{field}");
        assert_eq!(refused["details"]["causes"][0]["field"], format!("metadata.{field}"));
    }
}

#[test]
fn generation_counts_wishes_and_not_reports_or_labels() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, &deployment("web", 2));
    let path = format!("{DEPLOYMENTS}/web");
    let steps = [
        ("", json!({"metadata": {"labels": {"a": "b"}}}), 1),
        ("", json!({"spec": {"replicas": 3}}), 2),
        ("", json!({"spec": {"replicas": 3}}), 2),
        ("", json!({"status": {"replicas": 9}}), 2),
        ("/status", json!({"status": {"replicas": 3}}), 2),
        ("/status", json!({"spec": {"replicas": 9}}), 2),
        ("", json!({"metadata": {"generation": 77}}), 2),
        ("", json!({"metadata": {"annotations": {"a": "b"}}}), 3),
    ];
    for (door, patch, wanted) in steps {
        let (code, after) = cluster.patch(&format!("{path}{door}"), MERGE, &patch);
        assert_eq!((code, &after["metadata"]["generation"]), (200, &json!(wanted)), "{door} {patch}");
    }
    let (_, after) = cluster.get(&path);
    assert_eq!(after["spec"]["replicas"], 3);
    assert_eq!(after["status"]["replicas"], 3);
}

#[test]
fn json_patches_are_tried_as_a_whole() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({"a": "blue", "b": "red"}));
    let path = format!("{MAPS}/colors");
    let good = json!([
        {"op": "test", "path": "/data/a", "value": "blue"},
        {"op": "replace", "path": "/data/a", "value": "green"},
        {"op": "remove", "path": "/data/b"},
    ]);
    let (code, after) = cluster.patch(&path, JSON_PATCH, &good);
    assert_eq!((code, &after["data"]), (200, &json!({"a": "green"})));
    for (wrong, wanted) in [
        (json!([{"op": "test", "path": "/data/a", "value": "blue"}]), 422),
        (json!([{"op": "remove", "path": "/data/zzz"}]), 422),
        (json!([{"op": "replace", "path": "/data/a", "value": "x"}, {"op": "remove", "path": "/no"}]), 422),
        (json!([{"op": "dance", "path": "/data/a"}]), 422),
        (json!({"data": null}), 400),
    ] {
        let (code, body) = cluster.patch(&path, JSON_PATCH, &wrong);
        assert_eq!(code, wanted, "{wrong} {body}");
    }
    let (_, after) = cluster.get(&path);
    assert_eq!(after["data"], json!({"a": "green"}));
}

#[test]
fn a_json_patch_cannot_grow_without_end() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({"a": "blue"}));
    let doubling: Vec<Value> =
        (0..60).map(|step| json!({"op": "copy", "from": "/metadata", "path": format!("/metadata/x{step}")})).collect();
    let (code, _) = cluster.patch(&format!("{MAPS}/colors"), JSON_PATCH, &Value::Array(doubling));
    assert_eq!(code, 422);
}

#[test]
fn a_dry_run_shows_the_outcome_and_keeps_nothing() {
    let mut cluster = Cluster::new();
    let before = cluster.world.revision();
    let (code, shown) = cluster.post(&format!("{MAPS}?dryRun=All"), &json!({"metadata": {"name": "a"}}));
    assert_eq!((code, &shown["metadata"]["name"]), (201, &json!("a")));
    assert_eq!(cluster.get(&format!("{MAPS}/a")).0, 404);
    assert_eq!(cluster.world.revision(), before);
    cluster.config_map("b", &json!({"x": "1"}));
    let (_, shown) = cluster.patch(&format!("{MAPS}/b?dryRun=All"), MERGE, &json!({"data": {"x": "2"}}));
    assert_eq!(shown["data"]["x"], "2");
    assert_eq!(cluster.delete(&format!("{MAPS}/b?dryRun=All")).0, 200);
    assert_eq!(cluster.get(&format!("{MAPS}/b")).1["data"]["x"], "1");
    let (code, refused) = cluster.post(&format!("{MAPS}?dryRun=Some"), &json!({"metadata": {"name": "a"}}));
    assert_eq!(
        (code, refused["message"].as_str()),
        (
            422,
            Some(
                "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""
            )
        )
    );
}

#[test]
fn scale_shows_and_sets_replicas() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, &deployment("web", 2));
    let path = format!("{DEPLOYMENTS}/web/scale");
    let (code, scale) = cluster.get(&path);
    assert_eq!(code, 200);
    assert_eq!(scale["kind"], "Scale");
    assert_eq!(scale["spec"]["replicas"], 2);
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": "app=web"}));
    let (code, scale) = cluster.patch(&path, MERGE, &json!({"spec": {"replicas": 5}}));
    assert_eq!((code, &scale["spec"]["replicas"]), (200, &json!(5)));
    let (_, after) = cluster.get(&format!("{DEPLOYMENTS}/web"));
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(5), &json!(2)));
    let (code, _) = cluster.patch(&path, MERGE, &json!({"spec": {"replicas": -1}}));
    assert_eq!(code, 422);
    assert_eq!(cluster.get(&format!("{MAPS}/x/scale")).0, 404);
}

#[test]
fn an_eviction_asks_the_disruption_budget() {
    let mut cluster = Cluster::new();
    cluster.create(PODS, &pod("web"));
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    cluster.patch(&format!("{PODS}/web/status"), MERGE, &ready);
    let budgets = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets";
    let budget = json!({
        "metadata": {"name": "keep"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    });
    cluster.create(budgets, &budget);
    let evict = |cluster: &mut Cluster| {
        let eviction = json!({"metadata": {"name": "web"}});
        let response = cluster.send(Request::post(&format!("{PODS}/web/eviction"), &eviction));
        let retry = response.header("retry-after").map(str::to_owned);
        (response.status, retry, response.json_body())
    };
    let (code, retry, refused) = evict(&mut cluster);
    assert_eq!((code, retry.as_deref()), (429, Some("10")), "the controller hasn't seen the budget yet");
    assert_eq!(refused["details"]["causes"][0]["reason"], "DisruptionBudget");
    let status =
        json!({"status": {"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1}});
    cluster.patch(&format!("{budgets}/keep/status"), MERGE, &status);
    let (code, retry, refused) = evict(&mut cluster);
    assert_eq!((code, retry), (429, None));
    assert_eq!(
        refused["details"]["causes"][0]["message"],
        "The disruption budget keep needs 1 healthy pods and has 1 currently"
    );
    cluster.patch(&format!("{budgets}/keep/status"), MERGE, &json!({"status": {"disruptionsAllowed": 1}}));
    assert_eq!(evict(&mut cluster).0, 201);
    let (_, going) = cluster.get(&format!("{PODS}/web"));
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    let (_, spent) = cluster.get(&format!("{budgets}/keep"));
    assert_eq!(spent["status"]["disruptionsAllowed"], 0);
    assert!(spent["status"]["disruptedPods"]["web"].is_string());
}

#[test]
fn a_scheduler_binds_a_pod_once() {
    let mut cluster = Cluster::new();
    let mut waiting = pod("web");
    waiting["spec"]["nodeName"] = Value::Null;
    cluster.create(PODS, &waiting);
    let binding = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node-2"}});
    let path = format!("{PODS}/web/binding");
    assert_eq!(cluster.post(&path, &binding).0, 201);
    assert_eq!(cluster.get(&format!("{PODS}/web")).1["spec"]["nodeName"], "node-2");
    let (code, refused) = cluster.post(&path, &binding);
    assert_eq!(code, 409);
    assert_eq!(
        refused["message"],
        "Operation cannot be fulfilled on pods/binding \"web\": pod web is already assigned to node \"node-2\""
    );
}

#[test]
fn an_event_is_the_same_in_both_of_its_groups() {
    let mut cluster = Cluster::new();
    let event = json!({
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop"},
        "reason": "Started", "message": "it runs", "type": "Normal",
    });
    cluster.create("/api/v1/namespaces/shop/events", &event);
    let (code, newer) = cluster.get("/apis/events.k8s.io/v1/namespaces/shop/events/e");
    assert_eq!(code, 200);
    assert_eq!(newer["apiVersion"], "events.k8s.io/v1");
    assert_eq!((&newer["note"], &newer["regarding"]["name"]), (&json!("it runs"), &json!("web")));
    let (_, found) = cluster.get("/api/v1/events?fieldSelector=involvedObject.name%3Dweb");
    assert_eq!(names(&found), ["e"]);
}

#[test]
fn a_patch_of_a_kind_that_is_not_spoken_is_refused() {
    let mut cluster = Cluster::new();
    cluster.config_map("colors", &json!({}));
    let path = format!("{MAPS}/colors");
    let (code, _) = cluster.patch(&path, "application/json", &json!({}));
    assert_eq!(code, 415);
    assert_eq!(cluster.patch(&path, STRATEGIC, &json!({"data": {"a": "b"}})).0, 200);
    let (code, refused) = cluster.patch(&path, APPLY, &json!({"data": {"a": "b"}}));
    assert_eq!(
        (code, refused["message"].as_str()),
        (
            422,
            Some("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
        )
    );
}

#[test]
fn a_pod_template_that_contradicts_itself_is_taken_with_a_warning() {
    let mut cluster = Cluster::new();
    let mut odd = deployment("web", 1);
    odd["spec"]["template"]["spec"]["containers"] = json!([
        {"name": "a", "image": "a:1", "ports": [{"containerPort": 80}], "env": [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]},
        {"name": "b", "image": "b:1", "ports": [{"containerPort": 80}]},
    ]);
    let warned = |response: &sluice_sandbox::api::request::Response| -> Vec<String> {
        response.headers.iter().filter(|(name, _)| *name == "warning").map(|(_, text)| text.clone()).collect()
    };
    let response = cluster.send(Request::post(DEPLOYMENTS, &odd));
    assert_eq!(
        warned(&response),
        [
            "299 - \"spec.template.spec.containers[0].env[1]: hides previous definition of \\\"X\\\", which may be dropped when using apply\"",
            "299 - \"spec.template.spec.containers[1].ports[0]: duplicate port definition with spec.template.spec.containers[0].ports[0]\"",
        ]
    );
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    let response = cluster.send(Request::patch(&format!("{DEPLOYMENTS}/web"), MERGE, &labels));
    assert_eq!(warned(&response), Vec::<String>::new(), "nothing about pods has changed");
}

#[test]
fn a_service_gets_its_addresses_once() {
    let mut cluster = Cluster::new();
    let services = "/api/v1/namespaces/shop/services";
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    let created = cluster.create(services, &service);
    let spec = &created["spec"];
    assert_eq!(spec["clusterIPs"], json!([spec["clusterIP"]]));
    assert_eq!((&spec["ipFamilies"], &spec["ipFamilyPolicy"]), (&json!(["IPv4"]), &json!("SingleStack")));
    let (code, replaced) = cluster.put(&format!("{services}/web"), &service);
    assert_eq!((code, &replaced["spec"]["clusterIP"]), (200, &spec["clusterIP"]));
}
