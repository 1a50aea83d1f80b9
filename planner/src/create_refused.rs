//! What users see while the API server refuses a new revision's ReplicaSet: a quota, a webhook, a policy. No plan
//! comes as far as its status then, so that the refusal itself is what is said.

use jiff::Timestamp;
use sluice_crds::Rollout;

use crate::conditions;
use crate::plan::{Action, Event, Kind, Plan, Write};
use crate::report::status_write;

/// What is to be said of a write that was refused for good, with this sentence of the API server; nothing where
/// it is no creation of a ReplicaSet, or was said already.
pub fn create_refused(rollout: &Rollout, write: &Write, problem: &str, now: Timestamp) -> Option<Plan> {
    if write.target.kind != Kind::ReplicaSet || !matches!(write.action, Action::Create(_)) {
        return None;
    }
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let stored = rollout.status.clone().unwrap_or_default();
    let sentence = format!("Failed to create ReplicaSet \"{}\": {problem}", write.target.name);
    let mut status = stored.clone();
    let conditions = stored.conditions.as_deref().unwrap_or_default();
    status.conditions = Some(conditions::create_refused(conditions, &sentence, now));
    let why = format!("stuck: {sentence}");
    status.why = Some(why.clone());
    let status = Some(status_write(rollout, &stored, &status, false, &why)?);
    let events = vec![Event::warning("ReplicaSetCreateError", sentence)];
    Some(Plan { status, events, why, ..Plan::default() })
}
