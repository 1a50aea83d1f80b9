//! The conditions of a Rollout: written for others, never read to decide. (The one time kept in them, that of the
//! last progress, is where other controllers look for it too.)

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{RolloutPhase, RolloutStatus};
use sluice_crds::unit::Condition;

use crate::advance::Advanced;
use crate::observe::{Release, Services, Strategy};

/// Where a release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Aborted,
    Paused,
    Promoted,
    TimedOut,
    Retried,
    Moving,
}

/// A condition without its times.
struct Fact {
    kind: &'static str,
    status: &'static str,
    reason: String,
    message: String,
}

fn fact(kind: &'static str, status: bool, reason: &str, message: impl Into<String>) -> Fact {
    let status = if status { "True" } else { "False" };
    Fact { kind, status, reason: reason.to_owned(), message: message.into() }
}

/// All conditions, those of others included.
pub(crate) fn conditions(
    release: &Release<'_>,
    advanced: &Advanced,
    stage: Stage,
    status: &RolloutStatus,
    progress: bool,
    now: Timestamp,
) -> Vec<Condition> {
    let mut list = release.stored.conditions.clone().unwrap_or_default();
    list.retain(|condition| condition.kind != "InvalidSpec");
    let has = |list: &[Condition], kind: &str| list.iter().any(|condition| condition.kind == kind);
    set(&mut list, available(release, status), false, now);
    set(&mut list, progressing(release, stage), progress || was_held(release) && stage != Stage::Paused, now);
    let paused = stage == Stage::Paused;
    if paused || has(&list, "Paused") {
        let message = if paused { "Rollout is paused" } else { "Rollout is not paused" };
        set(&mut list, fact("Paused", paused, "RolloutPaused", message), false, now);
    }
    let completed = advanced.facts.stable_hash.as_ref() == Some(&release.new_hash);
    let message = if completed { "Rollout is completed" } else { "Rollout is not completed" };
    set(&mut list, fact("Completed", completed, "RolloutCompleted", message), false, now);
    let healthy = completed && is_healthy(release, status);
    if healthy || has(&list, "Healthy") {
        let message = if healthy { "Rollout is healthy" } else { "Rollout is not healthy" };
        set(&mut list, fact("Healthy", healthy, "RolloutHealthy", message), false, now);
    }
    match release.new.into_iter().chain(release.all()).find_map(|set| set.failure.as_ref()) {
        Some((reason, message)) => set(&mut list, fact("ReplicaFailure", true, reason, message), false, now),
        None => list.retain(|condition| condition.kind != "ReplicaFailure"),
    }
    list
}

/// Only `InvalidSpec` is added: of all else nothing new is known.
pub(crate) fn invalid(stored: &[Condition], sentence: &str, now: Timestamp) -> Vec<Condition> {
    let mut list = stored.to_vec();
    set(&mut list, fact("InvalidSpec", true, "InvalidSpec", sentence), false, now);
    list
}

/// When the last progress was seen, as it was written down.
pub(crate) fn clock(stored: &RolloutStatus) -> Option<Timestamp> {
    let mut conditions = stored.conditions.iter().flatten();
    let progressing = conditions.find(|condition| condition.kind == "Progressing")?;
    progressing.last_update_time.as_ref().map(|Time(at)| *at)
}

/// Whether the stored status says that the release waits: what it goes on with now has had no time yet.
pub(crate) fn was_paused(release: &Release<'_>) -> bool {
    release.stored.phase == Some(RolloutPhase::Paused)
}

/// Whether the release comes out of a wait that was not its own: a pause, or a spec that could not be released.
pub(crate) fn was_held(release: &Release<'_>) -> bool {
    was_paused(release) || release.stored.conditions.iter().flatten().any(|condition| condition.kind == "InvalidSpec")
}

/// What an abort is called.
pub(crate) fn abort_sentence(release: &Release<'_>) -> String {
    let revision = release.revision;
    let stored = release.stored;
    if stored.abort == Some(true) {
        return format!("Rollout aborted update to revision {revision}");
    }
    let seconds = release.rollout.spec.progress_deadline_seconds();
    format!("Rollout aborted update to revision {revision}: no progress for {seconds} seconds")
}

fn available(release: &Release<'_>, status: &RolloutStatus) -> Fact {
    let available = status.available_replicas.unwrap_or(0) >= release.replicas;
    let message =
        if available { "Rollout has minimum availability" } else { "Rollout does not have minimum availability" };
    fact("Available", available, "AvailableReason", message)
}

fn progressing(release: &Release<'_>, stage: Stage) -> Fact {
    let name = release.new_name();
    let unknown = |reason: &str, message: String| Fact {
        kind: "Progressing",
        status: "Unknown",
        reason: reason.to_owned(),
        message,
    };
    match stage {
        Stage::Aborted => fact("Progressing", false, "RolloutAborted", abort_sentence(release)),
        Stage::Paused => unknown("RolloutPaused", "Rollout is paused".to_owned()),
        Stage::Promoted => fact(
            "Progressing",
            true,
            "NewReplicaSetAvailable",
            format!("ReplicaSet \"{name}\" has successfully progressed."),
        ),
        Stage::TimedOut => fact(
            "Progressing",
            false,
            "ProgressDeadlineExceeded",
            format!("ReplicaSet \"{name}\" has timed out progressing."),
        ),
        Stage::Retried => unknown("RolloutRetry", "Retrying Rollout after abort".to_owned()),
        Stage::Moving if release.new.is_none() => {
            fact("Progressing", true, "NewReplicaSetCreated", format!("ReplicaSet \"{name}\" is being created."))
        }
        Stage::Moving => {
            fact("Progressing", true, "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing."))
        }
    }
}

fn is_healthy(release: &Release<'_>, status: &RolloutStatus) -> bool {
    let wanted = Some(release.replicas);
    let pods = status.updated_replicas == wanted && status.available_replicas == wanted;
    match release.strategy {
        Strategy::Canary(_) => pods && status.replicas == wanted,
        Strategy::BlueGreen(_) => {
            let Services { active, preview, .. } = release.services;
            pods && [active, preview]
                .into_iter()
                .flatten()
                .all(|service| service.hash() == Some(release.new_hash.as_str()))
        }
    }
}

/// Same status and reason: the condition stays as it is, except that progress moves its clock, and that what it
/// says of a mistake or a refusal is always the latest.
fn set(list: &mut Vec<Condition>, fact: Fact, moves_clock: bool, now: Timestamp) {
    let now = Some(Time(now));
    let keeps_text = !matches!(fact.kind, "InvalidSpec" | "ReplicaFailure");
    let wanted = Condition {
        kind: fact.kind.to_owned(),
        status: fact.status.to_owned(),
        reason: Some(fact.reason),
        message: Some(fact.message),
        last_update_time: now.clone(),
        last_transition_time: now.clone(),
    };
    let Some(there) = list.iter_mut().find(|condition| condition.kind == fact.kind) else {
        list.push(wanted);
        return;
    };
    let same = there.status == wanted.status && there.reason == wanted.reason;
    if same && (keeps_text || there.message == wanted.message) {
        if moves_clock {
            there.last_update_time = now;
        }
        return;
    }
    let last_transition_time = if there.status == wanted.status { there.last_transition_time.clone() } else { now };
    // The clock of progress: another word for the same wait does not start it anew.
    let is_clock = wanted.kind == "Progressing" && !moves_clock && there.last_update_time.is_some();
    let last_update_time = if is_clock { there.last_update_time.clone() } else { wanted.last_update_time.clone() };
    *there = Condition { last_transition_time, last_update_time, ..wanted };
}
