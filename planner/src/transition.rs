//! The largest safe step from what is there towards what is wanted: new pods within the surge, old pods only as
//! far as others are available in their place.
//!
//! Sizes are judged as if each write were the last one: raising counts every pod that is asked for, draining
//! counts only pods that are available now.

use std::collections::BTreeMap;

use crate::names::DESIRED_REPLICAS;
use crate::observe::Release;
use crate::patch::Patch;
use crate::plan::{Event, Write};
use crate::revisions::{TextMap, annotations_of, number, replica_set_patch};
use crate::snapshot::ReplicaSet;
use crate::strategy::canary::Target;

/// A size for a ReplicaSet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resize<'a> {
    pub(crate) set: &'a ReplicaSet,
    pub(crate) to: i32,
}

/// The sizes that can be written now, in this order: stable up, new up, then down: others, stable or new.
pub(crate) fn resizes<'a>(release: &Release<'a>, target: Target) -> Vec<Resize<'a>> {
    let mut sizes: BTreeMap<&str, i32> = release.all().map(|set| (set.meta.uid.as_str(), set.wanted)).collect();
    let stable = release.other_stable().map(|set| (set, target.stable));
    let new = release.new.map(|set| (set, target.new));
    let mut resizes = Vec::new();
    for (set, wanted) in [stable, new].into_iter().flatten() {
        let asked_for = sizes.values().fold(0_i32, |sum, size| sum.saturating_add(*size));
        let room = release.replicas.saturating_add(release.budgets.surge).saturating_sub(asked_for).max(0);
        let to = wanted.min(set.wanted.saturating_add(room));
        if to > set.wanted {
            sizes.insert(&set.meta.uid, to);
            resizes.push(Resize { set, to });
        }
    }
    let others = release.others.iter().map(|set| (*set, 0));
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

/// The writes of these sizes, and of what they were made for where only that changed.
pub(crate) fn writes(release: &Release<'_>, resizes: &[Resize<'_>]) -> Vec<Write> {
    let mut writes: Vec<Write> = resizes.iter().map(|resize| resize_write(release, *resize)).collect();
    let unsized_sets = release.other_stable().into_iter().chain(release.new);
    for set in unsized_sets.filter(|set| resizes.iter().all(|resize| resize.set.meta.uid != set.meta.uid)) {
        let wanted = made_for(release);
        if set.wanted > 0 && set.meta.annotations.get(DESIRED_REPLICAS) != wanted.get(DESIRED_REPLICAS) {
            let patch = Patch::of(&set.meta.uid).annotate(annotations_of(set), &wanted);
            writes.push(replica_set_patch(set, patch, format!("the Rollout asks for {} pods", release.replicas)));
        }
    }
    writes
}

fn made_for(release: &Release<'_>) -> TextMap {
    TextMap::from([(DESIRED_REPLICAS.to_owned(), release.replicas.to_string())])
}

fn resize_write(release: &Release<'_>, resize: Resize<'_>) -> Write {
    let Resize { set, to } = resize;
    let (name, from, revision) = (&set.meta.name, set.wanted, number(set));
    let revision =
        if release.new.is_some_and(|new| new.meta.uid == set.meta.uid) { release.revision } else { revision };
    let way = if to > from { "up" } else { "down" };
    let patch = Patch::of(&set.meta.uid)
        .read("/spec/replicas", from)
        // The number alone may be the same again when a write arrives late, after other decisions.
        .read("/metadata/generation", set.meta.generation)
        .set("/spec/replicas", to)
        .annotate(annotations_of(set), &made_for(release));
    let sentence = format!("Scaled {way} ReplicaSet {name} (revision {revision}) from {from} to {to}");
    let mut write = replica_set_patch(set, patch, format!("revision {revision} goes from {from} to {to} pods"));
    write.events.push(Event::normal("ScalingReplicaSet", sentence));
    write
}
