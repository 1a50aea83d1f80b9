//! What is wrong with the Gateway API router, built in or under the name that it has as a plugin.

use serde_json::Value;

use crate::mistake::{FieldPath, Mistake};
use crate::rollout::router::GatewayApiRouting;
use crate::validate::fields::{Found, optional_name, repeated, required_name, taken};
use crate::validate::form::{self, quieted};
use crate::validate::names::{DNS_LABEL, OBJECT_NAME};

pub(super) fn check(path: &FieldPath, gateway: &GatewayApiRouting, found: &mut Found) {
    let mut named = 0;
    let short = [
        ("httpRoute", &gateway.http_route),
        ("grpcRoute", &gateway.grpc_route),
        ("tlsRoute", &gateway.tls_route),
        ("tcpRoute", &gateway.tcp_route),
    ];
    for (field, name) in short {
        let name = name.as_deref().filter(|name| !name.is_empty());
        named += usize::from(name.is_some());
        optional_name(&path.field(field), name, &OBJECT_NAME, found);
    }
    let lists = [
        ("httpRoutes", &gateway.http_routes),
        ("grpcRoutes", &gateway.grpc_routes),
        ("tlsRoutes", &gateway.tls_routes),
        ("tcpRoutes", &gateway.tcp_routes),
    ];
    for (field, routes) in lists {
        let path = path.field(field);
        for (index, route) in routes.iter().flatten().enumerate() {
            named += 1;
            required_name(path.index(index).field("name"), Some(&route.name), &OBJECT_NAME, "name the route", found);
        }
        for (index, name) in repeated(routes.iter().flatten().map(|route| route.name.as_str())) {
            found.push(taken(path.index(index).field("name"), name));
        }
    }
    optional_name(&path.field("namespace"), gateway.namespace.as_deref(), &DNS_LABEL, found);
    if named == 0 {
        found.push(Mistake::missing(
            path.clone(),
            "names no route",
            "write httpRoute, grpcRoute, tlsRoute or tcpRoute",
        ));
    }
}

/// The same configuration as it stands in the `plugins` map, where the schema lets anything pass.
pub(super) fn check_plugin(path: &FieldPath, config: &Value, found: &mut Found) {
    let mut config = config.clone();
    for field in ["httpRouteSelector", "grpcRouteSelector", "tlsRouteSelector", "tcpRouteSelector"] {
        if config.as_object_mut().and_then(|fields| fields.remove(field)).is_some() {
            let problem = "chooses routes by label, which Sluice does not";
            let mend = "name them in httpRoutes, grpcRoutes, tlsRoutes or tcpRoutes";
            found.push(Mistake::about(path.field(field), problem, mend));
        }
    }
    let checked = form::check(form::gateway_api(), &mut config);
    let mut inside = Found::new();
    if let Ok(gateway) = serde_json::from_value::<GatewayApiRouting>(config) {
        check(&FieldPath::root(), &gateway, &mut inside);
    }
    let mistakes = quieted(checked, inside).into_iter();
    found.extend(mistakes.map(|mistake| Mistake { path: path.then(&mistake.path), ..mistake }));
}
