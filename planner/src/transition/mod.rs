//! The largest safe step from what is there towards what is wanted.
//!
//! Sizes are judged as if each write were the last one: raising counts every pod that is asked for, draining
//! counts only pods that are available now.

mod by_pods;
mod by_selector;
mod by_weight;

use crate::delays;
use crate::names::DESIRED_REPLICAS;
use crate::observe::{Release, Strategy};
use crate::patch::Patch;
use crate::plan::{Event, Write};
use crate::revisions::{TextMap, annotations_of, number, replica_set_patch};
use crate::snapshot::ReplicaSet;
use crate::strategy::Target;
use crate::traffic::Routed;

/// A size for a ReplicaSet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resize<'a> {
    pub(crate) set: &'a ReplicaSet,
    pub(crate) to: i32,
}

/// The sizes that can be written now, in this order: what grows, then what shrinks.
pub(crate) fn resizes<'a>(release: &Release<'a>, target: Target, routed: &Routed) -> Vec<Resize<'a>> {
    match (release.strategy, &release.traffic) {
        (Strategy::Canary(_), Some(traffic)) => by_weight::resizes(release, traffic, routed, target),
        (Strategy::Canary(_), None) => by_pods::resizes(release, target),
        (Strategy::BlueGreen(_), _) => by_selector::resizes(release, target),
    }
}

/// What is wanted, or what stays for now because its share of the traffic has not been given away yet.
pub(crate) fn staying(release: &Release<'_>, target: Target, routed: &Routed) -> Target {
    if release.traffic.is_none() {
        return target;
    }
    let resizes = resizes(release, target, routed);
    let stays = |set: Option<&ReplicaSet>, wanted: i32| {
        let Some(set) = set.filter(|set| set.wanted > wanted) else { return wanted };
        let resize = resizes.iter().find(|resize| resize.set.meta.uid == set.meta.uid);
        resize.map_or(set.wanted, |resize| resize.to)
    };
    let new = stays(release.new, target.new);
    Target { new, stable: stays(release.other_stable(), target.stable), ..target }
}

/// The writes of these sizes, and of what they were made for where only that changed.
pub(crate) fn writes(release: &Release<'_>, resizes: &[Resize<'_>]) -> Vec<Write> {
    let mut writes: Vec<Write> = resizes.iter().map(|resize| resized(release, *resize)).collect();
    let unsized_sets = release.other_stable().into_iter().chain(release.new);
    for set in unsized_sets.filter(|set| resizes.iter().all(|resize| resize.set.meta.uid != set.meta.uid)) {
        let wanted = made_for(release.replicas);
        if set.wanted > 0
            && set.meta.annotations.get(DESIRED_REPLICAS) != wanted.get(DESIRED_REPLICAS).map(String::as_str)
        {
            let patch = Patch::of(&set.meta.uid).annotate(annotations_of(set), &wanted);
            writes.push(replica_set_patch(set, patch, format!("the Rollout asks for {} pods", release.replicas)));
        }
    }
    writes
}

fn resized(release: &Release<'_>, Resize { set, to }: Resize<'_>) -> Write {
    let is_new = release.new.is_some_and(|new| new.meta.uid == set.meta.uid);
    resize_write(set, to, if is_new { release.revision } else { number(set) }, release.replicas)
}

fn made_for(replicas: i32) -> TextMap {
    TextMap::from([(DESIRED_REPLICAS.to_owned(), replicas.to_string())])
}

/// The write of a size, of a revision of this number, made for so many pods in all.
pub(crate) fn resize_write(set: &ReplicaSet, to: i32, revision: i64, replicas: i32) -> Write {
    let (name, from) = (&set.meta.name, set.wanted);
    let way = if to > from { "up" } else { "down" };
    let patch = Patch::of(&set.meta.uid)
        .read("/spec/replicas", from)
        // The number alone may be the same again when a write arrives late, after other decisions.
        .read("/metadata/generation", set.meta.generation)
        .set("/spec/replicas", to)
        .annotate(annotations_of(set), &made_for(replicas));
    let patch = if to == 0 { delays::without_deadline(set, patch) } else { patch };
    let sentence = format!("Scaled {way} ReplicaSet {name} (revision {revision}) from {from} to {to}");
    let mut write = replica_set_patch(set, patch, format!("revision {revision} goes from {from} to {to} pods"));
    write.events.push(Event::normal("ScalingReplicaSet", sentence));
    write
}
