//! Giving back what outlives a Rollout: a share for the new revision, or a route that a step made, in an object that
//! is not ours. The finalizer is there only while such a thing is, and for a bounded time.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use sluice_crds::Rollout;
use sluice_crds::rollout::CanaryStrategy;
use sluice_traffic::Kind as RoutingKind;

use super::routed::write;
use super::{Routed, Traffic};
use crate::patch::Patch;
use crate::plan::{Action, Event, Kind, Plan, Target, Write};
use crate::snapshot::Snapshot;

/// Our name among `metadata.finalizers`.
const FINALIZER: &str = "rollouts.argoproj.io/sluice-routing";
/// A deletion is held so long and no longer.
pub(crate) const LONGEST_HOLD: SignedDuration = SignedDuration::from_secs(60);

/// Holds the Rollout before anything is written that would outlive it.
pub(crate) fn held(rollout: &Rollout, traffic: &Traffic<'_>, routed: &Routed) -> Option<Write> {
    let shared = |kind: RoutingKind| !matches!(kind, RoutingKind::Ingress | RoutingKind::DestinationRule);
    let has_shared = traffic.routing.needs().objects.iter().any(|object| shared(object.kind));
    let needed = (routed.leaves_traces && has_shared) || holds_traces(traffic);
    if is_held(rollout) || !needed || sabotaged!(ForgetsTheFinalizer) {
        return None;
    }
    let mut wanted = rollout.metadata.finalizers.clone().unwrap_or_default();
    wanted.push(FINALIZER.to_owned());
    Some(finalizers(rollout, &wanted, "what this release writes to shared routes is taken back before it is deleted"))
}

/// Lets go of the Rollout as soon as nothing would be left behind.
pub(crate) fn let_go(rollout: &Rollout, traffic: Option<&Traffic<'_>>, routed: &Routed) -> Option<Write> {
    let needed = traffic.is_some_and(|traffic| routed.leaves_traces || !routed.is_settled || holds_traces(traffic));
    (is_held(rollout) && !needed).then(|| without(rollout, "nothing of this Rollout is left in shared routes"))
}

pub(super) fn holds_traces(traffic: &Traffic<'_>) -> bool {
    sluice_traffic::needs_finalizer(traffic.routing, &traffic.snapshot.routing)
}

fn is_held(rollout: &Rollout) -> bool {
    rollout.metadata.finalizers.iter().flatten().any(|name| name == FINALIZER)
}

fn without(rollout: &Rollout, reason: &str) -> Write {
    let all = rollout.metadata.finalizers.iter().flatten();
    let left: Vec<String> = all.filter(|name| *name != FINALIZER).cloned().collect();
    finalizers(rollout, &left, reason)
}

fn finalizers(rollout: &Rollout, wanted: &[String], reason: &str) -> Write {
    let metadata = &rollout.metadata;
    let path = "/metadata/finalizers";
    let seen = metadata.finalizers.as_ref().map_or(Value::Null, |there| json!(there));
    let patch = Patch::of(metadata.uid.as_deref().unwrap_or_default()).read(path, seen);
    let patch = if wanted.is_empty() { patch.remove(path) } else { patch.set(path, json!(wanted)) };
    Write {
        target: Target {
            kind: Kind::Rollout,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        action: Action::Patch(patch.operations()),
        reason: reason.to_owned(),
        events: Vec::new(),
    }
}

/// Gives back what would be left behind by this Rollout, and lets go of it: when it is deleted, or when the controller
/// is to be removed. What can't be given back is held on to for a minute from `since`.
pub(crate) fn give_back(snapshot: &Snapshot, since: Timestamp, now: Timestamp) -> Plan {
    let rollout = &*snapshot.rollout;
    let edits = edits(snapshot);
    let mut plan = Plan { writes: edits.edits.iter().filter_map(write).collect(), ..Plan::default() };
    let lacks = lacks(snapshot, &edits);
    let routing = snapshot.rollout.routing();
    let needed =
        !lacks.is_empty() || routing.is_some_and(|routing| sluice_traffic::needs_finalizer(routing, &snapshot.routing));
    let ends = since.checked_add(LONGEST_HOLD).unwrap_or(since);
    if !is_held(rollout) {
        plan.why = format!("its routing is given back{lacks}");
        return plan;
    }
    if !needed {
        plan.writes.push(without(rollout, "its routing has been given back"));
        plan.why = "its routing has been given back".to_owned();
    } else if now < ends {
        plan.wake_at = Some(ends);
        plan.why = format!("{} objects that route its traffic are given back first{lacks}", plan.writes.len());
    } else {
        let why = format!("its routing could not be given back in a minute{lacks}");
        let mut write = without(rollout, &why);
        write.events.push(Event::warning("TrafficRoutingError", why.clone()));
        plan.writes.push(write);
        plan.why = why;
    }
    plan
}

/// Gives everything back although the Rollout stays. What can't be given back is said, with the time to look again.
pub(crate) fn give_back_for_good(snapshot: &Snapshot, now: Timestamp) -> Plan {
    if let Some(why) = stays(&snapshot.rollout) {
        return Plan { why, wake_at: Some(now), ..Plan::default() };
    }
    let mut plan = give_back(snapshot, now, now);
    let left = lacks(snapshot, &edits(snapshot));
    if plan.writes.is_empty() && !left.is_empty() {
        plan.wake_at = Some(now);
    }
    plan
}

/// Why traffic can't be given back to the stable revision at once: it may have shrunk with its share.
fn stays(rollout: &Rollout) -> Option<String> {
    let is_dynamic = rollout.spec.canary().is_some_and(CanaryStrategy::dynamic_stable_scale);
    let weight = recorded_weight(rollout);
    (is_dynamic && weight > 0).then(|| {
        format!(
            "the new version has a weight of {weight}, and with dynamicStableScale the stable one has pods for the rest \
             only; abort the release and wait until all traffic is back"
        )
    })
}

/// The weight that routers gave the canary when the status was last written.
pub(crate) fn recorded_weight(rollout: &Rollout) -> i32 {
    let canary = rollout.status.as_ref().and_then(|status| status.canary.as_ref());
    let weights = canary.and_then(|canary| canary.weights.as_ref());
    weights.and_then(|weights| weights.canary.as_ref()).and_then(|canary| canary.weight).unwrap_or(0)
}

fn edits(snapshot: &Snapshot) -> sluice_traffic::Edits {
    let edits = snapshot.rollout.routing().map(|routing| sluice_traffic::give_back(routing, &snapshot.routing));
    edits.unwrap_or_default()
}

/// What can't be given back, to be said behind the rest.
fn lacks(snapshot: &Snapshot, edits: &sluice_traffic::Edits) -> String {
    let problems = edits.problems.iter().map(|problem| problem.sentence.clone());
    let needs = snapshot.rollout.routing().map(sluice_traffic::Routing::needs).unwrap_or_default();
    let unread = needs.objects.iter().filter(|object| !snapshot.routing.knows(object));
    let unread = unread.map(|object| format!("{object} has not been read"));
    problems.chain(unread).fold(String::new(), |all, one| format!("{all}; {one}"))
}

/// Since when a Rollout is on its way out.
pub(crate) fn deleted_at(rollout: &Rollout) -> Option<Timestamp> {
    rollout.metadata.deletion_timestamp.as_ref().map(|Time(at)| *at)
}
