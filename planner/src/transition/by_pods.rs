//! Where the share of traffic is the share of pods: new pods within the surge, old pods only as far as others are
//! available in their place.

use std::collections::BTreeMap;

use super::Resize;
use crate::observe::Release;
use crate::snapshot::ReplicaSet;
use crate::strategy::{Target, pods_of_other};

/// In this order: stable up, new up, then down: others, stable or new.
pub(super) fn resizes<'a>(release: &Release<'a>, target: Target) -> Vec<Resize<'a>> {
    let mut sizes: BTreeMap<&str, i32> = release.all().map(|set| (set.meta.uid.as_str(), set.wanted)).collect();
    let stable = release.other_stable().map(|set| (set, target.stable));
    let new = release.new.map(|set| (set, target.new));
    let both = [stable, new].into_iter().flatten();
    // A restart may want one pod more than the surge allows: it has no other way to take no pod away first.
    let in_all = both.fold(0_i32, |sum, (_, wanted)| sum.saturating_add(wanted));
    let most = release.replicas.saturating_add(release.budgets.surge).max(in_all);
    let most = most + i32::from(sabotaged!(ExceedsSurge));
    let mut resizes = Vec::new();
    for (set, wanted) in [stable, new].into_iter().flatten() {
        let asked_for = sizes.values().fold(0_i32, |sum, size| sum.saturating_add(*size));
        let room = most.saturating_sub(asked_for).max(0);
        let to = wanted.min(set.wanted.saturating_add(room));
        if to > set.wanted {
            sizes.insert(&set.meta.uid, to);
            resizes.push(Resize { set, to });
        }
    }
    let others = release.others.iter().map(|set| (*set, pods_of_other(release, set)));
    for (set, wanted) in others.chain(stable).chain(new).filter(|(set, wanted)| *wanted < set.wanted) {
        let to = wanted.max(least(release, set, &sizes)).min(set.wanted);
        if to < set.wanted {
            sizes.insert(&set.meta.uid, to);
            resizes.push(Resize { set, to });
        }
    }
    resizes
}

/// How many pods a ReplicaSet must keep. Pods that are not ready are free to go (a ReplicaSet removes those
/// first), so that crashing ones never stand in the way; a ready one stays until others are available for it.
fn least(release: &Release<'_>, set: &ReplicaSet, sizes: &BTreeMap<&str, i32>) -> i32 {
    if sabotaged!(DrainsUncovered) {
        return 0;
    }
    let elsewhere = release.all().filter(|other| other.meta.uid != set.meta.uid).fold(0_i32, |sum, other| {
        let size = sizes.get(other.meta.uid.as_str()).copied().unwrap_or(0);
        sum.saturating_add(other.available_to_stay().min(size))
    });
    let ready = set.ready.min(set.wanted);
    let needed = release.budgets.least_available(release.replicas).saturating_sub(elsewhere).max(0);
    let behind_service = i32::from(must_serve(release, set));
    needed.max(behind_service).min(ready)
}

/// A Service that selects this revision must not be left without a pod: its selector moves first. With room for
/// one pod only there is no other way.
fn must_serve(release: &Release<'_>, set: &ReplicaSet) -> bool {
    release.replicas.saturating_add(release.budgets.surge) > 1 && release.replicas > 0 && release.is_selected(set)
}
