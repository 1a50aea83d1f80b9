//! What users see while the API server refuses a new revision's ReplicaSet: a quota, a webhook, a policy. No plan
//! comes as far as its status then, so that the refusal itself is what is said. The release has begun all the same, so
//! its deadline runs.

use jiff::Timestamp;
use sluice_crds::rollout::RolloutStatus;

use crate::conditions;
use crate::observe::{Hindrance, Release};
use crate::plan::{Action, Event, Kind, Plan, Write};
use crate::pods::restart::Restart;
use crate::snapshot::Snapshot;
use crate::traffic::Routed;
use crate::{advance, report, strategy, workload};

/// What is to be said of a write that was refused for good, with this sentence of the API server; nothing where
/// it is no creation of a ReplicaSet, or was said already.
pub fn create_refused(snapshot: &Snapshot, write: &Write, problem: &str, now: Timestamp) -> Option<Plan> {
    if write.target.kind != Kind::ReplicaSet || !matches!(write.action, Action::Create(_)) {
        return None;
    }
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let snapshot = workload::resolved(snapshot).ok()?;
    let snapshot = &*snapshot;
    let nothing = RolloutStatus::default();
    let stored = snapshot.rollout.status.as_ref().unwrap_or(&nothing);
    let mut release = Release::observe(snapshot, stored, now)?;
    let sentence = format!("Failed to create ReplicaSet \"{}\": {problem}", write.target.name);
    release.hindrance = Some(Hindrance::Refused(sentence.clone()));
    let is_news = release.is_other_revision() || !conditions::was_refused(&release) && !was_late(&release);
    let target = strategy::target(&release);
    let (advanced, restart) = (advance::advance(&release, now), Restart::of(&release, target));
    let mut plan = Plan::default();
    report::report(&release, target, advanced, &Routed::of(&release), &restart, &mut plan, now);
    if is_news {
        plan.events.push(Event::warning(conditions::CREATE_ERROR, sentence));
    }
    plan.status.is_some().then_some(plan)
}

/// Whether the deadline was over already.
fn was_late(release: &Release<'_>) -> bool {
    let mut conditions = release.stored.conditions.iter().flatten();
    conditions.any(|condition| condition.reason.as_deref() == Some("ProgressDeadlineExceeded"))
}
