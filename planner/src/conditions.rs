//! The conditions of a Rollout: written for others, never read to decide. (The one time kept in them, that of the
//! last progress, is where other controllers look for it too.)

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{RolloutPhase, RolloutStatus};
use sluice_crds::unit::Condition;

use crate::advance::Advanced;
use crate::names::REVISION_HISTORY;
use crate::observe::{Hindrance, Release, Services, Strategy};
use crate::revisions;
use crate::snapshot::ReplicaSet;
use crate::why;

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
    advanced: &Advanced<'_>,
    stage: Stage,
    status: &RolloutStatus,
    progress: bool,
    now: Timestamp,
) -> Vec<Condition> {
    let mut list = release.stored.conditions.clone().unwrap_or_default();
    match &release.hindrance {
        Some(Hindrance::Invalid { sentence, .. } | Hindrance::Routers(sentence)) => {
            set(&mut list, invalid_spec(sentence), false, now);
        }
        _ => list.retain(|condition| condition.kind != "InvalidSpec"),
    }
    let has = |list: &[Condition], kind: &str| list.iter().any(|condition| condition.kind == kind);
    set(&mut list, available(release, status), false, now);
    if release.is_other_revision() {
        // What was said of the old revision, be it the same word, is not said of the new one.
        list.iter_mut().filter(|condition| condition.kind == "Progressing").for_each(|there| there.reason = None);
    }
    if let Some(fact) = progressing(release, advanced, stage, is_healthy(release, status), progress) {
        set(&mut list, fact, progress || was_held(release) && stage != Stage::Paused, now);
    }
    let paused = stage == Stage::Paused;
    if paused || has(&list, "Paused") {
        let message = if paused { "Rollout is paused" } else { "Rollout is not paused" };
        set(&mut list, fact("Paused", paused, "RolloutPaused", message), false, now);
    }
    let completed = advanced.facts.stable_hash.as_ref() == Some(&release.new_hash);
    let message = if completed { "Rollout is completed" } else { "Rollout is not completed" };
    set(&mut list, fact("Completed", completed, "RolloutCompleted", message), false, now);
    let healthy = completed && !paused && is_healthy(release, status);
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
    set(&mut list, invalid_spec(sentence), false, now);
    list
}

fn invalid_spec(sentence: &str) -> Fact {
    fact("InvalidSpec", true, "InvalidSpec", sentence)
}

/// When the last progress was seen, as it was written down.
pub(crate) fn clock(stored: &RolloutStatus) -> Option<Timestamp> {
    let mut conditions = stored.conditions.iter().flatten();
    let progressing = conditions.find(|condition| condition.kind == "Progressing")?;
    progressing.last_update_time.as_ref().map(|Time(at)| *at)
}

/// Whether the stored status says that the ReplicaSet could not be created.
pub(crate) fn was_refused(release: &Release<'_>) -> bool {
    let mut conditions = release.stored.conditions.iter().flatten();
    conditions.any(|condition| condition.reason.as_deref() == Some(CREATE_ERROR))
}

/// Whether the stored status says that the release waits: what it goes on with now has had no time yet.
pub(crate) fn was_paused(release: &Release<'_>) -> bool {
    release.stored.phase == Some(RolloutPhase::Paused)
}

/// Whether the release comes out of a wait that was not its own: a pause, or a spec that could not be released.
pub(crate) fn was_held(release: &Release<'_>) -> bool {
    let was_invalid = release.stored.conditions.iter().flatten().any(|condition| condition.kind == "InvalidSpec");
    was_paused(release) || (was_invalid && release.hindrance.is_none())
}

/// What an abort is called.
pub(crate) fn abort_sentence(release: &Release<'_>, advanced: &Advanced<'_>) -> String {
    let revision = release.revision;
    let stored = release.stored;
    if let Some(failure) = &advanced.failure {
        return format!("Rollout aborted update to revision {revision}: {failure}");
    }
    if stored.abort == Some(true) {
        return format!("Rollout aborted update to revision {revision}");
    }
    if release.is_held {
        return format!(
            "Rollout aborted update to revision {revision}{}; retry to release it",
            why::was_rejected(release)
        );
    }
    let seconds = release.rollout.spec.progress_deadline_seconds();
    format!("Rollout aborted update to revision {revision}: no progress for {seconds} seconds")
}

fn available(release: &Release<'_>, status: &RolloutStatus) -> Fact {
    let available = status.available_replicas.unwrap_or(0) >= release.replicas;
    let message = if available { "Rollout has minimum availability" } else { NOT_AVAILABLE };
    fact("Available", available, "AvailableReason", message)
}

/// `None` where nothing has come nearer and nothing has gone wrong: what was said stays.
fn progressing(
    release: &Release<'_>,
    advanced: &Advanced<'_>,
    stage: Stage,
    healthy: bool,
    progress: bool,
) -> Option<Fact> {
    let name = release.new_name();
    let is = |status: &'static str, reason: &str, message: String| {
        Some(Fact { kind: "Progressing", status, reason: reason.to_owned(), message })
    };
    let before = release.stored.conditions.iter().flatten().find(|condition| condition.kind == "Progressing");
    let before = before.and_then(|condition| condition.reason.as_deref());
    let updated = format!("ReplicaSet \"{name}\" is progressing.");
    match stage {
        Stage::Aborted => is("False", "RolloutAborted", abort_sentence(release, advanced)),
        Stage::Paused => is("Unknown", "RolloutPaused", "Rollout is paused".to_owned()),
        Stage::Promoted if healthy => {
            is("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed."))
        }
        // It was complete before; until then it is still on its way.
        Stage::Promoted if matches!(before, Some("NewReplicaSetAvailable" | "ReplicaSetNotAvailable")) => {
            is("True", "ReplicaSetNotAvailable", NOT_AVAILABLE.to_owned())
        }
        Stage::TimedOut => {
            is("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{name}\" has timed out progressing."))
        }
        Stage::Retried | Stage::Moving if let Some(Hindrance::Refused(sentence)) = &release.hindrance => {
            is("False", CREATE_ERROR, sentence.clone())
        }
        Stage::Retried => is("Unknown", "RolloutRetry", "Retrying Rollout after abort".to_owned()),
        Stage::Moving if release.new.is_none() => {
            is("True", "NewReplicaSetCreated", format!("ReplicaSet \"{name}\" is being created."))
        }
        Stage::Moving if before.is_none() && release.new.is_some_and(|new| was_there(release, new)) => {
            is("True", "FoundNewReplicaSet", format!("ReplicaSet \"{name}\" was there already."))
        }
        Stage::Moving if !progress && was_paused(release) => {
            is("Unknown", "RolloutResumed", "Rollout is resumed".to_owned())
        }
        Stage::Moving if !progress && before.is_some_and(|before| ON_ITS_WAY.contains(&before)) => None,
        Stage::Promoted | Stage::Moving => is("True", "ReplicaSetUpdated", updated),
    }
}

/// Whether a revision that begins now has a ReplicaSet from before: one that had another number, or that is older than
/// the Rollout. (One that we made just before a crash is not found but made.)
fn was_there(release: &Release<'_>, new: &ReplicaSet) -> bool {
    let had_another_number =
        revisions::number(new) != release.revision || new.meta.annotations.contains_key(REVISION_HISTORY);
    let began = release.rollout.metadata.creation_timestamp.as_ref().map(|Time(at)| *at);
    had_another_number || new.meta.created_at < began
}

/// Reasons that hold until something comes nearer.
const ON_ITS_WAY: [&str; 5] =
    ["FoundNewReplicaSet", "NewReplicaSetCreated", "ReplicaSetUpdated", "RolloutResumed", "RolloutRetry"];
/// The reason while the new ReplicaSet can't be created.
pub(crate) const CREATE_ERROR: &str = "ReplicaSetCreateError";
const NOT_AVAILABLE: &str = "Rollout does not have minimum availability";

fn is_healthy(release: &Release<'_>, status: &RolloutStatus) -> bool {
    let wanted = Some(release.replicas);
    let pods = status.updated_replicas == wanted && status.available_replicas == wanted;
    match release.strategy {
        // Where routers divide the traffic, pods of older revisions carry none.
        Strategy::Canary(_) => pods && (status.replicas == wanted || release.traffic.is_some()),
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
