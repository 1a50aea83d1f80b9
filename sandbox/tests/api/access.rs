//! Who may do what, and how one finds out.

use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::bootstrap;
use sluice_sandbox::api::request::Request;

use crate::support::{Cluster, names};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const PODS: &str = "/api/v1/namespaces/shop/pods";

/// A cluster in which `ada` may read pods of `shop`, and the service account `robot` may do so everywhere.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new();
    let now = cluster.now();
    bootstrap(&mut cluster.world, now).expect("a fresh cluster takes its first objects");
    let reader = json!({
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["pods", "pods/status"], "verbs": ["get", "list", "watch"]}],
    });
    cluster.create(&format!("{RBAC}/clusterroles"), &reader);
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"});
    let ada = json!({
        "metadata": {"name": "ada-reads"},
        "roleRef": role_ref,
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ada"}],
    });
    cluster.create(&format!("{RBAC}/namespaces/shop/rolebindings"), &ada);
    let robot = json!({
        "metadata": {"name": "robot-reads"},
        "roleRef": role_ref,
        "subjects": [{"kind": "ServiceAccount", "namespace": "shop", "name": "robot"}],
    });
    cluster.create(&format!("{RBAC}/clusterrolebindings"), &robot);
    cluster.world.add_token("adas-token", User::named("ada", &[]));
    cluster.world.add_token("admins-token", User::admin());
    cluster
}

fn by(token: &str, request: Request) -> Request {
    request.with_header("authorization", &format!("Bearer {token}"))
}

#[test]
fn a_token_proves_who_asks() {
    let mut cluster = cluster();
    assert_eq!(cluster.answer(by("admins-token", Request::get(PODS))).0, 200);
    let (code, refused) = cluster.answer(by("stolen", Request::get(PODS)));
    assert_eq!((code, &refused["message"], &refused["reason"]), (401, &json!("Unauthorized"), &json!("Unauthorized")));
    let (code, refused) = cluster.answer(Request::get(PODS).with_header("authorization", "Basic x"));
    assert_eq!((code, &refused["reason"]), (401, &json!("Unauthorized")));
}

#[test]
fn rules_allow_what_they_name_and_nothing_else() {
    let mut cluster = cluster();
    let table = [
        (Request::get(PODS), 200, ""),
        (Request::get("/version"), 200, ""),
        (Request::get("/apis"), 200, ""),
        (
            Request::get("/api/v1/pods"),
            403,
            "pods is forbidden: User \"ada\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        ),
        (
            Request::delete(&format!("{PODS}/web")),
            403,
            "pods \"web\" is forbidden: User \"ada\" cannot delete resource \"pods\" in API group \"\" in the namespace \"shop\"",
        ),
        (
            Request::post(&format!("{PODS}/web/eviction"), &json!({})),
            403,
            "pods \"web\" is forbidden: User \"ada\" cannot create resource \"pods/eviction\" in API group \"\" in the namespace \"shop\"",
        ),
        (
            Request::get("/apis/apps/v1/namespaces/shop/deployments"),
            403,
            "deployments.apps is forbidden: User \"ada\" cannot list resource \"deployments\" in API group \"apps\" in the namespace \"shop\"",
        ),
        (Request::get("/secret"), 403, "forbidden: User \"ada\" cannot get path \"/secret\""),
    ];
    for (request, code, message) in table {
        let path = request.path.clone();
        let (got, body) = cluster.answer(by("adas-token", request));
        assert_eq!((got, body["message"].as_str().unwrap_or("")), (code, message), "{path}");
    }
}

#[test]
fn whoever_shows_no_token_is_anonymous() {
    let mut cluster = cluster();
    let anonymous = |path: &str| {
        let nobody =
            User { name: "system:anonymous".into(), groups: vec!["system:unauthenticated".into()], ..User::default() };
        Request::get(path).as_user(nobody)
    };
    assert_eq!(cluster.answer(anonymous("/healthz")).0, 200);
    let (code, refused) = cluster.answer(anonymous("/api/v1/nodes"));
    assert_eq!(code, 403);
    assert_eq!(
        refused["message"],
        "nodes is forbidden: User \"system:anonymous\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
    );
}

#[test]
fn a_binding_that_goes_takes_its_rights_along() {
    let mut cluster = cluster();
    assert_eq!(cluster.answer(by("adas-token", Request::get(PODS))).0, 200);
    cluster.delete(&format!("{RBAC}/namespaces/shop/rolebindings/ada-reads"));
    assert_eq!(cluster.answer(by("adas-token", Request::get(PODS))).0, 403);
}

#[test]
fn an_admin_can_ask_as_somebody_else() {
    let mut cluster = cluster();
    let as_robot = |request: Request| {
        by("admins-token", request).with_header("impersonate-user", "system:serviceaccount:shop:robot")
    };
    assert_eq!(cluster.answer(as_robot(Request::get("/api/v1/pods"))).0, 200);
    assert_eq!(cluster.answer(as_robot(Request::get("/api/v1/nodes"))).0, 403);
    let borrowed = by("adas-token", Request::get(PODS)).with_header("impersonate-user", "admin");
    let (code, refused) = cluster.answer(borrowed);
    assert_eq!(code, 403);
    assert_eq!(
        refused["message"],
        "users \"admin\" is forbidden: User \"ada\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
    );
}

fn review(cluster: &mut Cluster, attributes: &Value) -> Value {
    let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let (code, answered) = cluster.answer(by("adas-token", Request::post(path, &body)));
    assert_eq!(code, 201, "{answered}");
    answered["status"].clone()
}

#[test]
fn one_can_ask_what_one_may_do() {
    let mut cluster = cluster();
    let listing = json!({"verb": "list", "resource": "pods", "namespace": "shop"});
    assert_eq!(
        review(&mut cluster, &listing),
        json!({"allowed": true, "reason": "RBAC: allowed by RoleBinding \"ada-reads/shop\" of ClusterRole \"reader\" to User \"ada\""})
    );
    let deleting = json!({"verb": "delete", "resource": "pods", "namespace": "shop"});
    assert_eq!(review(&mut cluster, &deleting), json!({"allowed": false}));
    let rules = json!({"spec": {"namespace": "shop"}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let (code, answered) = cluster.answer(by("adas-token", Request::post(path, &rules)));
    assert_eq!(code, 201);
    let resources = answered["status"]["resourceRules"].as_array().cloned().unwrap_or_default();
    assert!(resources.iter().any(|rule| rule["resources"] == json!(["pods", "pods/status"])), "{answered}");
    let about = json!({"spec": {"user": "ada", "resourceAttributes": {"verb": "get", "resource": "nodes"}}});
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let (code, answered) = cluster.post(path, &about);
    assert_eq!((code, &answered["status"]["allowed"]), (201, &json!(false)));
}

#[test]
fn a_fresh_cluster_has_its_namespaces_and_roles() {
    let mut cluster = cluster();
    assert_eq!(
        names(&cluster.get("/api/v1/namespaces").1),
        ["default", "kube-node-lease", "kube-public", "kube-system", "shop"]
    );
    let (_, roles) = cluster.get(&format!("{RBAC}/clusterroles"));
    assert!(names(&roles).contains(&"cluster-admin".to_owned()));
}
