//! `apply`, `patch`, `scale`, `label`, `delete` and their kin: changing what is there.

use serde_json::json;

use crate::support::Cluster;

fn deployment(image: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: {image}
        env: [{{name: A, value: '1'}}, {{name: B, value: '2'}}]
"
    )
}

fn field(cluster: &Cluster, path: &str) -> String {
    cluster.ok(&["get", "deploy", "web", "-o", &format!("jsonpath={path}")])
}

#[test]
fn apply_creates_configures_and_leaves_alone() {
    let cluster = Cluster::open("apply");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    assert_eq!(cluster.ok(&["apply", "-f", &file]), "deployment.apps/web created\n");
    assert_eq!(cluster.ok(&["apply", "-f", &file]), "deployment.apps/web unchanged\n");
    cluster.ok(&["set", "env", "deploy/web", "C=3"]);
    let file = cluster.file("web.yaml", &deployment("web:2").replace(", {name: B, value: '2'}", ""));
    assert_eq!(cluster.ok(&["apply", "-f", &file]), "deployment.apps/web configured\n");
    assert_eq!(field(&cluster, "{.spec.template.spec.containers[0].image}"), "web:2");
    assert_eq!(
        field(&cluster, "{.spec.template.spec.containers[0].env[*].name}"),
        "A C",
        "what was applied and is no longer goes; what somebody else added stays"
    );
}

#[test]
fn apply_names_fields_that_nobody_knows() {
    let cluster = Cluster::open("strict");
    let file = cluster.file("odd.yaml", &deployment("web:1").replace("replicas: 2", "replica: 2"));
    let refused = cluster.run(&["apply", "-f", &file]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("strict decoding error: unknown field \"spec.replica\""), "{}", refused.err);
}

#[test]
fn server_side_apply_keeps_owners_apart() {
    let cluster = Cluster::open("server-side");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    let applied = cluster.ok(&["apply", "--server-side", "-f", &file]);
    assert_eq!(applied, "deployment.apps/web serverside-applied\n");
    let other = cluster.file("other.yaml", &deployment("web:2"));
    let refused = cluster.run(&["apply", "--server-side", "--field-manager=other", "-f", &other]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("Apply failed with 1 conflict: conflict with \"kubectl\": .spec.template.spec.containers[name=\"web\"].image"),
        "{}",
        refused.err
    );
    cluster.ok(&["apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", &other]);
    assert_eq!(field(&cluster, "{.spec.template.spec.containers[0].image}"), "web:2");
}

#[test]
fn client_side_becomes_server_side_without_conflict() {
    let cluster = Cluster::open("migrate");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    cluster.ok(&["apply", "-f", &file]);
    let file = cluster.file("web.yaml", &deployment("web:2"));
    cluster.ok(&["apply", "--server-side", "-f", &file]);
    assert_eq!(field(&cluster, "{.spec.template.spec.containers[0].image}"), "web:2");
}

#[test]
fn diff_shows_what_would_change() {
    let cluster = Cluster::open("diff");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    cluster.ok(&["apply", "-f", &file]);
    assert_eq!(cluster.run(&["diff", "-f", &file]).code, 0);
    let file = cluster.file("web.yaml", &deployment("web:2"));
    let shown = cluster.run(&["diff", "-f", &file]);
    assert_eq!(shown.code, 1, "{}", shown.err);
    for (sign, image) in [('-', "image: web:1"), ('+', "image: web:2")] {
        let shows = shown.out.lines().any(|line| line.starts_with(sign) && line.contains(image));
        assert!(shows, "{sign} {image} is missing in:\n{}", shown.out);
    }
    assert_eq!(field(&cluster, "{.spec.template.spec.containers[0].image}"), "web:1");
}

#[test]
fn patch_speaks_three_languages() {
    let cluster = Cluster::open("patch");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    cluster.ok(&["apply", "-f", &file]);
    let strategic = json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}});
    assert_eq!(cluster.ok(&["patch", "deploy", "web", "-p", &strategic.to_string()]), "deployment.apps/web patched\n");
    let names = field(&cluster, "{.spec.template.spec.containers[*].name}");
    assert_eq!(names, "side web", "a list of containers merges by name");
    let merge = json!({"spec": {"replicas": 5}});
    cluster.ok(&["patch", "deploy", "web", "--type=merge", "-p", &merge.to_string()]);
    let steps = json!([{"op": "test", "path": "/spec/replicas", "value": 5}, {"op": "replace", "path": "/spec/replicas", "value": 6}]);
    cluster.ok(&["patch", "deploy", "web", "--type=json", "-p", &steps.to_string()]);
    assert_eq!(field(&cluster, "{.spec.replicas}"), "6");
    let refused = cluster.run(&["patch", "deploy", "web", "--type=json", "-p", &steps.to_string()]);
    assert_eq!(refused.code, 1);
    let same = cluster.ok(&["patch", "deploy", "web", "--type=merge", "-p", "{\"spec\":{\"replicas\":6}}"]);
    assert_eq!(same, "deployment.apps/web patched (no change)\n");
}

#[test]
fn scale_label_and_annotate() {
    let cluster = Cluster::open("scale");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    cluster.ok(&["apply", "-f", &file]);
    assert_eq!(cluster.ok(&["scale", "deploy/web", "--replicas=4"]), "deployment.apps/web scaled\n");
    assert_eq!(field(&cluster, "{.spec.replicas}"), "4");
    let refused = cluster.run(&["scale", "deploy/web", "--current-replicas=9", "--replicas=1"]);
    assert_eq!(refused.code, 1);
    assert_eq!(cluster.ok(&["label", "deploy", "web", "tier=front"]), "deployment.apps/web labeled\n");
    assert_eq!(cluster.run(&["label", "deploy", "web", "tier=back"]).code, 1, "only with --overwrite");
    cluster.ok(&["label", "deploy", "web", "tier-"]);
    assert_eq!(field(&cluster, "{.metadata.labels}"), "");
    assert_eq!(cluster.ok(&["annotate", "deploy", "web", "why=because"]), "deployment.apps/web annotated\n");
    assert_eq!(field(&cluster, "{.metadata.annotations.why}"), "because");
    cluster.ok(&["set", "image", "deploy/web", "web=web:9"]);
    assert_eq!(field(&cluster, "{.spec.template.spec.containers[0].image}"), "web:9");
}

#[test]
fn delete_cascades_as_asked() {
    let cluster = Cluster::open("delete");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    let path = "/apis/apps/v1/namespaces/default/deployments/web";
    for (cascade, finalizer) in [("orphan", "orphan"), ("foreground", "foregroundDeletion")] {
        cluster.ok(&["apply", "-f", &file]);
        cluster.ok(&["delete", "deploy", "web", &format!("--cascade={cascade}"), "--wait=false"]);
        assert_eq!(field(&cluster, "{.metadata.finalizers[0]}"), finalizer);
        cluster.patch(path, &json!({"metadata": {"finalizers": null}}));
    }
    cluster.ok(&["apply", "-f", &file]);
    let said = cluster.ok(&["delete", "-f", &file]);
    assert!(said.starts_with("deployment.apps \"web\" deleted"), "{said}");
    assert_eq!(cluster.run(&["get", "deploy", "web"]).code, 1);
    assert_eq!(cluster.run(&["delete", "deploy", "web"]).code, 1);
    cluster.ok(&["delete", "deploy", "web", "--ignore-not-found"]);
    cluster.ok(&["create", "configmap", "a"]);
    cluster.ok(&["delete", "configmaps", "--all"]);
    assert_eq!(cluster.ok(&["get", "configmaps", "-o", "name"]), "");
}

#[test]
fn create_replace_and_edit_in_place() {
    let cluster = Cluster::open("create");
    let created = cluster.ok(&["create", "deployment", "quick", "--image=web:1", "--replicas=3"]);
    assert_eq!(created, "deployment.apps/quick created\n");
    assert_eq!(cluster.run(&["create", "deployment", "quick", "--image=web:1"]).code, 1, "it is there already");
    cluster.ok(&["create", "namespace", "other"]);
    cluster.ok(&["create", "secret", "generic", "keys", "--from-literal=a=b", "-n", "other"]);
    cluster.ok(&["create", "serviceaccount", "robot"]);
    cluster.ok(&["expose", "deployment", "quick", "--port=80"]);
    assert_eq!(cluster.ok(&["get", "svc", "quick", "-o", "jsonpath={.spec.selector.app}"]), "quick");
    let file = cluster.file("web.yaml", &deployment("web:1"));
    cluster.ok(&["create", "-f", &file]);
    assert_eq!(cluster.ok(&["replace", "-f", &file]), "deployment.apps/web replaced\n");
    let shown = cluster.ok(&["apply", "-f", &file, "--dry-run=server"]);
    assert!(shown.contains("(server dry run)"), "{shown}");
}
