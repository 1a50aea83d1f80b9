//! Where a Service's selector moves all traffic at once: a revision is complete before it is selected, and shrinks
//! only when it is selected no more, which the pods that are wanted of it say already.

use super::Resize;
use crate::observe::Release;
use crate::strategy::{Target, pods_of_other};

/// In this order: what grows, then what shrinks.
pub(super) fn resizes<'a>(release: &Release<'a>, target: Target) -> Vec<Resize<'a>> {
    let stable = release.other_stable().map(|set| (set, target.stable));
    let new = release.new.map(|set| (set, target.new));
    let others = release.others.iter().map(|set| (*set, pods_of_other(release, set)));
    let wanted: Vec<_> = stable.into_iter().chain(new).chain(others).collect();
    let up = wanted.iter().filter(|(set, to)| *to > set.wanted);
    let down = wanted.iter().filter(|(set, to)| *to < set.wanted);
    up.chain(down).map(|(set, to)| Resize { set, to: *to }).collect()
}
