//! What is told of traffic that routers divide.

use std::collections::BTreeMap;

use sluice_crds::rollout::status::{RolloutStatus, TrafficWeights, WeightDestination};
use sluice_traffic::Problem;

use crate::advance::Advanced;
use crate::observe::Release;
use crate::plan::Event;
use crate::snapshot::ReplicaSet;
use crate::strategy::target_at;
use crate::traffic::{Routed, Side, Traffic, to_remember};

/// Share of the new revision in percent, as it is and as it is wanted.
pub(super) fn shares(release: &Release<'_>, traffic: &Traffic<'_>, advanced: &Advanced<'_>) -> (i64, i32) {
    let total = traffic.total().max(1);
    let percent = |weight: i32| i64::from(weight) * 100 / i64::from(total);
    let Some(new) = release.new.filter(|_| release.other_stable().is_some()) else {
        let serves = release.new.is_some_and(|new| new.ready > 0);
        return (if serves { 100 } else { 0 }, 100);
    };
    if !traffic.is_known() {
        // What was seen last, until it is seen again.
        let before = release.stored.canary.as_ref().and_then(|canary| canary.weights.as_ref());
        let wanted = percent(target_at(release, advanced.facts.step).weight);
        return (percent(before.map_or(0, canary_weight)), i32::try_from(wanted).unwrap_or(100));
    }
    let weight = weight(release, traffic);
    let of_canary = if traffic.leads_to(Side::Canary, new) { weight } else { 0 };
    let of_stable = if traffic.leads_to(Side::Stable, new) { total - weight } else { 0 };
    let wanted = percent(target_at(release, advanced.facts.step).weight);
    (percent(of_canary + of_stable), i32::try_from(wanted).unwrap_or(100))
}

/// The weight of the canary destination where routers differ: the one that has yet to move.
fn weight(release: &Release<'_>, traffic: &Traffic<'_>) -> i32 {
    let (least, most) = traffic.weights();
    let goes_up = release.facts.aborted_at.is_none() && release.other_stable().is_some();
    if goes_up { least } else { most }
}

/// The weights as the routers have them; `None` where that is not known.
pub(super) fn weights(release: &Release<'_>, routed: &Routed) -> Option<TrafficWeights> {
    let traffic = release.traffic.as_ref().filter(|traffic| traffic.is_known())?;
    let weight = weight(release, traffic);
    let leads = |side| release.all().find(|set| traffic.leads_to(side, set));
    let to = |weight: i32, service: Option<&String>, set: Option<&ReplicaSet>| WeightDestination {
        weight: Some(weight),
        service_name: service.cloned(),
        pod_template_hash: set.map(|set| set.hash().into()),
    };
    let routing = traffic.routing;
    let there = traffic.additional();
    let of_experiments: i32 = there.values().sum();
    let additional: Vec<WeightDestination> =
        there.iter().map(|(service, weight)| to(*weight, Some(service), behind(release, service))).collect();
    Some(TrafficWeights {
        canary: Some(to(weight, routing.canary_service.as_ref(), leads(Side::Canary))),
        stable: Some(to(
            traffic.total() - weight - of_experiments,
            routing.stable_service.as_ref(),
            leads(Side::Stable),
        )),
        additional: (!additional.is_empty()).then_some(additional),
        verified: traffic.verified(),
        objects: to_remember(traffic, routed),
    })
}

/// The pods of an Experiment behind its Service.
fn behind<'a>(release: &Release<'a>, service: &str) -> Option<&'a ReplicaSet> {
    let experiments = release.snapshot.experiments.iter().filter_map(|one| one.status.as_ref());
    let mut versions = experiments.flat_map(|status| status.template_statuses.iter().flatten());
    let version = versions.find(|version| version.service_name.as_deref() == Some(service))?;
    let hash = version.pod_template_hash.as_ref()?;
    release.snapshot.replica_sets.iter().map(|set| &**set).find(|set| set.hash() == hash.as_str())
}

/// Whether the weights are others than those that the stored status has.
pub(super) fn has_moved(release: &Release<'_>) -> bool {
    let stored = release.stored.canary.as_ref().and_then(|before| before.weights.as_ref()).map(canary_weight);
    let traffic = release.traffic.as_ref().filter(|traffic| traffic.is_known());
    traffic.is_some_and(|traffic| Some(weight(release, traffic)) != stored)
}

fn canary_weight(weights: &TrafficWeights) -> i32 {
    weights.canary.as_ref().and_then(|canary| canary.weight).unwrap_or(0)
}

/// An autoscaler measures the stable revision: the new one has a size of its own.
pub(super) fn autoscaled(release: &Release<'_>) -> Option<i32> {
    release.traffic.as_ref()?;
    Some(release.other_stable().or(release.new)?.replicas)
}

/// The events of a pass.
pub(super) fn told(release: &Release<'_>, status: &RolloutStatus, routed: &Routed) -> Vec<Event> {
    let mut events = Vec::new();
    let weight_of = |status: &RolloutStatus| status.canary.as_ref()?.weights.as_ref().map(canary_weight);
    let (before, now) = (weight_of(release.stored), weight_of(status));
    if let (before, Some(now)) = (before.unwrap_or(0), now)
        && before != now
    {
        events.push(Event::normal("TrafficWeightUpdated", format!("Traffic weight updated from {before} to {now}")));
    }
    let (before, now) = (additional(release.stored), additional(status));
    for service in before.keys().chain(now.keys().filter(|service| !before.contains_key(*service))) {
        let [from, to] = [&before, &now].map(|weights| weights.get(service).copied().unwrap_or(0));
        if from != to {
            let sentence = format!("Traffic weight of Service {service} updated from {from} to {to}");
            events.push(Event::normal("TrafficWeightUpdated", sentence));
        }
    }
    let stored = release.stored.conditions.iter().flatten().find(|condition| condition.kind == "InvalidSpec");
    let said = stored.and_then(|condition| condition.message.as_deref()).unwrap_or_default();
    let news = problems(release, routed).filter(|problem| !said.contains(&problem.sentence));
    events.extend(news.map(|problem| Event::warning(problem.reason, problem.sentence.clone())));
    events
}

/// What a status says of the Services of Experiments.
fn additional(status: &RolloutStatus) -> BTreeMap<String, i32> {
    let weights = status.canary.as_ref().and_then(|canary| canary.weights.as_ref());
    let additional = weights.iter().flat_map(|weights| weights.additional.iter().flatten());
    additional.filter_map(|one| Some((one.service_name.clone()?, one.weight?))).collect()
}

/// What keeps routing objects from being edited, but that nobody has looked for them yet.
fn problems<'r>(release: &Release<'_>, routed: &'r Routed) -> impl Iterator<Item = &'r Problem> {
    let is_unread = |problem: &Problem| {
        let traffic = release.traffic.as_ref();
        traffic.is_some_and(|traffic| traffic.is_unread(&problem.object))
    };
    routed.problems().iter().filter(move |problem| !is_unread(problem))
}

/// What is said of routing objects that can't be edited, all of them at once.
pub(crate) fn invalid(release: &Release<'_>, routed: &Routed) -> Option<String> {
    let wrong: Vec<&str> = problems(release, routed).map(|problem| problem.sentence.as_str()).collect();
    (!wrong.is_empty()).then(|| {
        let list = wrong.join("\nspec.strategy.canary.trafficRouting: ");
        format!("The Rollout \"{}\" is invalid: spec.strategy.canary.trafficRouting: {list}", release.name())
    })
}
