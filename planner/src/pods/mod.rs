//! What happens to the pods of a revision without a new revision: a restart, labels and annotations that they carry
//! for as long as the revision has its role, and nodes that they keep off.

pub(crate) mod affinity;
pub(crate) mod ephemeral;
pub(crate) mod mistakes;
pub(crate) mod restart;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::observe::Release;
use crate::plan::{Action, Kind, Plan, Target, Write};
use crate::snapshot::{Pod, ReplicaSet};

/// So many pods are touched in one pass at the most, so that a Rollout of hundreds leaves room for the others. The
/// echo of these writes begins the next pass.
const MOST_PODS_AT_ONCE: usize = 20;

/// A disruption budget or a webhook that says no is asked again after so long.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// The pods of a ReplicaSet, those on their way out left out.
fn living<'a>(release: &Release<'a>, set: &ReplicaSet) -> Vec<&'a Pod> {
    let pods = release.pods.iter().map(|pod| &**pod);
    pods.filter(|pod| pod.meta.controller.as_ref() == Some(&set.meta.uid) && !pod.meta.deleting).collect()
}

/// The ReplicaSets whose templates and pods follow a role: new, stable, and older ones that have pods to keep.
pub(crate) fn with_role<'a>(release: &Release<'a>) -> Vec<&'a ReplicaSet> {
    let others = release.others.iter().copied().filter(|set| set.wanted > 0);
    release.other_stable().into_iter().chain(release.new).chain(others).collect()
}

/// Whether the counts of every ReplicaSet have seen the pods that are on their way out. Until then these pods are
/// counted as if they stayed, and nothing may be taken away on the strength of that.
pub(crate) fn are_counted(release: &Release<'_>) -> bool {
    let deleting = release.pods.iter().filter(|pod| pod.meta.deleting);
    let losers: BTreeSet<&str> = deleting.filter_map(|pod| pod.meta.controller.as_deref()).collect();
    let mut losing = release.all().filter(|set| losers.contains(set.meta.uid.as_str()));
    losing.all(|set| usize::try_from(set.replicas).is_ok_and(|counted| counted <= living(release, set).len()))
}

/// When a pod that may not be touched now is tried again.
pub(crate) fn asks_again(plan: &Plan, now: Timestamp) -> Option<Timestamp> {
    let may_be_refused = plan.writes.iter().any(|write| write.target.kind == Kind::Pod);
    may_be_refused.then(|| now.checked_add(ASK_AGAIN).ok()).flatten()
}

fn write_of(pod: &Pod, action: Action, reason: String) -> Write {
    let (namespace, name) = (pod.meta.namespace.clone(), pod.meta.name.clone());
    Write { target: Target { kind: Kind::Pod, namespace, name }, action, reason, events: Vec::new() }
}
