//! Scale-down deadlines: until when a revision keeps pods that nothing needs any more. They are written on its
//! ReplicaSet, where every controller of this kind looks for them.

use jiff::Timestamp;
use sluice_crds::unit::KeepPods;
use sluice_crds::values::seconds_time;

use crate::advance::Advanced;
use crate::names::SCALE_DOWN_DEADLINE;
use crate::observe::{Release, Strategy};
use crate::patch::Patch;
use crate::plan::Write;
use crate::revisions::{TextMap, annotations_of, replica_set_patch};
use crate::snapshot::ReplicaSet;
use crate::strategy::blue_green::{deadline, is_active};

/// The deadlines that begin or end now.
pub(crate) fn writes(release: &Release<'_>, advanced: &Advanced<'_>, now: Timestamp) -> Vec<Write> {
    let mut writes = Vec::new();
    if release.traffic.as_ref().is_some_and(|traffic| !traffic.is_known()) {
        // What still has traffic is not known, so nothing begins and nothing ends.
        return writes;
    }
    let keep = match release.strategy {
        Strategy::BlueGreen(blue_green) => Some((blue_green.scale_down_delay(), blue_green.abort_scale_down_delay())),
        Strategy::Canary(canary) if release.traffic.is_some() => {
            Some((canary.scale_down_delay(), canary.abort_scale_down_delay()))
        }
        Strategy::Canary(_) => None,
    };
    writes.extend(keep.and_then(|(old, aborted)| begin(release, old, aborted, advanced, now)));
    let in_use = release.other_stable().filter(|_| !advanced.promoted).into_iter();
    // The deadline of a revision that comes back says, until it is stable again, that it may do so at once.
    let new = release.new.filter(|new| !waits_after_abort(release, new) && !release.is_fast_rollback());
    writes.extend(in_use.chain(new).filter_map(end));
    writes
}

/// When the next of them is over.
pub(crate) fn next(release: &Release<'_>, now: Timestamp) -> Option<Timestamp> {
    let waiting = release.all().filter(|set| set.wanted > 0).filter_map(|set| set.scale_down_deadline);
    waiting.filter(|deadline| *deadline > now).min()
}

fn begin(
    release: &Release<'_>,
    old: KeepPods,
    aborted: KeepPods,
    advanced: &Advanced<'_>,
    now: Timestamp,
) -> Option<Write> {
    let stable = release.other_stable()?;
    if sabotaged!(ForgetsTheDelay) {
        return None;
    }
    if advanced.promoted {
        let at = deadline(old, now)?;
        return set(stable, at, "keeps its pods for a while, so that going back is instant");
    }
    let new = release.new.filter(|new| new.wanted > 0 && new.scale_down_deadline.is_none())?;
    let stable_serves = stable.available_to_stay() >= release.budgets.least_available(release.replicas);
    if !waits_after_abort(release, new) || !stable_serves {
        return None;
    }
    set(new, deadline(aborted, now)?, "is aborted, and keeps its pods for a while")
}

fn waits_after_abort(release: &Release<'_>, new: &ReplicaSet) -> bool {
    release.facts.aborted_at.is_some() && !release.is_fully_promoted() && !carries_traffic(release, new)
}

/// Whether the new revision still has the traffic, or a part of it.
fn carries_traffic(release: &Release<'_>, new: &ReplicaSet) -> bool {
    let routed = release.traffic.as_ref();
    is_active(release, new) || routed.is_some_and(|traffic| traffic.weights().1 > 0)
}

fn set(set: &ReplicaSet, at: Timestamp, why: &str) -> Option<Write> {
    let text = seconds_time(at);
    let there = set.meta.annotations.get(SCALE_DOWN_DEADLINE);
    if there == Some(text.as_str()) {
        return None;
    }
    let wanted = TextMap::from([(SCALE_DOWN_DEADLINE.to_owned(), text.clone())]);
    let patch = Patch::of(&set.meta.uid).annotate(annotations_of(set), &wanted);
    Some(replica_set_patch(set, patch, format!("ReplicaSet {} {why}, until {text}", set.meta.name)))
}

fn end(set: &ReplicaSet) -> Option<Write> {
    let patch = without_deadline(set, Patch::of(&set.meta.uid));
    (!patch.is_empty()).then(|| replica_set_patch(set, patch, format!("ReplicaSet {} is needed again", set.meta.name)))
}

/// The same patch, and the deadline goes too, if there is one.
pub(crate) fn without_deadline(set: &ReplicaSet, patch: Patch) -> Patch {
    match set.meta.annotations.get(SCALE_DOWN_DEADLINE) {
        Some(there) => patch.unannotate(SCALE_DOWN_DEADLINE, there),
        None => patch,
    }
}
