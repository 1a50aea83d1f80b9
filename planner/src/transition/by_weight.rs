//! Where routers divide the traffic: pods first, then traffic, then away with the pods that have none any more.

use sluice_crds::values::Rounding;

use super::Resize;
use crate::observe::{Release, Strategy};
use crate::snapshot::ReplicaSet;
use crate::strategy::routed::pods_for;
use crate::strategy::{Target, pods_of_other};
use crate::traffic::{Routed, Side, Traffic};

/// In this order: what grows, then what shrinks.
pub(super) fn resizes<'a>(
    release: &Release<'a>,
    traffic: &Traffic<'_>,
    routed: &Routed,
    target: Target,
) -> Vec<Resize<'a>> {
    let (least, most) = traffic.weights();
    let stable = release.other_stable().map(|set| {
        let share = target.total - least;
        let is_whole = target.stable >= release.replicas;
        let needs =
            if is_whole { target.stable } else { target.stable.max(pods_for(release.replicas, share, target.total)) };
        (set, kept(release, traffic, routed, set, needs.max(target.stable)))
    });
    let new = release.new.map(|set| {
        let gives_away = most > target.weight && release.other_stable().is_some();
        let needs = if gives_away { pods_for(release.replicas, most, target.total).min(set.wanted) } else { 0 };
        (set, kept(release, traffic, routed, set, target.new.max(needs)))
    });
    let others =
        release.others.iter().map(|set| (*set, kept(release, traffic, routed, set, pods_of_other(release, set))));
    let wanted: Vec<_> = stable.into_iter().chain(new).chain(others).collect();
    let up = wanted.iter().filter(|(set, to)| *to > set.wanted).map(|(set, to)| (*set, batch(release, set, *to)));
    let up = up.filter(|(set, to)| *to > set.wanted);
    let down = wanted.iter().filter(|(set, to)| *to < set.wanted).map(|(set, to)| (*set, *to));
    up.chain(down).map(|(set, to)| Resize { set, to }).collect()
}

/// A surge that the user has set is how many pods of a new revision may be on their way at once.
fn batch(release: &Release<'_>, set: &ReplicaSet, to: i32) -> i32 {
    let Strategy::Canary(canary) = release.strategy else { return to };
    let is_new = release.other_stable().is_some() && release.new.is_some_and(|new| new.meta.uid == set.meta.uid);
    let Some(surge) = canary.max_surge.as_ref().filter(|_| is_new) else { return to };
    let at_once = surge.resolve_bare_as_percent(release.replicas, Rounding::Up).unwrap_or(1).max(1);
    to.min(set.available_to_stay().saturating_add(at_once)).max(set.wanted)
}

/// The pods that a revision keeps although fewer are wanted: all that are ready, as long as traffic may still reach
/// them. A Rollout that asks for fewer pods in all asks for fewer of each.
fn kept(release: &Release<'_>, traffic: &Traffic<'_>, routed: &Routed, set: &ReplicaSet, wanted: i32) -> i32 {
    let most = set.wanted.min(release.replicas);
    if wanted >= most || sabotaged!(DrainsTooEarly) {
        return wanted;
    }
    let reached =
        [Side::Stable, Side::Canary].into_iter().any(|side| carries(traffic, side) && traffic.may_lead_to(side, set));
    let is_selected = wanted == 0 && release.replicas > 0 && is_repointed_first(release, traffic, set);
    let may_go = routed.is_settled && !is_selected && (wanted > 0 || !reached);
    if may_go { wanted } else { wanted.max(set.ready.min(most)) }
}

fn carries(traffic: &Traffic<'_>, side: Side) -> bool {
    let (least, most) = traffic.weights();
    match side {
        Side::Stable => least < traffic.total(),
        Side::Canary => most > 0,
    }
}

/// A Service or subset that still selects this revision moves first, if there is another one with pods to move to.
fn is_repointed_first(release: &Release<'_>, traffic: &Traffic<'_>, set: &ReplicaSet) -> bool {
    let selected = [Side::Stable, Side::Canary].into_iter().any(|side| traffic.leads_to(side, set));
    let mut others = release.all().filter(|other| other.meta.uid != set.meta.uid);
    selected && others.any(|other| other.available_to_stay() > 0)
}
