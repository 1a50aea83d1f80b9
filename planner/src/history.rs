//! How releases ended: each is written down once, in the same status write as the fact that ended it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{CompletionStatus, ReleaseOutcome};
use sluice_crds::template::{PodTemplate, TemplateHash};

use crate::advance::Advanced;
use crate::conditions::Stage;
use crate::observe::Release;
use crate::revisions;
use crate::wishers::{Wish, wisher};

/// So many releases that ended are remembered.
const MOST_OUTCOMES: usize = 20;

/// The releases that this pass sees end, the latest last: the one that another template ends, and then the one
/// of this template, which may be complete at once.
pub(crate) fn endings(
    release: &Release<'_>,
    advanced: &Advanced<'_>,
    stage: Stage,
    now: Timestamp,
) -> Vec<ReleaseOutcome> {
    [left(release), ended(release, advanced, stage)]
        .into_iter()
        .flatten()
        .map(|outcome| {
            let started = release.stored.duration.as_ref().and_then(|duration| duration.rollout_started_at.clone());
            let is_old = outcome.pod_hash == release.stored.current_pod_hash;
            let from = started.filter(|_| is_old && !release.is_retried());
            ReleaseOutcome { from: from.or((!is_old).then_some(Time(now))), to: Some(Time(now)), ..outcome }
        })
        .collect()
}

/// The history with these in front.
pub(crate) fn with(stored: Option<&[ReleaseOutcome]>, endings: Vec<ReleaseOutcome>) -> Option<Vec<ReleaseOutcome>> {
    let latest_first = endings.into_iter().rev().chain(stored.into_iter().flatten().cloned());
    let history: Vec<ReleaseOutcome> = latest_first.take(MOST_OUTCOMES).collect();
    (!history.is_empty()).then_some(history)
}

/// The release that was under way when the template changed.
fn left(release: &Release<'_>) -> Option<ReleaseOutcome> {
    let stored = release.stored;
    let hash = stored.current_pod_hash.as_ref().filter(|_| release.is_other_revision())?;
    if stored.stable_rs.as_ref() == Some(hash) || stored.aborted_at.is_some() {
        return None;
    }
    let (result, why) = if release.is_fully_promoted() {
        let why = format!("the template went back to the stable revision, which is {} now", release.revision);
        (CompletionStatus::FastRolledBack, why)
    } else {
        (CompletionStatus::Superseded, format!("superseded by revision {}", release.revision))
    };
    let who = wisher(release.rollout, Wish::Template);
    Some(outcome(release, hash, result, why, who))
}

/// The release of the template that is wanted now.
fn ended(release: &Release<'_>, advanced: &Advanced<'_>, stage: Stage) -> Option<ReleaseOutcome> {
    let hash = &release.new_hash;
    if let Some(how) = &advanced.how {
        let (result, wish) = promotion(release);
        return Some(outcome(release, hash, result, how.clone(), wisher(release.rollout, wish)));
    }
    if stage != Stage::Aborted || !release.is_newly_aborted() || release.is_held {
        return None;
    }
    let evidence = advanced.facts.rejected.first().and_then(|rejected| rejected.reason.clone());
    let by_hand = release.stored.abort == Some(true);
    let who = by_hand.then(|| wisher(release.rollout, Wish::Abort)).flatten();
    Some(outcome(release, hash, CompletionStatus::Aborted, evidence.unwrap_or_default(), who))
}

/// What a promotion is called, and whose wish it was.
fn promotion(release: &Release<'_>) -> (CompletionStatus, Wish) {
    let fast = release.facts.promote_full;
    let wish = if fast { Wish::PromoteFull } else { Wish::Template };
    let created = |set: Option<&crate::snapshot::ReplicaSet>| set.and_then(|set| set.meta.created_at);
    let goes_back = release.other_stable().is_some() && created(release.new) < created(release.stable);
    let result = match (goes_back, fast || release.is_fast_rollback()) {
        (true, true) => CompletionStatus::FastRolledBack,
        (true, false) => CompletionStatus::RolledBack,
        (false, _) if fast => CompletionStatus::FastPromoted,
        (false, _) => CompletionStatus::Promoted,
    };
    (result, wish)
}

fn outcome(
    release: &Release<'_>,
    hash: &TemplateHash,
    result: CompletionStatus,
    why: String,
    who: Option<&str>,
) -> ReleaseOutcome {
    let set = release.all().find(|set| set.hash() == hash.as_str());
    let is_new = *hash == release.new_hash;
    let written = || release.rollout.images().filter(|_| is_new).map(<[String]>::to_vec);
    let images = set.map(|set| images(&set.template.unpacked())).or_else(written);
    ReleaseOutcome {
        revision: if is_new { Some(release.revision) } else { set.map(revisions::number) },
        images: images.filter(|images| !images.is_empty()),
        pod_hash: Some(hash.clone()),
        from: None,
        to: None,
        result: Some(result),
        why: Some(why),
        who: who.map(str::to_owned),
    }
}

fn images(template: &PodTemplate) -> Vec<String> {
    template.images().map(str::to_owned).collect()
}
