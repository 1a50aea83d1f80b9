//! How much of the traffic has met a release: share times time, summed up whenever the share changes, so that the
//! number does not tick.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::rollout::status::Exposure;

use crate::observe::Release;

/// The exposure after this pass, in which the new revision has so many percent of the traffic.
pub(crate) fn exposure(release: &Release<'_>, promoted: bool, percent: i32, now: Timestamp) -> Option<Exposure> {
    let stored = release.stored.exposure.as_ref();
    if release.is_fully_promoted() {
        return stored.map(|before| closed(before, now));
    }
    release.stable?;
    let begins = release.is_other_revision() || release.is_retried();
    let before = stored.filter(|_| !begins).cloned().unwrap_or_default();
    let is_over = promoted || (release.facts.aborted_at.is_some() && percent == 0);
    if is_over {
        return Some(closed(&before, now));
    }
    if before.percent == Some(percent) {
        return Some(before);
    }
    let percent_seconds = Some(sum(&before, now));
    Some(Exposure { percent_seconds, percent: Some(percent), since: Some(Time(now)) })
}

fn closed(before: &Exposure, now: Timestamp) -> Exposure {
    Exposure { percent_seconds: Some(sum(before, now)), percent: None, since: None }
}

/// The sum up to now.
fn sum(before: &Exposure, now: Timestamp) -> i64 {
    let seconds = before.since.as_ref().map_or(0, |Time(since)| now.duration_since(*since).as_secs().max(0));
    let percent = i64::from(before.percent.unwrap_or(0));
    before.percent_seconds.unwrap_or(0).saturating_add(percent.saturating_mul(seconds))
}
