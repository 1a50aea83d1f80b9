//! `get`, `describe`, `wait`: looking at what is there.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::support::{Cluster, rows};

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: front}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'web:1'}]
";

fn with_deployment(name: &str) -> Cluster {
    let cluster = Cluster::open(name);
    let file = cluster.file("web.yaml", DEPLOYMENT);
    cluster.ok(&["apply", "-f", &file]);
    cluster
}

#[test]
fn get_prints_every_form() {
    let cluster = with_deployment("get");
    let table = cluster.ok(&["get", "deployments"]);
    assert_eq!(rows(&table)[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(rows(&table)[1][..4], ["web", "0/2", "0", "0"]);
    let wide = cluster.ok(&["get", "deploy", "-o", "wide"]);
    assert_eq!(rows(&wide)[1][5..], ["web", "web:1", "app=web"]);
    let labelled = cluster.ok(&["get", "deploy", "--show-labels", "--no-headers"]);
    assert!(labelled.trim_end().ends_with("tier=front"), "{labelled}");
    assert_eq!(cluster.ok(&["get", "deploy", "web", "-o", "name"]), "deployment.apps/web\n");
    assert_eq!(cluster.ok(&["get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"]), "2");
    let columns = cluster.ok(&["get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas"]);
    assert_eq!(rows(&columns), [["N", "R"], ["web", "2"]]);
    let parsed: Value = serde_json::from_str(&cluster.ok(&["get", "deploy", "web", "-o", "json"])).unwrap_or_default();
    assert_eq!(parsed["kind"], "Deployment");
    let list: Value = serde_json::from_str(&cluster.ok(&["get", "deploy", "-o", "json"])).unwrap_or_default();
    assert_eq!(list["items"][0]["kind"], "Deployment");
    assert!(cluster.ok(&["get", "deploy", "web", "-o", "yaml"]).contains("image: web:1"));
    assert_eq!(cluster.ok(&["get", "all", "-o", "name"]), "deployment.apps/web\n");
    assert_eq!(cluster.ok(&["get", "deploy", "-A", "-l", "tier=front", "-o", "name"]), "deployment.apps/web\n");
    assert_eq!(cluster.ok(&["get", "deploy", "-l", "tier=back", "-o", "name"]), "");
    assert!(cluster.ok(&["get", "deploy", "--sort-by=.metadata.name"]).contains("web"));
    let missing = cluster.run(&["get", "deploy", "none"]);
    assert_eq!(
        (missing.code, missing.err.as_str()),
        (1, "Error from server (NotFound): deployments.apps \"none\" not found\n")
    );
    let unknown = cluster.run(&["get", "unicorns"]);
    assert_eq!(unknown.err, "error: the server doesn't have a resource type \"unicorns\"\n");
    assert_eq!(cluster.run(&["get", "pods"]).err, "No resources found in default namespace.\n");
}

#[test]
fn get_pages_through_long_lists() {
    let cluster = Cluster::open("pages");
    for number in 0..7 {
        cluster.ok(&["create", "configmap", &format!("m{number}")]);
    }
    let all = cluster.ok(&["get", "configmaps", "--chunk-size=3", "-o", "name"]);
    assert_eq!(all.lines().count(), 7);
}

#[test]
fn get_w_follows_what_happens() {
    let cluster = Cluster::open("watch");
    cluster.ok(&["create", "configmap", "first"]);
    let mut watching = cluster.start(&["get", "configmaps", "-w", "--no-headers"]);
    let output = watching.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines();
    let mut next = || lines.next().and_then(Result::ok).unwrap_or_default();
    assert!(next().starts_with("first "));
    cluster.ok(&["create", "configmap", "second", "--from-literal=a=b"]);
    let second = next();
    assert!(rows(&second)[0].starts_with(&["second", "1"]), "{second}");
    watching.kill().expect("it still runs");
    watching.wait().expect("it ends");
}

#[test]
fn describe_tells_the_whole_story() {
    let cluster = with_deployment("describe");
    let told = cluster.ok(&["describe", "deployment", "web"]);
    for line in [
        "Name:                   web",
        "Selector:               app=web",
        "Image:         web:1",
        "StrategyType:           RollingUpdate",
    ] {
        assert!(told.contains(line), "{line:?} is missing in:\n{told}");
    }
    assert!(cluster.ok(&["describe", "namespace", "default"]).contains("Status:       Active"));
}

#[test]
fn wait_waits_for_a_condition_a_value_and_an_end() {
    let cluster = with_deployment("wait");
    let deployment = "/apis/apps/v1/namespaces/default/deployments/web";
    let waiting = cluster.start(&["wait", "deployment/web", "--for=condition=Available", "--timeout=60s"]);
    let available = json!({"status": {"replicas": 2, "conditions": [{"type": "Available", "status": "True"}]}});
    cluster.patch(&format!("{deployment}/status"), &available);
    let done = waiting.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "deployment.apps/web condition met\n");
    cluster.ok(&["wait", "deploy/web", "--for=jsonpath={.status.replicas}=2", "--timeout=60s"]);
    let waiting = cluster.start(&["wait", "deploy/web", "--for=delete", "--timeout=60s"]);
    cluster.ok(&["delete", "deploy", "web", "--wait=false"]);
    assert!(waiting.wait_with_output().expect("it ends").status.success());
    let never = cluster.run(&["wait", "ns/default", "--for=jsonpath={.status.phase}=Gone", "--timeout=1s"]);
    assert_eq!(never.code, 1);
}
