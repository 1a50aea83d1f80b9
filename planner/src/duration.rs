//! How long a release takes, and how long of that it waits for people.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::{CompletionStatus, ReleaseDuration};

use crate::advance::Advanced;
use crate::observe::Release;

/// The duration after this pass, which ends the release where there is a result.
pub(crate) fn duration(
    release: &Release<'_>,
    advanced: &Advanced<'_>,
    result: Option<CompletionStatus>,
    now: Timestamp,
) -> Option<ReleaseDuration> {
    let begins = release.is_other_revision() || release.is_retried();
    let mut duration = release.stored.duration.clone().unwrap_or_default();
    if begins && !release.is_fully_promoted() {
        let started = (!release.is_held).then_some(Time(now));
        duration = ReleaseDuration { rollout_started_at: started, ..ReleaseDuration::default() };
    }
    let is_under_way = !release.is_fully_promoted() && advanced.facts.aborted_at.is_none() && !advanced.promoted;
    match (is_under_way && waits_for_a_person(release, advanced), &duration.manual_pause_started_at) {
        (true, None) => duration.manual_pause_started_at = Some(Time(now)),
        (false, Some(Time(since))) => {
            let waited = now.duration_since(*since).as_secs().max(0);
            let so_far = duration.total_manual_pause_duration_seconds.unwrap_or(0);
            duration.total_manual_pause_duration_seconds = Some(so_far.saturating_add(waited));
            duration.manual_pause_started_at = None;
        }
        _ => {}
    }
    if let Some(result) = result {
        duration.finished_at = Some(Time(now));
        duration.completion_status = Some(result);
    }
    (duration != ReleaseDuration::default()).then_some(duration)
}

/// A pause that ends by itself waits for nobody.
fn waits_for_a_person(release: &Release<'_>, advanced: &Advanced<'_>) -> bool {
    release.rollout.spec.paused() || (!advanced.facts.pauses.is_empty() && advanced.wake_at.is_none())
}
