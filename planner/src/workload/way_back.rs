//! The way back: a Deployment that was scaled down gets as many pods as the Rollout has, and only when they are
//! available do the Rollout's own go.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::Rollout;

use super::held::{self, Held};
use super::{Workload, WorkloadKind, WorkloadSeen, named};
use crate::plan::{Event, Plan, Write};
use crate::selectors;
use crate::snapshot::Snapshot;

/// A deletion is held so long and no longer, whatever `progressDeadlineSeconds` says.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_mins(10);

/// Gives a Deployment back that the Rollout doesn't take its template from any more, and lets go of the Rollout. Its
/// own pods go on serving.
pub(crate) fn let_go(snapshot: &Snapshot) -> Vec<Write> {
    let rollout = &snapshot.rollout;
    let Some(name) = held::scaled_down_by(rollout).filter(|held| named(rollout).as_ref() != Some(held)) else {
        return Vec::new();
    };
    let given_back = match snapshot.workloads.get(&name) {
        None | Some(WorkloadSeen::Forbidden) => return Vec::new(),
        Some(WorkloadSeen::Absent) => None,
        Some(WorkloadSeen::There(deployment)) => Held::by(rollout, deployment).map(|_| {
            let to = wanted(rollout, deployment);
            let reason = format!("spec.workloadRef doesn't name {name} any more; it gets {to} pods back");
            let mut write = held::resize(deployment, to, None, reason.clone());
            write.events.push(Event::normal("ScalingWorkload", reason));
            write
        }),
    };
    let gone = held::let_go(rollout, format!("{name} has its own pods again"), Vec::new());
    given_back.into_iter().chain([gone]).collect()
}

/// What is left to do before a Rollout may go that has scaled a Deployment down; `None` where it hasn't. Once the
/// Deployment has been given its pods, that ends within bounded time; before that nothing is let go that serves.
pub(crate) fn way_back(snapshot: &Snapshot, since: Timestamp, now: Timestamp) -> Option<Plan> {
    let rollout = &*snapshot.rollout;
    if !held::is_held(rollout) {
        return None;
    }
    // Somebody may have taken the annotation away that says which one it is.
    let named = || named(rollout).filter(|named| named.kind == WorkloadKind::Deployment);
    let Some(name) = held::scaled_down_by(rollout).or_else(named) else {
        let why = "nothing says any more which Deployment it has scaled down".to_owned();
        return Some(finish(snapshot, None, false, why, Vec::new()));
    };
    let (deployment, lacks, since) = match snapshot.workloads.get(&name) {
        Some(WorkloadSeen::There(deployment)) => {
            let held = Held::on(deployment);
            let is_anothers = held.is_some() && Held::by(rollout, deployment).is_none();
            // Without pods and without a word about it, it is as we left it.
            let is_others = held.is_none() && deployment.replicas > 0;
            if deployment.meta.deleting || is_anothers || is_others {
                return Some(finish(snapshot, None, false, format!("{name} is scaled by others"), Vec::new()));
            }
            let to = wanted(rollout, deployment);
            let held = held.unwrap_or_else(|| Held {
                rollout: rollout.metadata.name.clone().unwrap_or_default(),
                from: to,
                to: deployment.replicas,
                taken_back: 0,
                at: since,
            });
            if deployment.replicas < to {
                return Some(raise(deployment, &Held { to, at: now, ..held }));
            }
            let (available, wanted) = (deployment.available, deployment.replicas);
            let lacks = format!("{name} has {available} of {wanted} pods available");
            let lacks = (!deployment.is_complete()).then_some(lacks);
            (Some(&**deployment), lacks, held.at.max(since))
        }
        Some(WorkloadSeen::Absent) => (None, None, since),
        Some(WorkloadSeen::Forbidden) | None => (None, Some(format!("{name} has not been read")), since),
    };
    let ends = since.checked_add(longest_hold(rollout)).unwrap_or(since);
    Some(match lacks {
        None => finish(snapshot, deployment, now >= ends, format!("{name} serves again"), Vec::new()),
        Some(lacks) if now < ends => {
            let why = format!("{lacks}; the Rollout's pods serve until all are");
            Plan { wake_at: Some(ends), why, ..Plan::default() }
        }
        Some(lacks) => {
            let why = format!("{lacks} after {:#}; the Rollout is held no longer", longest_hold(rollout));
            finish(snapshot, deployment, true, why.clone(), vec![Event::warning("WorkloadNotReady", why)])
        }
    })
}

/// Whether nothing but the pods of a Deployment is awaited.
pub(crate) fn is_waiting(snapshot: &Snapshot, now: Timestamp) -> bool {
    way_back(snapshot, now, now).is_some_and(|plan| plan.writes.is_empty() && plan.wake_at.is_some())
}

/// Why a Deployment can't be given back while the Rollout stays: it would run another version than what serves.
pub(crate) fn stays(rollout: &Rollout) -> Option<String> {
    let name = held::scaled_down_by(rollout)?;
    let status = rollout.status.as_ref()?;
    (status.current_pod_hash != status.stable_rs).then(|| {
        format!(
            "{name} has the template of the new version, and the stable one serves; finish the release, or undo it, \
             before the Deployment gets its pods back"
        )
    })
}

fn raise(deployment: &Workload, held: &Held) -> Plan {
    let why = format!("Deployment {} gets {} pods back before the Rollout's go", deployment.meta.name, held.to);
    let mut write = held::resize(deployment, held.to, Some(held), why.clone());
    write.events.push(Event::normal("ScalingWorkload", why.clone()));
    Plan { writes: vec![write], why, ..Plan::default() }
}

/// The Services select the Deployment's pods too; then nothing of the Rollout is left. Where it is `overdue`, what is
/// remembered on the Deployment holds nothing up: somebody may refuse that write for ever.
fn finish(snapshot: &Snapshot, deployment: Option<&Workload>, overdue: bool, why: String, events: Vec<Event>) -> Plan {
    let rollout = &*snapshot.rollout;
    let mut writes = selectors::given_back_for_good(snapshot, &why);
    writes.extend(deployment.map(|deployment| held::resize(deployment, deployment.replicas, None, why.clone())));
    let place = if overdue { writes.len() - usize::from(deployment.is_some()) } else { writes.len() };
    writes.insert(place, held::let_go(rollout, why.clone(), events));
    Plan { writes, why, ..Plan::default() }
}

/// As many as the Rollout has: it takes the load over from them.
fn wanted(rollout: &Rollout, deployment: &Workload) -> i32 {
    rollout.spec.replicas.unwrap_or(0).max(deployment.replicas)
}

fn longest_hold(rollout: &Rollout) -> SignedDuration {
    SignedDuration::from_secs(i64::from(rollout.spec.progress_deadline_seconds().max(0))).min(LONGEST_HOLD)
}
