//! `explain`, `api-resources`, `auth can-i`: finding out what there is and what one may do.

use crate::support::{Cluster, rows};

const WIDGETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: A widget does what it is told.
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, minimum: 1, description: How big it is.}
";

#[test]
fn api_resources_lists_what_is_served() {
    let cluster = Cluster::open("api-resources");
    let listed = cluster.ok(&["api-resources", "--no-headers"]);
    let line = listed.lines().find(|line| line.starts_with("deployments ")).unwrap_or("");
    assert_eq!(rows(line)[0], ["deployments", "deploy", "apps/v1", "true", "Deployment"]);
    let file = cluster.file("crd.yaml", WIDGETS);
    cluster.ok(&["apply", "-f", &file]);
    cluster.ok(&["wait", "crd/widgets.example.com", "--for=condition=Established", "--timeout=60s"]);
    let listed = cluster.ok(&["api-resources", "--api-group=example.com", "--no-headers", "--cached=false"]);
    assert_eq!(rows(&listed)[0], ["widgets", "wd", "example.com/v1", "true", "Widget"]);
    assert!(cluster.ok(&["api-versions"]).contains("apps/v1\n"));
    assert!(cluster.ok(&["version", "-o", "yaml"]).contains("gitVersion: v1.36"));
}

#[test]
fn explain_reads_the_schema() {
    let cluster = Cluster::open("explain");
    let told = cluster.ok(&["explain", "deployment.spec.strategy"]);
    assert!(told.contains("rollingUpdate"), "{told}");
    assert!(cluster.ok(&["explain", "pods", "--recursive"]).contains("containers"), "pods have containers");
    let file = cluster.file("crd.yaml", WIDGETS);
    cluster.ok(&["apply", "-f", &file]);
    let told = cluster.ok(&["explain", "widgets.spec"]);
    assert!(told.contains("How big it is."), "{told}");
}

#[test]
fn a_new_kind_is_used_like_any_other() {
    let cluster = Cluster::open("widgets");
    let file = cluster.file("crd.yaml", WIDGETS);
    cluster.ok(&["apply", "-f", &file]);
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 3}\n";
    let file = cluster.file("a.yaml", widget);
    assert_eq!(cluster.ok(&["apply", "-f", &file]), "widget.example.com/a created\n");
    assert_eq!(cluster.ok(&["apply", "-f", &file]), "widget.example.com/a unchanged\n");
    let table = cluster.ok(&["get", "wd"]);
    assert_eq!(rows(&table)[0], ["NAME", "SIZE", "AGE"]);
    assert_eq!(rows(&table)[1][..2], ["a", "3"]);
    let file = cluster.file("a.yaml", &widget.replace("size: 3", "size: 0"));
    let refused = cluster.run(&["apply", "-f", &file]);
    assert!(refused.err.contains("spec.size in body should be greater than or equal to 1"), "{}", refused.err);
    let strategic = cluster.run(&["patch", "widget", "a", "-p", "{\"spec\":{\"size\":4}}"]);
    assert!(
        strategic
            .err
            .contains("application/strategic-merge-patch+json is not supported by example.com/v1, Kind=Widget"),
        "{}",
        strategic.err
    );
    cluster.ok(&["patch", "widget", "a", "--type=merge", "-p", "{\"spec\":{\"size\":4}}"]);
    cluster.ok(&["delete", "crd", "widgets.example.com"]);
    assert_eq!(cluster.run(&["get", "widgets"]).code, 1);
}

#[test]
fn auth_can_i_answers() {
    let cluster = Cluster::open("can-i");
    assert_eq!(cluster.ok(&["auth", "can-i", "delete", "pods"]), "yes\n");
    let visitor = cluster.run_as_visitor(&["auth", "can-i", "delete", "pods"]);
    assert_eq!((visitor.code, visitor.out.as_str()), (1, "no\n"));
    cluster.ok(&["create", "rolebinding", "visitors-view", "--clusterrole=view", "--user=visitor"]);
    assert_eq!(cluster.run_as_visitor(&["auth", "can-i", "list", "pods"]).out, "yes\n");
    let listed = cluster.run_as_visitor(&["auth", "can-i", "--list"]);
    assert!(listed.out.contains("deployments"), "{}{}", listed.out, listed.err);
    assert_eq!(cluster.run(&["auth", "can-i", "list", "secrets", "--as=visitor"]).out, "no\n");
    let told = cluster.ok(&["auth", "whoami"]);
    assert!(told.contains("system:masters"), "{told}");
    let refused = cluster.run_as_visitor(&["get", "secrets"]);
    assert!(refused.err.contains("User \"visitor\" cannot list resource \"secrets\""), "{}", refused.err);
}
