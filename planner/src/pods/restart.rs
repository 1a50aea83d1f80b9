//! Restarting: pods older than a time are evicted, oldest first, the stable revision's before the new one's, never
//! more at once than may be missing. Where none may be missing, or a revision has one pod only, one pod more of the
//! same revision comes first and goes when all are young.
//!
//! Nothing is remembered: which pods are old, and whether one pod more is needed, is seen anew each time.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::{BlueGreenStrategy, CanaryStrategy};
use sluice_crds::values::{IntOrPercent, Rounding, seconds_time};

use super::{MOST_PODS_AT_ONCE, are_counted, living, write_of};
use crate::observe::Release;
use crate::plan::{Action, Write};
use crate::snapshot::{Pod, ReplicaSet};
use crate::strategy::Target;

/// Where a restart is.
#[derive(Debug)]
pub(crate) enum Restart<'a> {
    /// Nobody asks for one.
    None,
    /// It is asked for at a time that has not come.
    Later(Timestamp),
    /// Its time has come, and `spec.paused` holds it.
    Held,
    /// Not all pods are younger yet.
    Running(Running<'a>),
    /// All pods are younger.
    Done,
}

/// A restart under way.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    at: Timestamp,
    young: usize,
    all: usize,
    /// The revision that gets one pod more.
    surged: Option<&'a ReplicaSet>,
    evicted: Vec<&'a Pod>,
}

/// A revision, its pods, and how many are wanted of it.
struct Revision<'a> {
    set: &'a ReplicaSet,
    wanted: i32,
    pods: Vec<&'a Pod>,
}

impl<'a> Restart<'a> {
    /// What there is to restart of the revisions that serve. Pods of older ones are on their way out anyway.
    pub(crate) fn of(release: &Release<'a>, target: Target) -> Self {
        let spec = &release.rollout.spec;
        let Some(Time(at)) = spec.restart_at else { return Self::None };
        if release.stored.restarted_at.as_ref().is_some_and(|Time(done)| *done == at) {
            return Self::None;
        }
        if at > release.now {
            return Self::Later(at);
        }
        if spec.paused() {
            return Self::Held;
        }
        let revisions = revisions(release, target);
        let all = revisions.iter().map(|revision| revision.pods.len()).sum();
        let old: usize = revisions.iter().map(|revision| revision.old(at).count()).sum();
        // A pod that no watch has shown yet may be an old one.
        let are_shown = revisions
            .iter()
            .all(|revision| usize::try_from(revision.set.replicas).is_ok_and(|counted| counted <= revision.pods.len()));
        if old == 0 && are_shown {
            return Self::Done;
        }
        let current = revisions.iter().find(|revision| revision.wanted > 0 && revision.old(at).next().is_some());
        let room = current.map_or(Room { now: 0, ever: true }, |current| room(release, &revisions, current));
        let surges = |revision: &&Revision<'_>| !room.ever && revision.old(at).any(|pod| pod.ready);
        Self::Running(Running {
            at,
            young: all - old,
            all,
            surged: current.filter(surges).map(|revision| revision.set),
            evicted: current.map_or_else(Vec::new, |revision| revision.next_to_go(at, room.now)),
        })
    }

    /// The sizes with the one pod more.
    pub(crate) fn with_surge(&self, release: &Release<'_>, target: Target) -> Target {
        let Self::Running(Running { surged: Some(set), .. }) = self else { return target };
        if release.new.is_some_and(|new| new.meta.uid == set.meta.uid) {
            Target { new: target.new.saturating_add(1), ..target }
        } else {
            Target { stable: target.stable.saturating_add(1), ..target }
        }
    }

    /// The pods that may go now. To be written behind all else, and not together with sizes that shrink: both are
    /// reckoned from the same pods.
    pub(crate) fn evictions(&self, release: &Release<'_>) -> Vec<Write> {
        let Self::Running(running) = self else { return Vec::new() };
        if !are_counted(release) {
            return Vec::new();
        }
        let evict = |pod: &&Pod| {
            let action = Action::Evict { name: pod.meta.name.clone(), uid: pod.meta.uid.clone() };
            write_of(pod, action, format!("pod {} is older than {}", pod.meta.name, seconds_time(running.at)))
        };
        running.evicted.iter().map(evict).collect()
    }

    /// Whether `status.restartedAt` becomes what the spec asks for.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// When to look again although nothing changes.
    pub(crate) const fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Later(at) => Some(*at),
            Self::None | Self::Held | Self::Running(_) | Self::Done => None,
        }
    }

    /// How far it is, to stand before what else is to be said.
    pub(crate) fn sentence(&self) -> Option<String> {
        match self {
            Self::Later(at) => Some(format!("to be restarted at {}", seconds_time(*at))),
            Self::Running(running) => {
                let Running { young, all, at, surged, evicted, .. } = running;
                let waits = match surged {
                    Some(_) if evicted.is_empty() => ", the next one goes when one more is available",
                    _ => "",
                };
                Some(format!("restarting: {young} of {all} pods are newer than {}{waits}", seconds_time(*at)))
            }
            Self::None | Self::Held | Self::Done => None,
        }
    }
}

/// The stable revision first. One that was taken back is on its way out.
fn revisions<'a>(release: &Release<'a>, target: Target) -> Vec<Revision<'a>> {
    let stable = release.other_stable().map(|set| (set, target.stable));
    let is_taken_back = release.facts.aborted_at.is_some() && stable.is_some();
    let new = release.new.filter(|_| !is_taken_back).map(|set| (set, target.new));
    let both = stable.into_iter().chain(new);
    both.map(|(set, wanted)| Revision { set, wanted, pods: living(release, set) }).collect()
}

impl<'a> Revision<'a> {
    fn old(&self, at: Timestamp) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().copied().filter(move |pod| pod.meta.created_at.is_some_and(|created| created < at))
    }

    /// Available pods: as its ReplicaSet counts them, and as the pods say themselves.
    fn available(&self) -> i32 {
        let ready = self.pods.iter().filter(|pod| pod.ready).count();
        self.set.available_to_stay().min(i32::try_from(ready).unwrap_or(i32::MAX))
    }

    /// The oldest pods, so many ready ones among them at the most; one that isn't ready serves nobody.
    fn next_to_go(&self, at: Timestamp, most_ready: usize) -> Vec<&'a Pod> {
        let mut old: Vec<&Pod> = self.old(at).collect();
        old.sort_by_key(|pod| (pod.meta.created_at, &pod.meta.name));
        let mut ready_ones = 0;
        old.retain(|pod| {
            ready_ones += usize::from(pod.ready);
            !pod.ready || ready_ones <= most_ready
        });
        old.truncate(MOST_PODS_AT_ONCE);
        old
    }
}

/// How many ready pods may go.
struct Room {
    now: usize,
    /// Whether any may once all that are wanted are available.
    ever: bool,
}

/// Without a router all revisions serve together, and a Service of one of them needs one of its pods. In blue-green,
/// and behind routers, each revision serves alone.
fn room(release: &Release<'_>, revisions: &[Revision<'_>], current: &Revision<'_>) -> Room {
    let spec = &release.rollout.spec;
    let may_miss =
        |value: IntOrPercent| value.resolve_bare_as_percent(release.replicas, Rounding::Down).unwrap_or(0).max(0);
    let routed = spec.canary().filter(|_| release.traffic.is_some());
    let (room_now, room_ever) = match (spec.canary().filter(|_| routed.is_none()), spec.blue_green()) {
        (Some(canary), _) => {
            let keep = release.replicas.saturating_sub(may_miss(canary.max_unavailable())).max(1);
            let available = revisions.iter().fold(0_i32, |sum, revision| sum.saturating_add(revision.available()));
            let wanted = revisions.iter().fold(0_i32, |sum, revision| sum.saturating_add(revision.wanted));
            let last = i32::from(release.is_selected(current.set));
            let room = |in_all: i32, current: i32| in_all.saturating_sub(keep).min(current.saturating_sub(last));
            (room(available, current.available()), room(wanted, current.wanted))
        }
        (None, blue_green) => {
            let missing = blue_green.map(BlueGreenStrategy::max_unavailable);
            let missing = missing.or_else(|| routed.map(CanaryStrategy::max_unavailable)).map_or(0, may_miss);
            let keep = current.wanted.saturating_sub(missing).max(1);
            (current.available().saturating_sub(keep), current.wanted.saturating_sub(keep))
        }
    };
    Room { now: usize::try_from(room_now).unwrap_or(0), ever: room_ever > 0 }
}
