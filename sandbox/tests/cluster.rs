//! A whole cluster at work: what a user creates comes to life, and changes as Kubernetes changes it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn cluster(seed: u64) -> Cluster {
    Cluster::new(seed, 2, start())
}

fn ask(cluster: &mut Cluster, request: Request) -> Value {
    let response = cluster.handle(&request.as_user(User::admin()));
    let body = response.json_body();
    assert!(response.status < 300, "{} {body}", response.status);
    body
}

fn deployment(replicas: u32, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image, "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1}}]},
            },
        },
    })
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

fn set_image(cluster: &mut Cluster, image: &str) {
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}});
    ask(cluster, Request::patch(&format!("{DEPLOYMENTS}/web"), "application/strategic-merge-patch+json", &change));
}

fn pass(cluster: &mut Cluster, seconds: i64) {
    cluster.advance_to(cluster.now() + SignedDuration::from_secs(seconds));
}

#[test]
fn a_deployment_comes_up_and_rolls_to_the_next_image() {
    let mut cluster = cluster(1);
    ask(&mut cluster, Request::post(DEPLOYMENTS, &deployment(5, "web:1")));
    pass(&mut cluster, 30);
    let status = ask(&mut cluster, Request::get(&format!("{DEPLOYMENTS}/web")))["status"].clone();
    assert_eq!((&status["availableReplicas"], &status["updatedReplicas"]), (&json!(5), &json!(5)), "{status}");
    set_image(&mut cluster, "web:2");
    pass(&mut cluster, 120);
    let status = ask(&mut cluster, Request::get(&format!("{DEPLOYMENTS}/web")))["status"].clone();
    assert_eq!((&status["availableReplicas"], &status["replicas"]), (&json!(5), &json!(5)), "{status}");
    let pods = ask(&mut cluster, Request::get("/api/v1/namespaces/default/pods"));
    let images: Vec<&Value> =
        pods["items"].as_array().expect("pods").iter().map(|pod| &pod["spec"]["containers"][0]["image"]).collect();
    assert_eq!(images, [&json!("web:2"); 5]);
}

#[test]
fn deleting_a_deployment_takes_its_replica_sets_and_pods_along() {
    for propagation in ["Background", "Foreground"] {
        let mut cluster = cluster(2);
        ask(&mut cluster, Request::post(DEPLOYMENTS, &deployment(3, "web:1")));
        pass(&mut cluster, 30);
        ask(
            &mut cluster,
            Request::delete(&format!("{DEPLOYMENTS}/web")).with_json(&json!({"propagationPolicy": propagation})),
        );
        pass(&mut cluster, 60);
        for path in [DEPLOYMENTS, "/apis/apps/v1/namespaces/default/replicasets", "/api/v1/namespaces/default/pods"] {
            assert_eq!(ask(&mut cluster, Request::get(path))["items"], json!([]), "{path} after {propagation}");
        }
    }
}

#[test]
fn orphans_stay_when_asked_to() {
    let mut cluster = cluster(3);
    ask(&mut cluster, Request::post(DEPLOYMENTS, &deployment(2, "web:1")));
    pass(&mut cluster, 30);
    ask(
        &mut cluster,
        Request::delete(&format!("{DEPLOYMENTS}/web")).with_json(&json!({"propagationPolicy": "Orphan"})),
    );
    pass(&mut cluster, 60);
    let sets = ask(&mut cluster, Request::get("/apis/apps/v1/namespaces/default/replicasets"));
    assert_eq!(sets["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(sets["items"][0]["metadata"].get("ownerReferences"), None);
    let pods = ask(&mut cluster, Request::get("/api/v1/namespaces/default/pods"));
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_namespace_finishes_with_everything_in_it() {
    let mut cluster = cluster(4);
    ask(
        &mut cluster,
        Request::post(
            "/api/v1/namespaces",
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        ),
    );
    let mut web = deployment(2, "web:1");
    web["metadata"]["namespace"] = json!("shop");
    ask(&mut cluster, Request::post("/apis/apps/v1/namespaces/shop/deployments", &web));
    pass(&mut cluster, 30);
    ask(&mut cluster, Request::delete("/api/v1/namespaces/shop"));
    pass(&mut cluster, 60);
    assert!(cluster.world().get("", "namespaces", "", "shop").is_none());
    assert!(cluster.world().list("", "pods", "shop").is_empty());
}

#[test]
fn a_job_runs_to_its_end() {
    let mut cluster = cluster(5);
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "check", "namespace": "default"},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 5 && exit 0"]}]}}},
    });
    ask(&mut cluster, Request::post("/apis/batch/v1/namespaces/default/jobs", &job));
    pass(&mut cluster, 30);
    let status = ask(&mut cluster, Request::get("/apis/batch/v1/namespaces/default/jobs/check"))["status"].clone();
    assert_eq!(status["succeeded"], 1, "{status}");
    assert_eq!(status["conditions"][1]["type"], "Complete", "{status}");
}

#[test]
fn the_same_seed_gives_the_same_history_byte_for_byte() {
    let history = |seed: u64| {
        let mut cluster = cluster(seed);
        ask(&mut cluster, Request::post(DEPLOYMENTS, &deployment(4, "web:1")));
        pass(&mut cluster, 20);
        set_image(&mut cluster, "web:2");
        pass(&mut cluster, 60);
        let resources: Vec<_> = cluster.world().stored_resources().cloned().collect();
        let mut trace = Vec::new();
        for resource in resources {
            let changes = cluster.world().collection(&resource).expect("a collection").changes_after(0);
            trace.extend(
                changes.map(|change| format!("{:?} {}", change.kind, String::from_utf8_lossy(&change.object.json()))),
            );
        }
        trace.join("\n")
    };
    assert!(history(7) == history(7), "two runs of one seed differ");
    assert!(history(7) != history(8), "the seed decides names and uids");
}

#[test]
fn pods_that_are_evicted_at_once_keep_nobody_from_going_on() {
    let mut cluster = cluster(6);
    let mut doomed = deployment(1, "web:1");
    doomed["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.sluice.dev/evict-after": "0s"});
    ask(&mut cluster, Request::post(DEPLOYMENTS, &doomed));
    pass(&mut cluster, 3);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "still-here"}});
    ask(&mut cluster, Request::post("/api/v1/namespaces/default/configmaps", &map));
    ask(&mut cluster, Request::delete(&format!("{DEPLOYMENTS}/web")));
    pass(&mut cluster, 120);
    assert_eq!(ask(&mut cluster, Request::get("/api/v1/namespaces/default/pods"))["items"], json!([]));
}

#[test]
fn a_job_of_many_short_tasks_is_done_in_its_time() {
    let mut cluster = cluster(7);
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "many", "namespace": "default"},
        "spec": {"completions": 200, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["true"]}]}}},
    });
    ask(&mut cluster, Request::post("/apis/batch/v1/namespaces/default/jobs", &job));
    pass(&mut cluster, 600);
    let status = ask(&mut cluster, Request::get("/apis/batch/v1/namespaces/default/jobs/many"))["status"].clone();
    assert_eq!(status["succeeded"], 200, "{status}");
}
