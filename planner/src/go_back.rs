//! Going back without going on: what an abort needs and nothing more, for a release that can't be looked after as a
//! whole, because its spec has mistakes or its new revision has no ReplicaSet.

use jiff::Timestamp;

use crate::advance::Advanced;
use crate::observe::Release;
use crate::plan::Write;
use crate::strategy::Target;
use crate::traffic::Routed;
use crate::{analyses, delays, pods, selectors, transition, trials};

/// The next safe writes back to the stable revision.
pub(crate) fn writes(
    release: &Release<'_>,
    target: Target,
    advanced: &Advanced<'_>,
    routed: &Routed,
    now: Timestamp,
) -> Vec<Write> {
    let mut writes = selectors::writes(release, target, advanced);
    writes.extend(delays::writes(release, advanced, now));
    let mut resizes = transition::resizes(release, target, routed);
    if !pods::are_counted(release) {
        resizes.retain(|resize| resize.to > resize.set.wanted);
    }
    writes.extend(transition::writes(release, &resizes));
    writes.extend(routed.writes());
    writes.extend(analyses::writes(release, advanced));
    writes.extend(trials::writes(release, advanced, routed));
    writes
}
