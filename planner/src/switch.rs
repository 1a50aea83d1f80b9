//! Blue-green: what lies between a preview that is there and the moment at which it is the stable revision.

use jiff::{SignedDuration, Timestamp};
use sluice_crds::rollout::BlueGreenStrategy;
use sluice_crds::rollout::status::PauseReason;

use crate::advance::{Advanced, is_complete, pause_is_over, promote};
use crate::conditions;
use crate::observe::Release;
use crate::plan::Event;
use crate::snapshot::ReplicaSet;
use crate::strategy::blue_green::{is_active, preview_pods};

/// Goes from the preview over its checks to the switch, and promotes behind it.
pub(crate) fn advance(
    release: &Release<'_>,
    blue_green: &BlueGreenStrategy,
    new: &ReplicaSet,
    advanced: &mut Advanced,
    now: Timestamp,
) {
    let complete = is_complete(release, new, release.replicas);
    if release.stable.is_none() {
        if complete {
            promote(release, advanced, "Initial deploy");
        }
        return;
    }
    let fast = release.facts.promote_full || release.is_fast_rollback();
    if !is_active(release, new) {
        if !fast && !may_leave_preview(release, blue_green, new, advanced, now) {
            return;
        }
        leave_pause(release, advanced);
        advanced.facts.past_preview = true;
    }
    advanced.may_switch = complete;
    if complete {
        let how = match (release.facts.promote_full, fast) {
            (true, _) => "Full promotion requested",
            (false, true) => "Rollback to an earlier revision",
            (false, false) => "Completed blue-green update",
        };
        promote(release, advanced, how);
    }
}

/// Whether the preview has stood as long as it was to stand.
fn may_leave_preview(
    release: &Release<'_>,
    blue_green: &BlueGreenStrategy,
    new: &ReplicaSet,
    advanced: &mut Advanced,
    now: Timestamp,
) -> bool {
    if advanced.facts.past_preview {
        return true;
    }
    let is_there = is_complete(release, new, preview_pods(release, blue_green));
    let waits_already = advanced.facts.paused_by_us;
    if !is_there && !waits_already {
        return false;
    }
    pause_is_over(advanced, PauseReason::BlueGreenPause, length_of_pause(blue_green), now)
}

/// How long the preview stands before it is promoted by itself, if it is.
pub(crate) fn length_of_pause(blue_green: &BlueGreenStrategy) -> Option<SignedDuration> {
    let seconds = blue_green.auto_promotion_seconds().max(0);
    blue_green.auto_promotion_enabled().then(|| SignedDuration::from_secs(i64::from(seconds)))
}

fn leave_pause(release: &Release<'_>, advanced: &mut Advanced) {
    let facts = &mut advanced.facts;
    let waited = facts.paused_by_us && conditions::was_paused(release);
    facts.pauses.retain(|pause| pause.reason != Some(PauseReason::BlueGreenPause));
    facts.paused_by_us = !facts.pauses.is_empty();
    if waited && facts.pauses.is_empty() {
        advanced.events.push(Event::normal("RolloutResumed", "Rollout is resumed".to_owned()));
    }
}
