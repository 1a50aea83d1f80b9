//! kubectl against a whole cluster: what it asks for comes to life and goes again.

use crate::support::Cluster;

const WEB: &[&str] = &["create", "deployment", "web", "--image=web:1", "--replicas=3"];

fn names(cluster: &Cluster, kind: &str) -> String {
    cluster.ok(&["get", kind, "-o", "name"])
}

fn with_deployment(name: &str) -> Cluster {
    let cluster = Cluster::open_whole(name);
    cluster.ok(WEB);
    cluster.ok(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    assert_eq!(names(&cluster, "pods").lines().count(), 3);
    cluster
}

#[test]
fn a_foreground_deletion_returns_when_everything_is_gone() {
    let cluster = with_deployment("foreground");
    cluster.ok(&["delete", "deployment", "web", "--cascade=foreground", "--timeout=60s"]);
    assert_eq!(names(&cluster, "replicasets,pods"), "");
}

#[test]
fn a_background_deletion_takes_the_pods_along_afterwards() {
    let cluster = with_deployment("background");
    cluster.ok(&["delete", "deployment", "web", "--cascade=background"]);
    cluster.ok(&["wait", "--for=delete", "pods", "-l", "app=web", "--timeout=60s"]);
    assert_eq!(names(&cluster, "replicasets"), "");
}

#[test]
fn orphans_live_on() {
    let cluster = with_deployment("orphan");
    cluster.ok(&["delete", "deployment", "web", "--cascade=orphan", "--timeout=60s"]);
    assert_eq!(names(&cluster, "pods").lines().count(), 3);
    assert_eq!(names(&cluster, "replicasets").lines().count(), 1);
}

#[test]
fn a_scaled_deployment_gets_its_pods() {
    let cluster = with_deployment("scaled");
    cluster.ok(&["scale", "deployment/web", "--replicas=5"]);
    cluster.ok(&["wait", "--for=jsonpath={.status.availableReplicas}=5", "deployment/web", "--timeout=60s"]);
    assert_eq!(names(&cluster, "pods").lines().count(), 5);
}
