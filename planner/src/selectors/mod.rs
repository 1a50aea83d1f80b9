//! Which revision each Service selects. This is the only place that decides it, so no selector flaps.

mod blue_green;
mod canary;
mod given_back;
mod routed;

pub(crate) use given_back::{for_good as given_back_for_good, writes as given_back};
use serde_json::Value;
use sluice_crds::template::HASH_LABEL;

use crate::advance::Advanced;
use crate::names::MANAGED_BY;
use crate::observe::{Release, Strategy};
use crate::patch::{Patch, escaped};
use crate::plan::{Action, Event, Kind, Target as Object, Write};
use crate::revisions::TextMap;
use crate::snapshot::{ReplicaSet, Service};
use crate::strategy::Target;

/// The selectors that can be moved now.
pub(crate) fn writes(release: &Release<'_>, target: Target, advanced: &Advanced<'_>) -> Vec<Write> {
    let moves = match (release.strategy, &release.traffic) {
        (Strategy::Canary(_), Some(traffic)) => routed::moves(release, traffic),
        (Strategy::Canary(_), None) => canary::moves(release, target),
        (Strategy::BlueGreen(_), _) => blue_green::moves(release, advanced),
    };
    let is_elsewhere = |service: &Service, set: &ReplicaSet| service.hash() != Some(set.hash()) && set.ready > 0;
    let flapped = |(service, set)| {
        let another = release.all().find(|set| sabotaged!(FlapsASelector) && is_elsewhere(service, set));
        (service, another.unwrap_or(set))
    };
    let moves: Vec<(&Service, &ReplicaSet)> = moves.into_iter().map(flapped).collect();
    let forgotten = usize::from(sabotaged!(ForgetsASelector));
    moves.into_iter().skip(forgotten).filter_map(|(service, set)| point(release, service, set)).collect()
}

fn point(release: &Release<'_>, service: &Service, set: &ReplicaSet) -> Option<Write> {
    let (from, to) = (service.hash(), set.hash());
    if service.managed_by().is_some_and(|owner| owner != release.name()) {
        return None;
    }
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
