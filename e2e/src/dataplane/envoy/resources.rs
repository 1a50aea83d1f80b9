//! Everything in Envoy's configuration that is no route.

use std::net::SocketAddrV4;
use std::path::Path;

use serde_json::{Value, json};

use super::{ADMIN, CLUSTERS, ROUTES};
use crate::dataplane::GENERATION_PATH;
use crate::dataplane::view::Destination;

fn typed(name: &str, mut fields: Value) -> Value {
    fields["@type"] = format!("type.googleapis.com/{name}").into();
    fields
}

fn from_file(folder: &Path, name: &str) -> Value {
    json!({"resource_api_version": "V3", "path_config_source": {
        "path": folder.join(name),
        "watched_directory": {"path": folder},
    }})
}

/// What Envoy starts with.
pub(super) fn bootstrap(folder: &Path) -> Value {
    let router = typed("envoy.extensions.filters.http.router.v3.Router", json!({}));
    let manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "requests",
            "rds": {"route_config_name": "routes", "config_source": from_file(folder, ROUTES)},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        }),
    );
    let manager = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    json!({
        "node": {"id": "e2e", "cluster": "e2e"},
        "admin": {"address": {"pipe": {"path": folder.join(ADMIN)}}},
        "dynamic_resources": {"cds_config": from_file(folder, CLUSTERS)},
        "static_resources": {"listeners": [{
            "name": "requests",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [manager]}],
        }]},
    })
}

/// A file of resources.
pub(super) fn file(version: u64, resources: &[Value]) -> Value {
    json!({"version_info": version.to_string(), "resources": resources})
}

/// The pods of a destination. A connection to one of them carries one request.
pub(super) fn cluster(folder: &Path, to: &Destination) -> Value {
    let options = typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        json!({
            "common_http_protocol_options": {"max_requests_per_connection": 1},
            "explicit_http_config": {"http_protocol_options": {}},
        }),
    );
    typed(
        "envoy.config.cluster.v3.Cluster",
        json!({
            "name": to.name(),
            "type": "EDS",
            "connect_timeout": "5s",
            "eds_cluster_config": {"eds_config": from_file(folder, &endpoints_file(to))},
            // Where no pod is healthy, no request is sent: an unhealthy one is not better than none.
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        }),
    )
}

/// Envoy wants a file for each cluster.
pub(super) fn endpoints_file(to: &Destination) -> String {
    format!("endpoints-{}.json", to.name())
}

pub(super) fn endpoints(to: &Destination, at: &[SocketAddrV4]) -> Value {
    let one = |at: &SocketAddrV4| {
        let address = json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}});
        json!({"endpoint": {"address": address}})
    };
    let all: Vec<Value> = at.iter().map(one).collect();
    typed(
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        json!({"cluster_name": to.name(), "endpoints": [{"lb_endpoints": all}]}),
    )
}

/// The routes of these hosts, and the one that says which they are.
pub(super) fn routes(hosts: &[Value], generation: u64) -> Value {
    let answer = json!({"status": 200, "body": {"inline_string": generation.to_string()}});
    let own = json!({"match": {"path": GENERATION_PATH}, "direct_response": answer});
    let own = json!({"name": "generation", "domains": ["localhost"], "routes": [own]});
    let all: Vec<&Value> = std::iter::once(&own).chain(hosts).collect();
    typed("envoy.config.route.v3.RouteConfiguration", json!({"name": "routes", "virtual_hosts": all}))
}
