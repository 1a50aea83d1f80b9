//! What a Deployment says of itself: counts, and whether it is available and getting on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Pass, Progress, available, rolling, size};
use crate::controllers::object::{at, condition, count, generation, is_being_deleted, moment, name, set, stamp, text};
use crate::controllers::write::{Kind, Write};

const PAUSED: &str = "DeploymentPaused";
const RESUMED: &str = "DeploymentResumed";
const DONE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// All pods are of the new template, available, and no old one is left.
pub(super) fn is_complete(pass: &Pass<'_>) -> bool {
    is_complete_with(&pass.deployment, &counts(pass))
}

fn is_complete_with(deployment: &Value, status: &Value) -> bool {
    let wanted = count(deployment, &["spec", "replicas"]);
    ["updatedReplicas", "replicas", "availableReplicas"].iter().all(|key| count(status, &[key]) == wanted)
        && count(status, &["observedGeneration"]) >= generation(deployment)
}

pub(super) fn has_condition(deployment: &Value, kind: &str) -> bool {
    at(deployment, &["status", "conditions"]).as_array().is_some_and(|all| condition(all, kind).is_some())
}

fn counts(pass: &Pass<'_>) -> Value {
    let sum = |key: &str| pass.sets.iter().map(|set| count(set, &["status", key])).sum::<i64>();
    let updated = pass.new_set().map_or(0, |new| count(&pass.sets[new], &["status", "replicas"]));
    let wanted_of_sets: i64 = pass.sets.iter().map(size).sum();
    let available: i64 = pass.sets.iter().map(available).sum();
    let mut status = json!({
        "observedGeneration": generation(&pass.deployment),
        "terminatingReplicas": sum("terminatingReplicas"),
    });
    for (key, value) in [
        ("replicas", sum("replicas")),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (wanted_of_sets - available).max(0)),
    ] {
        if value > 0 {
            set(&mut status, &[key], json!(value));
        }
    }
    let collisions = at(&pass.deployment, &["status", "collisionCount"]);
    if !collisions.is_null() {
        set(&mut status, &["collisionCount"], collisions.clone());
    }
    status
}

impl Pass<'_> {
    /// Says under `Progressing` that the clock stands still while the Deployment is paused.
    pub(super) fn note_pause(&mut self) {
        if count(&self.deployment, &["spec", "progressDeadlineSeconds"]) == 0 {
            return;
        }
        let reason = progressing_reason(&self.deployment).to_owned();
        if reason == TIMED_OUT {
            return;
        }
        let paused = at(&self.deployment, &["spec", "paused"]) == &Value::Bool(true);
        if paused && reason != PAUSED {
            set_progressing(&mut self.deployment, "Unknown", PAUSED, "Deployment is paused", self.now);
        } else if !paused && reason == PAUSED {
            set_progressing(&mut self.deployment, "Unknown", RESUMED, "Deployment is resumed", self.now);
        }
    }

    /// Writes the status and the revision, if they say anything new.
    pub(super) fn report(&mut self, progress: Progress) {
        let conditions = at(&self.deployment, &["status", "conditions"]).clone();
        let mut reported = self.deployment.clone();
        set(&mut reported, &["status"], counts(self));
        if !conditions.is_null() {
            set(&mut reported, &["status", "conditions"], conditions);
        }
        self.judge_availability(&mut reported);
        if progress == Progress::Judged {
            self.judge_progress(&mut reported);
        }
        let new = |path: &[&str]| at(&reported, path) != at(self.read, path);
        if new(&["status"]) || new(&["metadata", "annotations"]) {
            self.decision.writes.push(Write::ReplaceStatus(Kind::Deployment, reported));
        }
    }

    fn judge_availability(&self, reported: &mut Value) {
        let needed = self.wanted() - rolling::max_unavailable(&self.deployment);
        let (status, reason, message) = if count(reported, &["status", "availableReplicas"]) >= needed {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        set_condition(reported, "Available", status, reason, message, self.now);
    }

    fn judge_progress(&mut self, reported: &mut Value) {
        let before = at(self.read, &["status"]);
        let deadline = count(&self.deployment, &["spec", "progressDeadlineSeconds"]);
        if deadline == 0 || is_being_deleted(&self.deployment) {
            return;
        }
        let status = at(reported, &["status"]).clone();
        let done_already = count(&status, &["replicas"]) == count(&status, &["updatedReplicas"])
            && progressing_reason(reported) == DONE;
        if done_already {
            return;
        }
        let whom = match self.new_set() {
            Some(new) => format!("ReplicaSet \"{}\"", name(&self.sets[new])),
            None => format!("Deployment \"{}\"", name(&self.deployment)),
        };
        if is_complete_with(reported, &status) {
            let message = format!("{whom} has successfully progressed.");
            set_progressing(reported, "True", DONE, &message, self.now);
        } else if moved_on(before, &status) {
            let message = format!("{whom} is progressing.");
            restart_progress_clock(reported, &message, self.now);
        } else if let Some(late_at) = progress_deadline(reported, deadline) {
            if late_at < self.now {
                let message = format!("{whom} has timed out progressing.");
                set_progressing(reported, "False", TIMED_OUT, &message, self.now);
            } else {
                // A full second later, since times in the API have whole seconds.
                let look_again = late_at.checked_add(SignedDuration::from_secs(1)).ok();
                self.decision.wake_no_later_than(look_again);
            }
        }
    }
}

fn progressing_reason(deployment: &Value) -> &str {
    at(deployment, &["status", "conditions"])
        .as_array()
        .and_then(|all| condition(all, "Progressing"))
        .map_or("", |progressing| text(progressing, &["reason"]))
}

fn moved_on(before: &Value, after: &Value) -> bool {
    let old = |status: &Value| count(status, &["replicas"]) - count(status, &["updatedReplicas"]);
    count(after, &["updatedReplicas"]) > count(before, &["updatedReplicas"])
        || old(after) < old(before)
        || count(after, &["readyReplicas"]) > count(before, &["readyReplicas"])
        || count(after, &["availableReplicas"]) > count(before, &["availableReplicas"])
}

fn progress_deadline(reported: &Value, deadline: i64) -> Option<Timestamp> {
    let all = at(reported, &["status", "conditions"]).as_array()?;
    let progressing = condition(all, "Progressing")?;
    if matches!(text(progressing, &["reason"]), DONE | TIMED_OUT | PAUSED) {
        return None;
    }
    moment(progressing, &["lastUpdateTime"])?.checked_add(SignedDuration::from_secs(deadline)).ok()
}

pub(super) fn set_progressing(deployment: &mut Value, status: &str, reason: &str, message: &str, now: Timestamp) {
    set_condition(deployment, "Progressing", status, reason, message, now);
}

/// Progress was made: `lastUpdateTime` advances even if nothing else in the condition changes.
fn restart_progress_clock(deployment: &mut Value, message: &str, now: Timestamp) {
    let mut conditions = conditions_of(deployment);
    let since = condition(&conditions, "Progressing")
        .filter(|progressing| text(progressing, &["status"]) == "True")
        .map(|progressing| at(progressing, &["lastTransitionTime"]).clone());
    conditions.retain(|one| text(one, &["type"]) != "Progressing");
    conditions.push(json!({
        "type": "Progressing",
        "status": "True",
        "reason": "ReplicaSetUpdated",
        "message": message,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": since.unwrap_or_else(|| stamp(now)),
    }));
    set(deployment, &["status", "conditions"], Value::Array(conditions));
}

/// Nothing changes while status and reason stay the same.
fn set_condition(deployment: &mut Value, kind: &str, status: &str, reason: &str, message: &str, now: Timestamp) {
    let mut conditions = conditions_of(deployment);
    let current = condition(&conditions, kind);
    let same = |key: &str, value: &str| current.is_some_and(|one| text(one, &[key]) == value);
    if same("status", status) && same("reason", reason) {
        return;
    }
    let since = if same("status", status) { current.map(|one| at(one, &["lastTransitionTime"]).clone()) } else { None };
    conditions.retain(|one| text(one, &["type"]) != kind);
    conditions.push(json!({
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": since.unwrap_or_else(|| stamp(now)),
    }));
    set(deployment, &["status", "conditions"], Value::Array(conditions));
}

fn conditions_of(deployment: &Value) -> Vec<Value> {
    at(deployment, &["status", "conditions"]).as_array().cloned().unwrap_or_default()
}
