//! Gateway API: HTTPRoutes, GRPCRoutes, TLSRoutes and TCPRoutes. Of each only the rules that refer to both of our
//! Services are edited.

mod backends;
mod grants;
mod managed;
mod matches;
mod status;
mod sticky;

use serde_json::Value;
use sluice_crds::rollout::router::{GatewayApiRouting, GatewayRoute};

use self::backends::{Backends, UNWRITTEN};
use crate::edit::{Action, Edit, Edits, Problem, Target, require};
use crate::objects::{Kind, Needs, ObjectRef, Objects};
use crate::observed::{Observed, Share, written_at};
use crate::ownership;
use crate::patch::Patch;
use crate::routing::Routing;
use crate::split::Split;
use crate::weigh;

pub(crate) fn needs(routing: &Routing, needs: &mut Needs) {
    for named in routes(routing) {
        if named.object.namespace != routing.namespace {
            needs.grants_in.insert(routing.namespace.clone());
        }
        needs.objects.insert(named.object);
    }
}

pub(crate) fn edits(split: &Split, routing: &Routing, objects: &Objects, found: &mut Edits) {
    found.problems.extend(nowhere_for_steps(split, routing));
    for named in routes(routing) {
        match edit(&named, split, routing, objects) {
            Ok(edit) => found.edits.extend(edit),
            Err(problem) => found.problems.push(problem),
        }
    }
}

/// All traffic goes to stable, and the rules that steps made go.
pub(crate) fn give_back(routing: &Routing, objects: &Objects, found: &mut Edits) {
    edits(&Split::all_to_stable(routing.total()), routing, objects, found);
}

pub(crate) fn observe(routing: &Routing, objects: &Objects, observed: &mut Observed) {
    for named in routes(routing) {
        match shares(&named.object, routing, objects) {
            Some(shares) if !shares.is_empty() => observed.shares.extend(shares),
            _ => observed.unclear.push(named.object),
        }
    }
}

/// A route that the Rollout names.
struct Named {
    object: ObjectRef,
    /// Whether steps may put rules of their own into it.
    takes_rules: bool,
}

fn routes(routing: &Routing) -> impl Iterator<Item = Named> {
    routing.gateways().iter().flat_map(|gateway| of_gateway(gateway, routing))
}

fn of_gateway<'g>(gateway: &'g GatewayApiRouting, routing: &'g Routing) -> impl Iterator<Item = Named> + 'g {
    let namespace = gateway.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or(&routing.namespace);
    let many = |routes: &'g Option<Vec<GatewayRoute>>| routes.as_deref().unwrap_or_default();
    let kinds = [
        (Kind::HttpRoute, &gateway.http_route, many(&gateway.http_routes)),
        (Kind::GrpcRoute, &gateway.grpc_route, many(&gateway.grpc_routes)),
        (Kind::TlsRoute, &gateway.tls_route, many(&gateway.tls_routes)),
        (Kind::TcpRoute, &gateway.tcp_route, many(&gateway.tcp_routes)),
    ];
    kinds.into_iter().flat_map(move |(kind, one, many)| {
        let has_matches = matches!(kind, Kind::HttpRoute | Kind::GrpcRoute);
        let named = move |name: &str, takes_rules: bool| Named {
            object: ObjectRef::new(kind, namespace, name),
            takes_rules: takes_rules && has_matches,
        };
        let one = one.as_deref().filter(|name| !name.is_empty()).map(|name| named(name, true));
        let many = many.iter().map(move |route| named(&route.name, route.use_header_routes == Some(true)));
        one.into_iter().chain(many)
    })
}

/// A header or mirror step must have a route to stand in.
fn nowhere_for_steps(split: &Split, routing: &Routing) -> Option<Problem> {
    let has_steps = split.header_routes().next().is_some() || split.mirror_routes().next().is_some();
    let others = routing.traffic.istio.is_some() || routing.traffic.nginx.is_some();
    if !has_steps || others || routes(routing).any(|named| named.takes_rules) {
        return None;
    }
    let first = routes(routing).next()?;
    let sentence = "a step routes by header or mirrors, and no route may take its rule; write useHeaderRoutes: true beside \
                    the name of an HTTPRoute or GRPCRoute";
    Some(Problem::new(&first.object, sentence))
}

fn edit(named: &Named, split: &Split, routing: &Routing, objects: &Objects) -> Result<Option<Edit>, Problem> {
    let name = &named.object;
    let route = require(objects, name, "gatewayAPI")?;
    let backends = Backends { routing, split: Some(split), route: name };
    let refuse = |sentence: String| Problem::new(name, sentence);
    let remembered = managed::remembered(route);
    let made = remembered.get(&managed::key(&backends)).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let bases: Vec<(usize, &Value)> =
        rules(route).filter(|(_, rule)| backends.divides(rule) && !managed::is_ours(rule, made, &backends)).collect();
    if bases.is_empty() {
        return Err(refuse(backends.lacks_both()));
    }
    let mut raised: Vec<&str> = split.additional().iter().map(|one| one.service.as_str()).collect();
    if split.canary() > 0 {
        raised.push(routing.canary_service());
    }
    if let Some(sentence) = grants::missing(name, &raised, routing, objects) {
        return Err(refuse(sentence));
    }
    let mut patch = Patch::of(route);
    let has_steps = split.header_routes().next().is_some() || split.mirror_routes().next().is_some();
    let rebuild = (named.takes_rules && has_steps)
        || !made.is_empty()
        || bases.iter().any(|(_, rule)| sticky::differs(rule, name.kind, split, routing));
    if rebuild {
        rebuild_rules(named, route, &bases, made, &backends, &mut patch).map_err(refuse)?;
    } else {
        for (index, rule) in &bases {
            let change = weigh::change(&backends.weighed(rule), split, UNWRITTEN)
                .map_err(|lack| refuse(backends.lack(*index, lack)))?;
            patch_weights(*index, rule, &change, &backends, &mut patch);
        }
    }
    if patch.is_empty() {
        return Ok(if split.is_idle() { ownership::release(name, route) } else { None });
    }
    Ok(Some(Edit {
        target: Target::of(name, route),
        action: Action::JsonPatch(patch.operations()),
        reason: format!("canary weight {} of {}", split.canary(), split.total()),
        event: Some((
            "UpdatedGatewayRoute",
            format!("{} `{}` set to desiredWeight '{}'", name.kind.as_str(), name.name, split.canary()),
        )),
        only_tidies_up: false,
    }))
}

fn rules(route: &Value) -> impl Iterator<Item = (usize, &Value)> {
    route["spec"]["rules"].as_array().into_iter().flatten().enumerate()
}

fn patch_weights(index: usize, rule: &Value, change: &weigh::Change, backends: &Backends<'_>, patch: &mut Patch) {
    if change.is_none() {
        return;
    }
    let path = format!("/spec/rules/{index}/backendRefs");
    if !change.changes_no_shape() {
        patch.read(&path, rule["backendRefs"].clone());
        patch.replace(&path, backends.changed(rule, change));
        return;
    }
    for (number, weight) in &change.set {
        let backend = &rule["backendRefs"][*number];
        patch.read(format_args!("{path}/{number}/name"), backend["name"].clone());
        patch.read(format_args!("{path}/{number}/weight"), backend["weight"].clone());
        patch.set(format_args!("{path}/{number}/weight"), *weight);
    }
}

/// The whole list of rules: those of others in their order, ours among them with their weights and, before each, the
/// ones that steps make.
fn rebuild_rules(
    named: &Named,
    route: &Value,
    bases: &[(usize, &Value)],
    made: &[Value],
    backends: &Backends<'_>,
    patch: &mut Patch,
) -> Result<(), String> {
    let Some(split) = backends.split else { return Ok(()) };
    let kind = named.object.kind;
    let mut steps: Vec<Value> = Vec::new();
    let mut all = Vec::new();
    for (index, rule) in rules(route) {
        if managed::is_ours(rule, made, backends) {
            continue;
        }
        let mut rule = rule.clone();
        if bases.iter().any(|(base, _)| *base == index) {
            let change =
                weigh::change(&backends.weighed(&rule), split, UNWRITTEN).map_err(|lack| backends.lack(index, lack))?;
            if !change.is_none() {
                rule["backendRefs"] = backends.changed(&rule, &change);
            }
            sticky::set(&mut rule, kind, split, backends.routing);
            let made = if named.takes_rules { managed::wanted(split, &rule, backends)? } else { Vec::new() };
            steps.extend(made.iter().map(|rule| rule["matches"].clone()));
            all.extend(made);
        }
        all.push(rule);
    }
    let mut remembered = managed::remembered(route);
    if steps.is_empty() {
        remembered.remove(&managed::key(backends));
    } else {
        remembered.insert(managed::key(backends), steps.into());
    }
    if route["spec"]["rules"].as_array() != Some(&all) {
        patch.read("/spec/rules", route["spec"]["rules"].clone());
        patch.replace("/spec/rules", all);
    }
    let text = (!remembered.is_empty()).then(|| Value::Object(remembered).to_string());
    patch.annotate(route, managed::ANNOTATION, text.as_deref());
    Ok(())
}

fn shares(name: &ObjectRef, routing: &Routing, objects: &Objects) -> Option<Vec<Share>> {
    let route = objects.there(name)?;
    let backends = Backends { routing, split: None, route: name };
    let remembered = managed::remembered(route);
    let made = remembered.get(&managed::key(&backends)).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ours = rules(route).filter(|(_, rule)| backends.divides(rule) && !managed::is_ours(rule, made, &backends));
    let verified = Some(status::is_verified(route));
    ours.map(|(index, rule)| {
        let raw = weigh::weights(&backends.weighed(rule), UNWRITTEN).ok()?;
        let weights = raw.of_total(routing.total());
        let (object, place) = (name.clone(), format!("spec.rules[{index}]"));
        Some(Share { object, place, weights, verified, written_at: written_at(route) })
    })
    .collect()
}
