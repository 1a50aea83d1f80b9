//! Which revision each Service selects. This is the only place that decides it, so no selector flaps.

use serde_json::Value;
use sluice_crds::template::HASH_LABEL;

use crate::names::MANAGED_BY;
use crate::observe::Release;
use crate::patch::{Patch, escaped};
use crate::plan::{Action, Event, Kind, Target as Object, Write};
use crate::revisions::TextMap;
use crate::snapshot::{ReplicaSet, Service};
use crate::strategy::canary::Target;

/// The selectors that can be moved now.
pub(crate) fn writes(release: &Release<'_>, target: Target) -> Vec<Write> {
    let stable = release.services.stable.and_then(|service| Some((service, stable_revision(release, target)?)));
    let canary = release.services.canary.and_then(|service| Some((service, canary_revision(release, service)?)));
    let moves = [stable, canary].into_iter().flatten();
    moves
        .filter(|(service, set)| has_pods_for(service, set))
        .filter_map(|(service, set)| point(release, service, set))
        .collect()
}

/// The stable Service follows the stable revision; before there is one, the first. Where all traffic is to go to
/// the new revision it moves as soon as enough pods are there, so that it is never left without any.
fn stable_revision<'a>(release: &Release<'a>, target: Target) -> Option<&'a ReplicaSet> {
    let Some(stable) = release.other_stable() else { return release.new };
    let enough = release.budgets.least_available(release.replicas).max(1);
    let new_serves = release.new.filter(|new| target.is_all() && new.available_to_stay() >= enough);
    Some(new_serves.unwrap_or(stable))
}

/// The canary Service follows the new revision, and goes back to stable when the release is aborted. While the
/// new revision has no pods, a revision that is neither of them is left for stable, so that it can go.
fn canary_revision<'a>(release: &Release<'a>, service: &Service) -> Option<&'a ReplicaSet> {
    let Some(stable) = release.other_stable() else { return release.new };
    if release.facts.aborted_at.is_some() {
        return Some(stable);
    }
    let new_serves = release.new.filter(|new| new.available_to_stay() > 0);
    let points_at_another = release.others.iter().any(|other| service.hash() == Some(other.hash()));
    new_serves.or_else(|| points_at_another.then_some(stable))
}

/// A Service that others looked after until now carries traffic, so it moves only to a complete revision.
fn has_pods_for(service: &Service, set: &ReplicaSet) -> bool {
    let available = set.available_to_stay();
    let is_ours = service.meta.annotations.contains_key(MANAGED_BY);
    available > 0 && (is_ours || available >= set.wanted)
}

fn point(release: &Release<'_>, service: &Service, set: &ReplicaSet) -> Option<Write> {
    let (from, to) = (service.hash(), set.hash());
    let owner = TextMap::from([(MANAGED_BY.to_owned(), release.name().to_owned())]);
    let is_ours = service.meta.annotations.contains_key(MANAGED_BY);
    if from == Some(to) && is_ours {
        return None;
    }
    let path = format!("/spec/selector/{}", escaped(HASH_LABEL));
    let mut patch = Patch::of(&service.meta.uid);
    if from != Some(to) {
        patch = if service.selector.is_empty() {
            let selector = TextMap::from([(HASH_LABEL.to_owned(), to.to_owned())]);
            patch.read("/spec/selector", Value::Null).set("/spec/selector", serde_json::json!(selector))
        } else {
            patch.read(&path, from.map_or(Value::Null, Value::from)).set(&path, to)
        };
    }
    if !is_ours {
        patch = patch.annotate(service.meta.has_annotations.then_some(&service.meta.annotations), &owner);
    }
    let name = &service.meta.name;
    let sentence = format!("Switched selector of service '{name}' from '{}' to '{to}'", from.unwrap_or_default());
    let events = if from == Some(to) { Vec::new() } else { vec![Event::normal("SwitchService", sentence)] };
    Some(Write {
        target: Object { kind: Kind::Service, namespace: service.meta.namespace.clone(), name: name.clone() },
        action: Action::Patch(patch.operations()),
        reason: format!("{to} has {} pods available for service {name}", set.available_to_stay()),
        events,
    })
}
