//! The phase and its message: one word and one short sentence that existing tools know.

use sluice_crds::rollout::status::{RolloutPhase, RolloutStatus};

use crate::advance::Advanced;
use crate::observe::{Hindrance, Release, Strategy};
use crate::strategy::blue_green::is_active;

pub(crate) struct Said {
    pub(crate) phase: RolloutPhase,
    pub(crate) message: String,
}

fn said(phase: RolloutPhase, message: impl Into<String>) -> Said {
    Said { phase, message: message.into() }
}

/// What is said of a spec that can't be released.
pub(crate) fn invalid(sentence: &str) -> Said {
    said(RolloutPhase::Degraded, format!("InvalidSpec: {sentence}"))
}

/// The first of these that holds.
pub(crate) fn phase(release: &Release<'_>, advanced: &Advanced<'_>, status: &RolloutStatus) -> Said {
    use RolloutPhase::{Degraded, Healthy, Paused, Progressing};
    if let Some(Hindrance::Invalid { sentence, .. } | Hindrance::Routers(sentence)) = &release.hindrance {
        return invalid(sentence);
    }
    let bad = ["RolloutAborted", "ProgressDeadlineExceeded"];
    let conditions = status.conditions.iter().flatten();
    let degraded =
        conditions.filter_map(|condition| Some((condition.reason.as_deref()?, condition.message.as_deref())));
    if let Some((reason, message)) = degraded.into_iter().find(|(reason, _)| bad.contains(reason)) {
        return said(Degraded, format!("{reason}: {}", message.unwrap_or_default()));
    }
    if release.rollout.spec.paused() {
        return said(Paused, "manually paused");
    }
    if let Some(pause) = advanced.facts.pauses.first() {
        return said(Paused, pause.reason.as_ref().map_or("", |reason| reason.as_str()));
    }
    let spec = &release.rollout.spec;
    if spec.restart_at.is_some() && spec.restart_at != status.restarted_at {
        return said(Progressing, "rollout is restarting");
    }
    let count = |count: Option<i32>| count.unwrap_or(0);
    let (replicas, updated) = (count(status.replicas), count(status.updated_replicas));
    if updated < release.replicas {
        return said(Progressing, "more replicas need to be updated");
    }
    if count(status.available_replicas) < updated {
        return said(Progressing, "updated replicas are still becoming available");
    }
    let is_stable = advanced.facts.stable_hash.as_ref() == Some(&release.new_hash);
    if let Strategy::BlueGreen(_) = release.strategy {
        // As the Service was seen: the switch itself is seen by the pass that follows it.
        if release.new.is_none_or(|new| !is_active(release, new)) {
            return said(Progressing, "active service cutover pending");
        }
        if !is_stable {
            let measures = advanced.waits_for_run.is_some();
            let what = if measures { "analysis" } else { "post-promotion verification" };
            return said(Progressing, format!("waiting for {what} to complete"));
        }
        return said(Healthy, "");
    }
    if replicas > updated && release.traffic.is_none() {
        return said(Progressing, "old replicas are pending termination");
    }
    if !is_stable {
        return said(Progressing, "waiting for all steps to complete");
    }
    said(Healthy, "")
}
