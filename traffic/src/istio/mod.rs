//! Istio: the routes of VirtualServices, host level or subset level, and the subsets of a DestinationRule.

mod bases;
mod destinations;
mod host;
mod managed;
mod rule;
mod sticky;

use serde_json::Value;
use sluice_crds::rollout::router::IstioVirtualService;

use self::bases::Base;
use self::destinations::{Destinations, UNWRITTEN};
use crate::edit::{Action, Edit, Edits, Problem, Target, require};
use crate::objects::{Kind, Needs, ObjectRef, Objects};
use crate::observed::{Observed, Share, written_at};
use crate::ownership;
use crate::patch::Patch;
use crate::routing::Routing;
use crate::split::Split;
use crate::weigh;

pub(crate) fn needs(routing: &Routing, needs: &mut Needs) {
    needs.objects.extend(virtual_services(routing).map(|(object, _)| object));
    needs.objects.extend(rule::name(routing));
}

pub(crate) fn edits(split: &Split, routing: &Routing, objects: &Objects, found: &mut Edits) {
    // Subsets first: a VirtualService that sends to a subset without pods answers 503 (Argo #4775).
    match rule::edit(split, routing, objects) {
        Ok(edit) => found.edits.extend(edit),
        Err(problem) => {
            found.problems.push(problem);
            // Back to stable leads to subsets that were there before, if it is known which they are.
            if split.canary() > 0 || rule::subset_names(routing, objects).is_none() {
                return;
            }
        }
    }
    edit_virtual_services(split, routing, objects, found);
}

/// All traffic goes to stable, the routes that steps made go, and subsets select as the user wrote them.
pub(crate) fn give_back(routing: &Routing, objects: &Objects, found: &mut Edits) {
    edit_virtual_services(&Split::all_to_stable(routing.total()), routing, objects, found);
    found.edits.extend(rule::give_back(routing, objects));
}

pub(crate) fn observe(routing: &Routing, objects: &Objects, observed: &mut Observed) {
    observed.subsets = rule::observe(routing, objects);
    for (name, named) in virtual_services(routing) {
        match shares(&name, named, routing, objects) {
            Some(shares) => observed.shares.extend(shares),
            None => observed.unclear.push(name),
        }
    }
}

fn virtual_services(routing: &Routing) -> impl Iterator<Item = (ObjectRef, &IstioVirtualService)> {
    routing.virtual_services().map(|named| {
        let (name, namespace) = named.name.split_once('.').unwrap_or((&named.name, &routing.namespace));
        (ObjectRef::new(Kind::VirtualService, namespace, name), named)
    })
}

fn edit_virtual_services(split: &Split, routing: &Routing, objects: &Objects, found: &mut Edits) {
    for (name, named) in virtual_services(routing) {
        match edit(&name, named, split, routing, objects) {
            Ok(edit) => found.edits.extend(edit),
            Err(problem) => found.problems.push(problem),
        }
    }
}

fn edit(
    name: &ObjectRef,
    named: &IstioVirtualService,
    split: &Split,
    routing: &Routing,
    objects: &Objects,
) -> Result<Option<Edit>, Problem> {
    let service = require(objects, name, "istio.virtualService")?;
    let subsets = rule::subset_names(routing, objects);
    let destinations = Destinations { routing, namespace: &name.namespace, subsets };
    let refuse = |sentence: String| Problem::new(name, sentence);
    let bases = bases::of(named, service, &destinations).map_err(refuse)?;
    let mut patch = Patch::of(service);
    let rebuild = needs_other_routes(service, split, &destinations);
    for base in &bases {
        let route = base.route(service);
        let change = weigh::change(&destinations.weighed(route, Some(split)), split, UNWRITTEN)
            .map_err(|lack| refuse(destinations.lack(&base.place(), lack)))?;
        if !(rebuild && base.list == "http") {
            patch_weights(*base, route, &change, &destinations, &mut patch);
        }
    }
    if rebuild && bases.iter().any(|base| base.list == "http") {
        let wanted = rebuilt(service, &bases, split, &destinations).map_err(refuse)?;
        if wanted != service["spec"]["http"] {
            patch.read("/spec/http", service["spec"]["http"].clone());
            patch.replace("/spec/http", wanted);
        }
    }
    if patch.is_empty() {
        return Ok(if split.is_idle() { ownership::release(name, service) } else { None });
    }
    Ok(Some(Edit {
        target: Target::of(name, service),
        action: Action::JsonPatch(patch.operations()),
        reason: format!("canary weight {} of {}", split.canary(), split.total()),
        event: Some((
            "UpdatedVirtualService",
            format!("VirtualService `{}` set to desiredWeight '{}'", name.name, split.canary()),
        )),
        only_tidies_up: false,
    }))
}

/// Whether there are routes beside those that divide traffic, or are to be.
fn needs_other_routes(service: &Value, split: &Split, destinations: &Destinations<'_>) -> bool {
    let mut routes = service["spec"]["http"].as_array().into_iter().flatten();
    split.header_routes().next().is_some()
        || split.mirror_routes().next().is_some()
        || sticky::is_wanted(split, destinations)
        || routes.any(|route| {
            managed::has_managed_name(route, destinations)
                || sticky::is_ours(route, destinations)
                || sticky::has_cookie(route, destinations)
        })
}

fn patch_weights(
    base: Base,
    route: &Value,
    change: &weigh::Change,
    destinations: &Destinations<'_>,
    patch: &mut Patch,
) {
    if change.is_none() {
        return;
    }
    let path = format!("/spec/{}/{}/route", base.list, base.index);
    patch.read(&path, route["route"].clone());
    if change.changes_no_shape() {
        for (index, weight) in &change.set {
            patch.set(format_args!("{path}/{index}/weight"), *weight);
        }
    } else {
        patch.replace(&path, destinations.changed(route, change));
    }
}

/// The whole list of HTTP routes: those of steps first, then those of others in their order, ours among them with
/// their weights and, before each, the one of its sticky sessions.
fn rebuilt(service: &Value, bases: &[Base], split: &Split, destinations: &Destinations<'_>) -> Result<Value, String> {
    let sticky = sticky::is_wanted(split, destinations);
    let mut ours = Vec::new();
    let mut rest = Vec::new();
    for (index, route) in service["spec"]["http"].as_array().into_iter().flatten().enumerate() {
        let base = Base { list: "http", index };
        if bases.contains(&base) {
            let mut changed = route.clone();
            if let Ok(change) = weigh::change(&destinations.weighed(route, Some(split)), split, UNWRITTEN)
                && !change.is_none()
            {
                changed["route"] = destinations.changed(route, &change);
            }
            sticky::set_cookie(&mut changed, sticky, split, destinations)
                .map_err(|why| format!("{}: {why}", base.place()))?;
            rest.extend(sticky.then(|| sticky::route(route, split, destinations)).flatten());
            rest.push(changed.clone());
            ours.push(changed);
        } else if managed::has_managed_name(route, destinations) {
            if !managed::sends_to_us(route, destinations) {
                let name = route["name"].as_str().unwrap_or_default();
                return Err(format!(
                    "{} has the name {name} of trafficRouting.managedRoutes and sends elsewhere; give one of the two another name",
                    base.place()
                ));
            }
        } else if !sticky::is_ours(route, destinations) {
            rest.push(route.clone());
        }
    }
    let mut all = Vec::new();
    for made in managed::wanted(split, &ours, destinations) {
        // A route that mirrors divides traffic too, and stands before the sticky one of the route that it copies.
        all.extend(
            (sticky && managed::mirrors(&made, split)).then(|| sticky::route(&made, split, destinations)).flatten(),
        );
        all.push(made);
    }
    all.append(&mut rest);
    Ok(all.into())
}

fn shares(name: &ObjectRef, named: &IstioVirtualService, routing: &Routing, objects: &Objects) -> Option<Vec<Share>> {
    let service = objects.there(name)?;
    let subsets = rule::subset_names(routing, objects);
    if subsets.is_none() && rule::name(routing).is_some() {
        return None;
    }
    let destinations = Destinations { routing, namespace: &name.namespace, subsets };
    let bases = bases::of(named, service, &destinations).ok()?;
    // Which pods a subset has takes as long to reach all proxies as a weight does.
    let rule_written_at = rule::name(routing).and_then(|name| written_at(objects.there(&name)?));
    let written_at = written_at(service).max(rule_written_at);
    let share = |base: &Base| {
        let raw = weigh::weights(&destinations.weighed(base.route(service), None), UNWRITTEN).ok()?;
        let weights = raw.of_total(routing.total());
        Some(Share { object: name.clone(), place: base.place(), weights, verified: None, written_at })
    };
    bases.iter().map(share).collect()
}
