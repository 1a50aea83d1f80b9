//! Istio VirtualServices that share traffic: the routes must be there, and name both sides.

use serde_json::Value;

use super::{File, Finding, Here};
use crate::mistake::{FieldPath, Mistake, word};
use crate::rollout::CanaryStrategy;
use crate::rollout::router::{IstioRouting, IstioVirtualService};

pub(super) fn check(here: &Here<'_>, file: &File<'_>, found: &mut Vec<Finding>) {
    let Some(canary) = here.rollout.spec.canary() else {
        return;
    };
    let Some(istio) = canary.traffic_routing.as_ref().and_then(|routing| routing.istio.as_ref()) else {
        return;
    };
    let path = FieldPath::of("spec.strategy.canary.trafficRouting.istio");
    let Some(sides) = Sides::of(canary, istio) else {
        return;
    };
    if let Some(service) = &istio.virtual_service {
        check_one(here, file, &path.field("virtualService"), service, &sides, found);
    }
    for (index, service) in istio.virtual_services.iter().flatten().enumerate() {
        check_one(here, file, &path.field("virtualServices").index(index), service, &sides, found);
    }
}

/// What the two sides of the split are called in a route's destinations.
struct Sides<'o> {
    field: &'static str,
    canary: &'o str,
    stable: &'o str,
}

impl<'o> Sides<'o> {
    fn of(canary: &'o CanaryStrategy, istio: &'o IstioRouting) -> Option<Sides<'o>> {
        let (field, canary, stable) = match (&istio.destination_rule, &canary.ping_pong) {
            (Some(rule), _) => ("subset", rule.canary_subset_name.as_deref()?, rule.stable_subset_name.as_deref()?),
            (None, Some(pair)) => ("host", pair.ping_service.as_str(), pair.pong_service.as_str()),
            (None, None) => ("host", canary.canary_service.as_deref()?, canary.stable_service.as_deref()?),
        };
        Some(Sides { field, canary, stable })
    }

    fn missing_in(&self, route: &Value) -> Vec<&'o str> {
        let destinations = route.get("route").and_then(Value::as_array).into_iter().flatten();
        let named: Vec<&str> = destinations
            .filter_map(|item| item.get("destination")?.get(self.field)?.as_str())
            .map(|name| if self.field == "host" { name.split('.').next().unwrap_or(name) } else { name })
            .collect();
        [self.canary, self.stable].into_iter().filter(|side| !named.contains(side)).collect()
    }
}

fn check_one(
    here: &Here<'_>,
    file: &File<'_>,
    path: &FieldPath,
    wanted: &IstioVirtualService,
    sides: &Sides<'_>,
    found: &mut Vec<Finding>,
) {
    // Routes of other protocols are told apart by port and host, which only the router knows how to do.
    if wanted.tls_routes.is_some() || wanted.tcp_routes.is_some() {
        return;
    }
    let Some(service) = file.find("VirtualService", &wanted.name, here) else {
        return;
    };
    let routes = service.json().and_then(|json| json.pointer("/spec/http")).and_then(Value::as_array);
    let Some(routes) = routes else {
        return;
    };
    let name_of = |route: &Value| route.get("name").and_then(Value::as_str).map(str::to_owned);
    let names = wanted.routes.as_deref().unwrap_or_default();
    if names.is_empty() && routes.len() > 1 {
        let problem = format!("is required, since {} has {} HTTP routes", service.name, routes.len());
        let mistake = Mistake::missing(path.field("routes"), problem, "name the routes to share");
        found.push(here.object.finding(mistake));
        return;
    }
    for (index, name) in names.iter().enumerate() {
        if !routes.iter().any(|route| name_of(route).as_deref() == Some(name)) {
            let problem = format!("is not an HTTP route of {}", service.name);
            let mistake = Mistake::wrong(path.field("routes").index(index), name, problem, "write the name of one");
            found.push(here.object.finding(mistake));
        }
    }
    for (index, route) in routes.iter().enumerate() {
        let shared = names.is_empty() || name_of(route).is_some_and(|name| names.contains(&name));
        for side in sides.missing_in(route).into_iter().filter(|_| shared).map(word) {
            let path = FieldPath::of("spec.http").index(index).field("route");
            let problem =
                format!("has no destination with {} {side}, which {} shares with", sides.field, here.object.name);
            let mend = format!("add a destination with {}: {side}", sides.field);
            found.push(service.finding(Mistake::about(path, problem, mend)));
        }
    }
}
