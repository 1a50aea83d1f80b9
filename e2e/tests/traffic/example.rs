//! The examples of the documentation, applied to the real control plane.

use anyhow::{Context as _, Result};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sluice_e2e::Namespace;
use sluice_e2e::dataplane::{Destination, Router};
use sluice_e2e::kubelets::SERVES_ANNOTATION;

/// The host in all of them.
pub(crate) const HOST: &str = "web.example.com";

/// The name of the Rollout in all of them.
pub(crate) const ROLLOUT: &str = "web";

/// A way to divide traffic that the documentation has an example for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Nginx,
    Istio,
    /// By subsets of one Service.
    IstioSubsets,
    GatewayApi,
}

impl Way {
    pub(crate) const fn router(self) -> Router {
        match self {
            Self::Nginx => Router::Nginx,
            Self::Istio | Self::IstioSubsets => Router::Istio,
            Self::GatewayApi => Router::GatewayApi,
        }
    }

    /// Whether the router can send copies of requests.
    pub(crate) fn copies(self) -> bool {
        self != Self::Nginx
    }

    /// Whether who has seen the new revision stays on it.
    pub(crate) fn is_sticky(self) -> bool {
        self == Self::Istio
    }

    /// Where the stable revision is.
    pub(crate) fn stable(self) -> Destination {
        self.destination("stable")
    }

    /// Where the new revision is.
    pub(crate) fn canary(self) -> Destination {
        self.destination("canary")
    }

    fn destination(self, role: &str) -> Destination {
        match self {
            Self::IstioSubsets => Destination { subset: Some(role.to_owned()), ..Destination::new("web", 80) },
            _ => Destination::new(&format!("web-{role}"), 80),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../../docs/examples/nginx.yaml"),
            Self::Istio => include_str!("../../../docs/examples/istio.yaml"),
            Self::IstioSubsets => include_str!("../../../docs/examples/istio-subsets.yaml"),
            Self::GatewayApi => include_str!("../../../docs/examples/gateway-api.yaml"),
        }
    }
}

/// Its objects, the Rollout first, in this namespace, with all the steps of a careful release. Its pods really answer,
/// at a port that nobody else has: they start slowly, and serve on for a while after they were asked to stop.
pub(crate) fn objects(way: Way, namespace: &str) -> Result<Vec<Value>> {
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(way.text())?;
    for object in &mut objects {
        object["metadata"]["namespace"] = namespace.into();
    }
    let template = &mut objects[0]["spec"]["template"];
    template["metadata"]["annotations"] = json!({
        SERVES_ANNOTATION: "true",
        "sandbox.sluice.dev/ready-after": "700ms",
        "sandbox.sluice.dev/shutdown-after": "5s",
    });
    let container = &mut template["spec"]["containers"][0];
    container["ports"][0]["containerPort"] = free_port()?.into();
    container["readinessProbe"]["periodSeconds"] = 1.into();

    let canary = &mut objects[0]["spec"]["strategy"]["canary"];
    canary["abortScaleDownDelaySeconds"] = 1.into();
    canary["scaleDownDelaySeconds"] = 1.into();
    let routing = &mut canary["trafficRouting"];
    if !routing["propagationDelay"].is_null() {
        routing["propagationDelay"] = "1s".into();
    }
    // What the example does first, beside it copies where the router can make them, and then everybody.
    let mut steps = vec![canary["steps"][0].clone()];
    if way.copies() {
        let copies = json!({"name": "copies", "match": [{"path": {"prefix": "/copied"}}], "percentage": 100});
        steps.push(json!({"setMirrorRoute": copies}));
        canary["trafficRouting"]["managedRoutes"] = json!([{"name": "testers"}, {"name": "copies"}]);
    }
    steps.push(json!({"pause": {}}));
    for weight in [5, 10, 25, 50, 75, 100] {
        steps.extend([json!({"setWeight": weight}), json!({"pause": {}})]);
    }
    canary["steps"] = steps.into();
    Ok(objects)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// As `kubectl apply` does it.
pub(crate) async fn apply(namespace: &Namespace, object: &Value) -> Result<Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
    let api: Api<DynamicObject> = Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &resource);
    let name = text(&object["metadata"]["name"]);
    let applied = api.patch(&name, &PatchParams::apply("e2e"), &Patch::Apply(object)).await;
    Ok(serde_json::to_value(applied.with_context(|| format!("applying {kind} {name}"))?)?)
}
