//! The active and the preview Service.

use crate::advance::{Advanced, needed};
use crate::observe::Release;
use crate::snapshot::{ReplicaSet, Service};
use crate::strategy::blue_green::is_active;

/// Each Service that may move now, and where to.
pub(super) fn moves<'a>(release: &Release<'a>, advanced: &Advanced<'_>) -> Vec<(&'a Service, &'a ReplicaSet)> {
    let preview = release.services.preview.and_then(|service| Some((service, previewed(release, service)?)));
    let active =
        release.services.active.and_then(|service| Some((service, active_revision(release, service, advanced)?)));
    [preview, active].into_iter().flatten().collect()
}

/// The revision that is to carry all traffic, if it can.
fn active_revision<'a>(release: &Release<'a>, active: &Service, advanced: &Advanced<'_>) -> Option<&'a ReplicaSet> {
    let new = release.new?;
    let Some(stable) = release.other_stable() else {
        // A first revision is promoted before it is selected.
        return Some(new).filter(|new| release.is_fully_promoted() && can_take_over(release, active, new));
    };
    if advanced.may_switch {
        return Some(new);
    }
    let goes_back = release.facts.aborted_at.is_some() || behind(release, active).is_none_or(|set| set.ready == 0);
    Some(stable).filter(|stable| goes_back && can_take_over(release, active, stable))
}

/// Whether traffic is at least as well served there as where it is now.
fn can_take_over(release: &Release<'_>, active: &Service, set: &ReplicaSet) -> bool {
    let there = behind(release, active).map_or(0, ReplicaSet::available_to_stay).max(1);
    let enough = needed(release, release.replicas).min(release.budgets.least_available(release.replicas));
    is_active(release, set) || set.available_to_stay() >= enough.max(1).min(there)
}

/// The preview follows the new revision once a pod of it is ready. It doesn't wait where nothing is lost, or where
/// the pods become ready only when they are selected.
fn previewed<'a>(release: &Release<'a>, preview: &Service) -> Option<&'a ReplicaSet> {
    let new = release.new?;
    let serves_now = match preview.hash() {
        Some(_) => behind(release, preview).is_some_and(|set| set.ready > 0),
        None => release.all().any(|set| set.ready > 0),
    };
    let waits_for_selection = || release.rollout.template().is_some_and(|template| has_readiness_gates(&template));
    (new.ready > 0 || !serves_now || waits_for_selection()).then_some(new)
}

fn has_readiness_gates(template: &sluice_crds::template::PodTemplate) -> bool {
    template.as_json()["spec"]["readinessGates"].as_array().is_some_and(|gates| !gates.is_empty())
}

/// The revision that a Service selects now.
fn behind<'a>(release: &Release<'a>, service: &Service) -> Option<&'a ReplicaSet> {
    release.all().find(|set| service.hash() == Some(set.hash()))
}
