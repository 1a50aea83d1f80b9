//! Whether a route of another namespace may refer to a Service of ours.

use serde_json::Value;

use crate::objects::{GATEWAY_GROUP, ObjectRef, Objects};
use crate::routing::Routing;

/// One sentence about a Service that no ReferenceGrant lets the route refer to. Where nobody could look, none.
pub(super) fn missing(route: &ObjectRef, services: &[&str], routing: &Routing, objects: &Objects) -> Option<String> {
    if route.namespace == routing.namespace {
        return None;
    }
    let grants = objects.grants(&routing.namespace)?;
    let refused = services.iter().find(|service| !grants.iter().any(|grant| allows(grant, route, service)))?;
    Some(format!(
        "spec.rules refers to Service {}/{refused} of another namespace, and no ReferenceGrant there allows it; create one in {} \
         with from: {} of namespace {} and to: Service {refused}",
        routing.namespace,
        routing.namespace,
        route.kind.as_str(),
        route.namespace
    ))
}

fn allows(grant: &Value, route: &ObjectRef, service: &str) -> bool {
    let list = |field: &str| grant["spec"][field].as_array().map(Vec::as_slice).unwrap_or_default();
    let from = list("from").iter().any(|from| {
        from["group"] == GATEWAY_GROUP
            && from["kind"] == route.kind.as_str()
            && from["namespace"] == route.namespace.as_str()
    });
    let to = list("to").iter().any(|to| {
        matches!(to["group"].as_str(), None | Some(""))
            && to["kind"] == "Service"
            && to["name"].as_str().is_none_or(|name| name.is_empty() || name == service)
    });
    from && to
}
