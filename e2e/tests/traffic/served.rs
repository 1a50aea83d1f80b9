//! What is waited for, in the words of a release.

use anyhow::{Result, ensure};
use serde_json::Value;
use sluice_e2e::dataplane::{DataPlane, View};

/// The Service of the new revision, and its subset where there is only one Service.
const CANARY: [&str; 2] = ["web-canary", "canary"];

/// The share of the new revision, in per cent, is in force.
pub(crate) async fn weight(plane: &DataPlane, percent: u32) -> Result<()> {
    let expected = format!("a weight of {percent}");
    let served = plane.serves(&expected, |view| {
        let weights = weights(view);
        ensure!(weights == [i64::from(percent)], "the weights are {weights:?}");
        Ok(())
    });
    served.await.map(drop)
}

/// A route for requests of testers is in force.
pub(crate) async fn route_of_testers(plane: &DataPlane) -> Result<()> {
    let served = plane.serves("the route of testers", |view| {
        let text = ["Ingress", "VirtualService", "HTTPRoute"]
            .map(|kind| view.all(kind).map(Value::to_string).collect::<String>());
        ensure!(text.concat().contains("x-tester"), "it is not there");
        Ok(())
    });
    served.await.map(drop)
}

/// What the new revision gets in each place that divides traffic.
fn weights(view: &View) -> Vec<i64> {
    let annotation = "nginx.ingress.kubernetes.io/canary-weight";
    let of_ingress = |ingress: &Value| ingress["metadata"]["annotations"][annotation].as_str()?.parse().ok();
    let mut all: Vec<i64> = view.all("Ingress").filter_map(of_ingress).collect();
    for route in view.all("VirtualService").flat_map(|object| list(&object["spec"]["http"])) {
        let is_ours = |one: &&Value| ["host", "subset"].iter().any(|field| is_canary(&one["destination"][field]));
        let ours = list(&route["route"]).iter().find(is_ours);
        all.extend(ours.filter(|_| route["name"] == "primary").map(|one| one["weight"].as_i64().unwrap_or(0)));
    }
    for rule in view.all("HTTPRoute").flat_map(|object| list(&object["spec"]["rules"])) {
        let ours = list(&rule["backendRefs"]).iter().find(|one| is_canary(&one["name"]));
        let divides = list(&rule["backendRefs"]).len() == 2 && rule["filters"].is_null();
        all.extend(ours.filter(|_| divides).and_then(|one| one["weight"].as_i64()));
    }
    all
}

fn is_canary(name: &Value) -> bool {
    CANARY.iter().any(|canary| name == canary)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
