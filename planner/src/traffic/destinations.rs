//! Which revision each destination leads to. A destination is repointed only while it carries no traffic, or while
//! nothing serves behind it.

use super::Traffic;
use super::routed::is_at_rest;
use crate::observe::Release;
use crate::ping_pong;
use crate::snapshot::ReplicaSet;
use crate::strategy::routed::pods_for;

/// One of the two destinations of every router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Stable,
    Canary,
}

impl Traffic<'_> {
    /// What each Service and subset of a side selects; `None` where it selects pods of all revisions.
    fn side(&self, side: Side) -> &[Option<String>] {
        match side {
            Side::Stable => &self.stable,
            Side::Canary => &self.canary,
        }
    }

    /// Whether all that is sent to this side reaches this revision.
    pub(crate) fn leads_to(&self, side: Side, set: &ReplicaSet) -> bool {
        let all = self.side(side);
        !all.is_empty() && all.iter().all(|hash| hash.as_deref() == Some(set.hash()))
    }

    /// Whether what is sent to this side may reach this revision.
    pub(crate) fn may_lead_to(&self, side: Side, set: &ReplicaSet) -> bool {
        self.side(side).iter().any(|hash| hash.as_deref().is_none_or(|hash| hash == set.hash()))
    }

    /// Ready pods behind a side, of the revision there that has the fewest.
    pub(crate) fn ready_behind(&self, release: &Release<'_>, side: Side) -> i32 {
        let ready = |hash: &Option<String>| {
            let behind = release.all().filter(|set| hash.as_deref().is_none_or(|hash| hash == set.hash()));
            behind.fold(0_i32, |sum, set| sum.saturating_add(set.ready.min(set.wanted)))
        };
        self.side(side).iter().map(ready).min().unwrap_or(0)
    }
}

/// Where the stable destination is to lead now: to the stable revision, and before there is one to the first. While
/// it carries traffic it moves to what can carry that.
pub(crate) fn stable_goal<'a>(release: &Release<'a>, traffic: &Traffic<'_>) -> Option<&'a ReplicaSet> {
    let wanted = release.other_stable().or(release.new)?;
    if traffic.leads_to(Side::Stable, wanted) {
        return Some(wanted);
    }
    let (least, _) = traffic.weights();
    let carries_nothing = traffic.is_known() && least == traffic.total();
    let serves = traffic.ready_behind(release, Side::Stable) > 0;
    let enough = if serves && !carries_nothing { release.budgets.least_available(release.replicas) } else { 1 };
    (wanted.available_to_stay() >= enough.max(1)).then_some(wanted)
}

/// Where the canary destination is to lead now: to the new revision once it has a pod, back to stable when the
/// release is taken back. A revision that is neither of the two is left, so that it can go.
pub(crate) fn canary_goal<'a>(release: &Release<'a>, traffic: &Traffic<'_>) -> Option<&'a ReplicaSet> {
    let wanted = canary_wanted(release, traffic)?;
    if traffic.leads_to(Side::Canary, wanted) {
        return Some(wanted);
    }
    let serves = traffic.ready_behind(release, Side::Canary) > 0;
    let may_move = if wanted.available_to_stay() > 0 {
        !serves || takes_over(release, traffic, wanted) || is_at_rest(release, traffic)
    } else {
        takes_turns(release) && (is_at_rest(release, traffic) || (!serves && release.stable.is_none()))
    };
    (may_move || sabotaged!(LeadsToNoPods)).then_some(wanted)
}

/// Of two Services that take turns the one without traffic is pointed at pods before these are ready: there are load
/// balancers that make pods ready only behind a Service.
fn takes_turns(release: &Release<'_>) -> bool {
    ping_pong::of(release.rollout).is_some()
}

/// Where stable has not one pod to take the traffic back first, a revision that can carry it takes it over.
fn takes_over(release: &Release<'_>, traffic: &Traffic<'_>, wanted: &ReplicaSet) -> bool {
    let (_, most) = traffic.weights();
    let needs = pods_for(release.replicas, most, traffic.total()).max(1);
    let is_new = release.new.is_some_and(|new| new.meta.uid == wanted.meta.uid);
    let stable_is_down = release.other_stable().is_some_and(|stable| stable.ready.min(stable.wanted) == 0);
    traffic.is_known() && is_new && stable_is_down && wanted.available_to_stay() >= needs
}

fn canary_wanted<'a>(release: &Release<'a>, traffic: &Traffic<'_>) -> Option<&'a ReplicaSet> {
    let Some(stable) = release.other_stable() else { return release.new };
    if release.facts.aborted_at.is_some() {
        return Some(stable);
    }
    let new = release.new.filter(|new| new.available_to_stay() > 0 || takes_turns(release));
    let leads_elsewhere = release.others.iter().any(|other| traffic.leads_to(Side::Canary, other));
    new.or_else(|| leads_elsewhere.then_some(stable))
}
