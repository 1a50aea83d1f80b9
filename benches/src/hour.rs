//! A simulated hour: ten pods, a canary whose weight goes up in steps, 200 requests a second.

use anyhow::ensure;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::dataplane::{Entry, Flow};

use crate::figure::{Figure, median_of, time};

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let mut requests = 0;
    let mut lost = 0;
    let hour = median_of(5, || {
        let mut cluster = shop();
        let spent = time(|| live_through(&mut cluster));
        requests = cluster.plane().record().requests("shoppers");
        lost = cluster.plane().record().met_no_ready_pod("shoppers");
        spent
    });
    ensure!(requests == 720_000, "an hour of 200 requests a second is 720,000, not {requests}");
    ensure!(lost == 0, "{lost} requests met no ready pod");
    Ok(vec![
        Figure::new("a simulated hour of a 10-pod canary at 200 requests/s", hour.as_secs_f64() * 1e3, "ms")
            .at_most(100.0),
    ])
}

fn shop() -> Cluster {
    let mut cluster = Cluster::new(1, 3, jiff::Timestamp::UNIX_EPOCH);
    for (name, pods) in [("stable", 8), ("canary", 2)] {
        post(&mut cluster, "/apis/apps/v1/namespaces/default/deployments", &deployment(name, pods));
        post(&mut cluster, "/api/v1/namespaces/default/services", &service(name));
        post(&mut cluster, "/apis/networking.k8s.io/v1/namespaces/default/ingresses", &ingress(name));
    }
    cluster.advance_to(cluster.now() + SignedDuration::from_mins(2));
    cluster
}

/// Each minute the weight moves; each second the traffic is looked at, as a scrape would.
fn live_through(cluster: &mut Cluster) {
    let begin = cluster.now();
    cluster.plane_mut().send(Flow::get("shoppers", Entry::Ingress, "shop.example", 200), begin);
    for second in 1..=3_600_i64 {
        cluster.advance_to(begin + SignedDuration::from_secs(second));
        if second % 60 == 0 {
            let weight = (second / 60).to_string();
            let change = json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": weight}}});
            let path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/canary";
            cluster.handle(&Request::patch(path, "application/merge-patch+json", &change).as_user(User::admin()));
        }
    }
}

fn post(cluster: &mut Cluster, path: &str, object: &Value) {
    let answer = cluster.handle(&Request::post(path, object).as_user(User::admin()));
    assert_eq!(answer.status, 201, "{}", answer.json_body());
}

fn deployment(name: &str, pods: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": pods,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    })
}

fn ingress(name: &str) -> Value {
    let annotations = if name == "canary" {
        json!({"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "0"})
    } else {
        json!({})
    };
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "annotations": annotations},
        "spec": {"rules": [{"host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}}]}}]},
    })
}
