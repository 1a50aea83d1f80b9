//! What is wrong with steps that route by header or mirror requests.

use crate::mistake::{FieldPath, Mistake, word};
use crate::rollout::TrafficRouting;
use crate::rollout::step::{SetHeaderRoute, SetMirrorRoute, StringMatch};
use crate::validate::fields::{Found, required_text};

/// The name of the Gateway API router in the `plugins` map of manifests that were written for Argo Rollouts.
pub(super) const GATEWAY_PLUGIN: &str = "argoproj-labs/gatewayAPI";

/// The routers of a strategy, by what they can do.
pub(super) struct Routers<'c> {
    routing: &'c TrafficRouting,
}

impl<'c> Routers<'c> {
    pub(super) fn of(routing: &'c TrafficRouting) -> Routers<'c> {
        Routers { routing }
    }

    fn has_plugins(&self) -> bool {
        self.routing.plugins.as_ref().is_some_and(|plugins| !plugins.is_empty())
    }

    fn route_by_header(&self) -> bool {
        let routing = self.routing;
        let one = routing.istio.is_some() || routing.alb.is_some() || routing.apisix.is_some();
        one || routing.nginx.is_some() || routing.gateway_api.is_some() || self.has_plugins()
    }

    fn mirror(&self) -> bool {
        self.routing.istio.is_some() || self.routing.gateway_api.is_some() || self.has_plugins()
    }

    /// Whether an experiment's pods can be given a weight.
    pub(super) fn take_experiments(&self) -> bool {
        let routing = self.routing;
        let one = routing.istio.is_some() || routing.alb.is_some() || routing.smi.is_some();
        one || routing.gateway_api.is_some() || self.has_plugins()
    }

    /// The load balancer of AWS compares whole values only.
    fn only_exact(&self) -> bool {
        self.routing.alb.is_some()
    }

    fn manages(&self, route: &str) -> bool {
        self.routing.managed_routes.iter().flatten().any(|managed| managed.name == route)
    }
}

pub(super) fn check_header(path: &FieldPath, step: &SetHeaderRoute, routers: Option<&Routers<'_>>, found: &mut Found) {
    if routers.is_none_or(|routers| !routers.route_by_header()) {
        let mend = "remove the step, or use nginx, istio, gatewayAPI, alb or apisix";
        found.push(Mistake::about(path.clone(), "needs a traffic router that can route by header", mend));
    }
    check_name(path, &step.name, routers, found);
    for (index, header) in step.r#match.iter().flatten().enumerate() {
        let path = path.field("match").index(index);
        required_text(path.field("headerName"), Some(&header.header_name), "name the header", found);
        let path = path.field("headerValue");
        match &header.header_value {
            None => found.push(Mistake::missing(path, "is required", "write exact, prefix or regex below it")),
            Some(value) => {
                check_match(&path, value, found);
                if routers.is_some_and(Routers::only_exact) && (value.prefix.is_some() || value.regex.is_some()) {
                    let problem = "compares in a way that alb can't";
                    found.push(Mistake::about(path, problem, "write exact; * and ? stand for anything in it"));
                }
            }
        }
    }
}

pub(super) fn check_mirror(path: &FieldPath, step: &SetMirrorRoute, routers: Option<&Routers<'_>>, found: &mut Found) {
    const ALL: i32 = 100;
    if routers.is_none_or(|routers| !routers.mirror()) {
        let mend = "remove the step, or use istio or gatewayAPI";
        found.push(Mistake::about(path.clone(), "needs a traffic router that can copy requests", mend));
    }
    check_name(path, &step.name, routers, found);
    if let Some(percentage) = step.percentage.filter(|percentage| !(0..=ALL).contains(percentage)) {
        found.push(Mistake::wrong(path.field("percentage"), percentage, "is not a percentage", "write 0 to 100"));
    }
    for (index, request) in step.r#match.iter().flatten().enumerate() {
        let path = path.field("match").index(index);
        for (field, value) in [("method", &request.method), ("path", &request.path)] {
            if let Some(value) = value {
                check_match(&path.field(field), value, found);
            }
        }
        for (header, value) in request.headers.iter().flatten() {
            check_match(&path.field("headers").key(header), value, found);
        }
    }
}

fn check_name(path: &FieldPath, name: &str, routers: Option<&Routers<'_>>, found: &mut Found) {
    let path = path.field("name");
    if name.is_empty() {
        found.push(Mistake::missing(path, "is required", "write one of trafficRouting.managedRoutes"));
    } else if routers.is_some_and(|routers| !routers.manages(name)) {
        let mend = format!("add - name: {} to trafficRouting.managedRoutes", word(name));
        found.push(Mistake::wrong(path, name, "is not one of trafficRouting.managedRoutes", mend));
    }
}

fn check_match(path: &FieldPath, value: &StringMatch, found: &mut Found) {
    let set = [&value.exact, &value.prefix, &value.regex].into_iter().filter(|way| way.is_some()).count();
    match set {
        0 => {
            let mend = "write exact, prefix or regex below it";
            found.push(Mistake::missing(path.clone(), "does not say what to compare with", mend));
        }
        1 => {}
        _ => found.push(Mistake::about(
            path.clone(),
            "compares in more than one way",
            "keep one of exact, prefix and regex",
        )),
    }
}
