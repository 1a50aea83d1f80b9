//! What is wrong with the traffic routers of a canary.

use super::gateway;
use super::header_routes::GATEWAY_PLUGIN;
use crate::mistake::{FieldPath, Mistake, Nature};
use crate::rollout::router::{AlbRouting, IstioRouting, NginxRouting, StickySessions};
use crate::rollout::{CanaryStrategy, PingPong, TrafficRouting};
use crate::validate::fields::{Found, optional_name, repeated, required_name, required_text, taken};
use crate::validate::names::{DNS_LABEL, OBJECT_NAME, Rule};
use crate::values::GoDuration;

pub(super) fn check(path: &FieldPath, canary: &CanaryStrategy, found: &mut Found) {
    let routing_path = path.field("trafficRouting");
    if let Some(routing) = &canary.traffic_routing {
        check_common(&routing_path, routing, found);
        check_extras(&routing_path, routing, found);
        check_routers(&routing_path, routing, found);
        check_plugins(&routing_path.field("plugins"), routing, found);
        if let Some(router) = needs_services(routing, canary.ping_pong.is_some()) {
            require_services(path, canary, router, found);
        }
    }
    if let Some(ping_pong) = &canary.ping_pong {
        check_ping_pong(path, ping_pong, canary.traffic_routing.as_ref(), found);
    }
}

fn check_common(path: &FieldPath, routing: &TrafficRouting, found: &mut Found) {
    let has_plugins = routing.plugins.as_ref().is_some_and(|plugins| !plugins.is_empty());
    if let Some(most) = routing.max_traffic_weight {
        let path = path.field("maxTrafficWeight");
        if most < 1 {
            found.push(Mistake::wrong(path, most, "can't stand for all traffic", "write 1 or more, 100 is usual"));
        } else if routing.nginx.is_none() && !has_plugins && routing.gateway_api.is_none() {
            found.push(Mistake::wrong(path, most, "is for nginx only", "remove it; all other routers count to 100"));
        }
    }
    let names = routing.managed_routes.iter().flatten().map(|route| route.name.as_str());
    for (index, name) in names.clone().enumerate() {
        required_text(path.field("managedRoutes").index(index).field("name"), Some(name), "name the route", found);
    }
    for (index, name) in repeated(names) {
        let mistake = taken(path.field("managedRoutes").index(index).field("name"), name);
        found.push(Mistake { nature: Nature::Doubtful, ..mistake });
    }
    let without_router = TrafficRouting {
        max_traffic_weight: None,
        managed_routes: None,
        propagation_delay: None,
        sticky_sessions: None,
        probe: None,
        ..routing.clone()
    };
    if without_router == TrafficRouting::default() {
        let mend = "write nginx, istio, gatewayAPI, alb, smi, traefik, apisix or ambassador below it";
        found.push(Mistake::doubtful(path.clone(), "names no router, so the weights move no traffic", mend));
    }
}

/// What all routers share beside the weights.
fn check_extras(path: &FieldPath, routing: &TrafficRouting, found: &mut Found) {
    const MOST_REQUESTS: i32 = 10_000;
    if let Some(delay) = &routing.propagation_delay {
        let path = path.field("propagationDelay");
        match delay.parse() {
            Err(error) => found.push(Mistake::told(path, &error.to_string())),
            Ok(parsed) if parsed < GoDuration::default() => {
                found.push(Mistake::wrong(path, &delay.0, "is less than nothing", "write 0s or more, such as 10s"));
            }
            Ok(_) => {}
        }
    }
    if let Some(sticky) = &routing.sticky_sessions {
        check_sticky(&path.field("stickySessions"), sticky, routing, found);
    }
    if let Some(probe) = &routing.probe {
        let path = path.field("probe");
        let is_address = probe.url.starts_with("http://") || probe.url.starts_with("https://");
        if !is_address {
            let mend = "write one that goes through the router, such as http://shop.example.com/version";
            found.push(Mistake::wrong(path.field("url"), &probe.url, "is not an address", mend));
        }
        if !is_token(&probe.header) {
            let mend = "name the header of the answers that holds the pod template hash, such as x-pod-hash";
            found.push(Mistake::wrong(path.field("header"), &probe.header, "is not the name of a header", mend));
        }
        if !(1..=MOST_REQUESTS).contains(&probe.requests()) {
            let mend = "write 1 to 10000; 200 is usual";
            found.push(Mistake::wrong(path.field("requests"), probe.requests(), "is out of range", mend));
        }
    }
}

fn check_sticky(path: &FieldPath, sticky: &StickySessions, routing: &TrafficRouting, found: &mut Found) {
    let plugins = routing.plugins.as_ref().is_some_and(|plugins| plugins.contains_key(GATEWAY_PLUGIN));
    if routing.nginx.is_none() && routing.istio.is_none() && routing.gateway_api.is_none() && !plugins {
        let mend = "remove it, or use one of those; for alb write alb.stickinessConfig";
        found.push(Mistake::about(path.clone(), "works with nginx, istio and gatewayAPI only", mend));
    }
    if !is_token(sticky.cookie_name()) {
        let mend = "use letters, digits, \"-\", \"_\" and \".\"";
        found.push(Mistake::wrong(path.field("cookieName"), sticky.cookie_name(), "is not the name of a cookie", mend));
    }
    if sticky.max_age_seconds() < 1 {
        let mend = "write 1 or more; 86400 is a day";
        found.push(Mistake::wrong(path.field("maxAgeSeconds"), sticky.max_age_seconds(), "is no time at all", mend));
    }
}

/// What may stand as the name of a header or a cookie.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn check_routers(path: &FieldPath, routing: &TrafficRouting, found: &mut Found) {
    if let Some(nginx) = &routing.nginx {
        check_nginx(&path.field("nginx"), nginx, found);
    }
    if let Some(istio) = &routing.istio {
        check_istio(&path.field("istio"), istio, found);
    }
    if let Some(alb) = &routing.alb {
        check_alb(&path.field("alb"), alb, found);
    }
    if let Some(gateway) = &routing.gateway_api {
        gateway::check(&path.field("gatewayAPI"), gateway, found);
    }
    if let Some(smi) = &routing.smi {
        let path = path.field("smi");
        optional_name(&path.field("rootService"), smi.root_service.as_deref(), &DNS_LABEL, found);
        optional_name(&path.field("trafficSplitName"), smi.traffic_split_name.as_deref(), &OBJECT_NAME, found);
    }
    if let Some(ambassador) = &routing.ambassador {
        let path = path.field("ambassador").field("mappings");
        check_list(&path, ambassador.mappings.as_deref(), "name the Mappings to copy", found);
        if ambassador.mappings.as_ref().is_none_or(Vec::is_empty) {
            found.push(Mistake::missing(path, "is required", "name the Mappings to copy"));
        }
    }
    if let Some(traefik) = &routing.traefik {
        let path = path.field("traefik").field("weightedTraefikServiceName");
        let name = Some(traefik.weighted_traefik_service_name.as_str());
        required_name(path, name, &OBJECT_NAME, "name the TraefikService", found);
    }
    if let Some(apisix) = &routing.apisix {
        let path = path.field("apisix").field("route");
        match &apisix.route {
            None => found.push(Mistake::missing(path, "is required", "name the ApisixRoute in route.name")),
            Some(route) => {
                required_name(path.field("name"), Some(&route.name), &OBJECT_NAME, "name the ApisixRoute", found);
            }
        }
    }
    if routing.app_mesh.is_some() {
        let problem = "is AWS App Mesh, which AWS has ended and Sluice does not serve";
        found.push(Mistake::about(path.field("appMesh"), problem, "move to gatewayAPI, istio or alb"));
    }
}

fn check_nginx(path: &FieldPath, nginx: &NginxRouting, found: &mut Found) {
    let one = nginx.stable_ingress.as_deref();
    let many = nginx.stable_ingresses.as_deref();
    check_one_or_many(path, ("stableIngress", one), ("stableIngresses", many), "name the Ingress", found);
}

fn check_alb(path: &FieldPath, alb: &AlbRouting, found: &mut Found) {
    const LONGEST: i64 = 604_800;
    let one = alb.ingress.as_deref();
    check_one_or_many(path, ("ingress", one), ("ingresses", alb.ingresses.as_deref()), "name the Ingress", found);
    let port_path = path.field("servicePort");
    match alb.service_port {
        None => found.push(Mistake::missing(port_path, "is required", "write the port of the Services")),
        Some(port) if !(1..=65_535).contains(&port) => {
            found.push(Mistake::wrong(port_path, port, "is not a port", "write 1 to 65535"));
        }
        Some(_) => {}
    }
    optional_name(&path.field("rootService"), alb.root_service.as_deref(), &DNS_LABEL, found);
    let Some(stickiness) = alb.stickiness_config.as_ref().filter(|config| config.enabled == Some(true)) else {
        return;
    };
    let path = path.field("stickinessConfig").field("durationSeconds");
    match stickiness.duration_seconds {
        None => found.push(Mistake::missing(path, "is required", "write 1 to 604800")),
        Some(seconds) if !(1..=LONGEST).contains(&seconds) => {
            found.push(Mistake::wrong(path, seconds, "is out of range", "write 1 to 604800, which is a week"));
        }
        Some(_) => {}
    }
}

fn check_istio(path: &FieldPath, istio: &IstioRouting, found: &mut Found) {
    let one = istio.virtual_service.as_ref();
    let many = istio.virtual_services.as_deref().unwrap_or_default();
    match (one, many) {
        (None, []) => {
            let mend = "write virtualService, or virtualServices for several";
            found.push(Mistake::missing(path.field("virtualService"), "is required", mend));
        }
        (Some(_), [_, ..]) => {
            found.push(Mistake::about(
                path.clone(),
                "has both virtualService and virtualServices",
                "keep one of the two",
            ));
        }
        _ => {}
    }
    let mend = "name the VirtualService, as name or name.namespace";
    if let Some(service) = one {
        required_name(path.field("virtualService").field("name"), Some(&service.name), &OBJECT_NAME, mend, found);
    }
    for (index, service) in many.iter().enumerate() {
        let path = path.field("virtualServices").index(index).field("name");
        required_name(path, Some(&service.name), &OBJECT_NAME, mend, found);
    }
    let Some(rule) = &istio.destination_rule else {
        return;
    };
    let path = path.field("destinationRule");
    required_name(path.field("name"), Some(&rule.name), &OBJECT_NAME, "name the DestinationRule", found);
    let canary = rule.canary_subset_name.as_deref();
    let stable = rule.stable_subset_name.as_deref();
    required_text(path.field("canarySubsetName"), canary, "name the subset of the new revision", found);
    required_text(path.field("stableSubsetName"), stable, "name the subset of the stable revision", found);
    if let Some(name) = canary.filter(|name| !name.is_empty() && Some(*name) == stable) {
        let mend = "name a subset of its own for each";
        found.push(Mistake::wrong(path.field("canarySubsetName"), name, "is the stableSubsetName too", mend));
    }
}

/// Either a field with one name or a field with a list of them.
fn check_one_or_many(
    path: &FieldPath,
    (one_field, one): (&'static str, Option<&str>),
    (many_field, many): (&'static str, Option<&[String]>),
    mend: &str,
    found: &mut Found,
) {
    let one = one.filter(|name| !name.is_empty());
    let has_many = many.is_some_and(|many| !many.is_empty());
    if one.is_none() && !has_many {
        let mend = format!("{mend}, or several in {many_field}");
        found.push(Mistake::missing(path.field(one_field), "is required", mend));
    }
    if one.is_some() && has_many {
        let problem = format!("has both {one_field} and {many_field}");
        found.push(Mistake::about(path.clone(), problem, "keep one of the two"));
    }
    optional_name(&path.field(one_field), one, &OBJECT_NAME, found);
    check_list(&path.field(many_field), many, mend, found);
}

fn check_list(path: &FieldPath, names: Option<&[String]>, mend: &str, found: &mut Found) {
    for (index, name) in names.into_iter().flatten().enumerate() {
        required_name(path.index(index), Some(name), &OBJECT_NAME, mend, found);
    }
}

fn check_plugins(path: &FieldPath, routing: &TrafficRouting, found: &mut Found) {
    for (name, config) in routing.plugins.iter().flatten() {
        let path = path.key(name);
        if name == GATEWAY_PLUGIN {
            gateway::check_plugin(&path, config, found);
        } else {
            let mend = "use a built-in router: nginx, istio, gatewayAPI, alb, smi, traefik, apisix or ambassador";
            found.push(Mistake::about(path, "is a plugin in Go, which Sluice does not run", mend));
        }
    }
}

/// The router, if one is among them, that sends traffic to the two Services and so can't do without.
fn needs_services(routing: &TrafficRouting, ping_pong: bool) -> Option<&'static str> {
    let subsets = routing.istio.as_ref().is_some_and(|istio| istio.destination_rule.is_some());
    let gateway_plugin = routing.plugins.as_ref().is_some_and(|plugins| plugins.contains_key(GATEWAY_PLUGIN));
    [
        ("nginx", routing.nginx.is_some()),
        ("istio", routing.istio.is_some() && !subsets && !ping_pong),
        ("gatewayAPI", (routing.gateway_api.is_some() || gateway_plugin) && !ping_pong),
        ("alb", routing.alb.is_some() && !ping_pong),
        ("smi", routing.smi.is_some()),
        ("traefik", routing.traefik.is_some()),
        ("apisix", routing.apisix.is_some()),
        ("ambassador", routing.ambassador.is_some()),
    ]
    .into_iter()
    .find_map(|(name, needs)| needs.then_some(name))
}

fn require_services(path: &FieldPath, canary: &CanaryStrategy, router: &str, found: &mut Found) {
    let services = [("canaryService", &canary.canary_service), ("stableService", &canary.stable_service)];
    for (field, service) in services {
        if service.as_deref().unwrap_or_default().is_empty() {
            let problem = format!("is required with {router}");
            found.push(Mistake::missing(
                path.field(field),
                problem,
                "name a Service that this Rollout may point at its pods",
            ));
        }
    }
}

fn check_ping_pong(path: &FieldPath, pair: &PingPong, routing: Option<&TrafficRouting>, found: &mut Found) {
    let pair_path = path.field("pingPong");
    let able = routing.is_some_and(|routing| {
        let plugins = routing.plugins.as_ref().is_some_and(|plugins| !plugins.is_empty());
        routing.alb.is_some() || routing.istio.is_some() || routing.gateway_api.is_some() || plugins
    });
    if !able {
        let mend = "use one of those, or write canaryService and stableService instead";
        found.push(Mistake::about(pair_path.clone(), "works with alb, istio and gatewayAPI only", mend));
    }
    let names: [(&'static str, &str, &Rule); 2] =
        [("pingService", &pair.ping_service, &DNS_LABEL), ("pongService", &pair.pong_service, &DNS_LABEL)];
    for (field, name, rule) in names {
        required_name(pair_path.field(field), Some(name), rule, "name the Service", found);
    }
    if !pair.ping_service.is_empty() && pair.ping_service == pair.pong_service {
        let mend = "name a Service of its own for each";
        found.push(Mistake::wrong(pair_path.field("pongService"), &pair.pong_service, "is the pingService too", mend));
    }
    let alb = routing.and_then(|routing| routing.alb.as_ref());
    if alb.is_some_and(|alb| alb.root_service.as_deref().unwrap_or_default().is_empty()) {
        let path = path.field("trafficRouting").field("alb").field("rootService");
        found.push(Mistake::missing(path, "is required with pingPong", "name the Service that stands in the Ingress"));
    }
}
