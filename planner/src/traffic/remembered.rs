//! Routing objects that would lead traffic to the new revision, remembered in the status: the spec is all that names
//! them, and somebody may take one out of it in mid-release. Then it can't be told anything, so its share stays, and
//! so do the pods behind it.

use std::collections::BTreeSet;

use sluice_crds::Rollout;
use sluice_traffic::ObjectRef;

use super::Traffic;
use super::finalizer::holds_traces;
use super::routed::Routed;
use crate::read_rollout::ReadRollout;
use crate::snapshot::Snapshot;

/// What the stored status remembers.
pub(crate) fn remembered(rollout: &Rollout) -> impl Iterator<Item = ObjectRef> {
    let canary = rollout.status.as_ref().and_then(|status| status.canary.as_ref());
    let objects = canary.and_then(|canary| canary.weights.as_ref()).and_then(|weights| weights.objects.as_deref());
    objects.unwrap_or_default().iter().filter_map(|object| ObjectRef::parse(object))
}

/// Remembered objects that the spec names no more. One that is gone from the cluster leads nowhere.
pub(crate) fn taken_out(snapshot: &Snapshot) -> Vec<ObjectRef> {
    let named = named(&snapshot.rollout);
    let is_missed = |object: &ObjectRef| !named.contains(object) && !snapshot.routing.is_gone(object);
    remembered(&snapshot.rollout).filter(is_missed).collect()
}

fn named(rollout: &ReadRollout) -> BTreeSet<ObjectRef> {
    rollout.routing().map(|routing| routing.needs().objects).unwrap_or_default()
}

/// What is to be remembered from now on.
pub(crate) fn to_remember(traffic: &Traffic<'_>, routed: &Routed) -> Option<Vec<String>> {
    let has_routes = routed.leaves_traces || holds_traces(traffic);
    let shares = traffic
        .observed
        .shares
        .iter()
        .filter(|share| has_routes || share.weights.canary > 0 || !share.weights.additional.is_empty());
    let mut objects: BTreeSet<ObjectRef> = shares.map(|share| share.object.clone()).collect();
    objects.extend(taken_out(traffic.snapshot));
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    (!objects.is_empty()).then_some(objects)
}
