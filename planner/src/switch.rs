//! Blue-green: what lies between a preview that is there and the moment at which it is the stable revision.

use jiff::{SignedDuration, Timestamp};
use sluice_analysis::names::RunKind;
use sluice_crds::rollout::BlueGreenStrategy;
use sluice_crds::rollout::status::PauseReason;

use crate::advance::{Advanced, is_complete, pause_is_over, promote};
use crate::analyses::{self, Gate};
use crate::conditions;
use crate::observe::Release;
use crate::plan::Event;
use crate::snapshot::ReplicaSet;
use crate::strategy::blue_green::{is_active, preview_pods};

/// Goes from the preview over its checks to the switch, and promotes behind it.
pub(crate) fn advance<'a>(
    release: &Release<'a>,
    blue_green: &'a BlueGreenStrategy,
    new: &ReplicaSet,
    advanced: &mut Advanced<'a>,
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
    } else {
        analyses::note(release, advanced, RunKind::PrePromotion);
    }
    // With no pods wanted there is nothing to wait for, but neither is traffic taken from pods that still serve.
    let serves = new.available_to_stay() > 0 || !release.all().any(|set| is_active(release, set) && set.ready > 0);
    advanced.may_switch = (complete && serves) || sabotaged!(SwitchesTooEarly);
    if advanced.may_switch && is_verified(release, blue_green, new, advanced, fast, now) {
        let how = match (release.facts.promote_full, fast) {
            (true, _) => "Full promotion requested",
            (false, true) => "Rollback to an earlier revision",
            (false, false) => "Completed blue-green update",
        };
        promote(release, advanced, how);
    }
}

/// Whether the preview has stood as long as it was to stand.
fn may_leave_preview<'a>(
    release: &Release<'a>,
    blue_green: &'a BlueGreenStrategy,
    new: &ReplicaSet,
    advanced: &mut Advanced<'a>,
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
    if !sabotaged!(SkipsTheFirstCheck)
        && let Some(analysis) = &blue_green.pre_promotion_analysis
        && analyses::judge(release, advanced, RunKind::PrePromotion, analysis, now) != Gate::Passed
    {
        return false;
    }
    pause_is_over(advanced, PauseReason::BlueGreenPause, length_of_pause(blue_green), now)
}

/// How long the preview stands before it is promoted by itself, if it is.
pub(crate) fn length_of_pause(blue_green: &BlueGreenStrategy) -> Option<SignedDuration> {
    let seconds = blue_green.auto_promotion_seconds().max(0);
    blue_green.auto_promotion_enabled().then(|| SignedDuration::from_secs(i64::from(seconds)))
}

/// Whether the analysis behind the switch has succeeded, where one is asked for. Until then the old revision stays
/// complete.
fn is_verified<'a>(
    release: &Release<'a>,
    blue_green: &'a BlueGreenStrategy,
    new: &ReplicaSet,
    advanced: &mut Advanced<'a>,
    fast: bool,
    now: Timestamp,
) -> bool {
    let Some(analysis) =
        blue_green.post_promotion_analysis.as_ref().filter(|_| !fast && !sabotaged!(SkipsTheLastCheck))
    else {
        return true;
    };
    if !is_active(release, new) {
        return false;
    }
    analyses::judge(release, advanced, RunKind::PostPromotion, analysis, now) == Gate::Passed
}

fn leave_pause(release: &Release<'_>, advanced: &mut Advanced<'_>) {
    let facts = &mut advanced.facts;
    let waited = facts.paused_by_us && conditions::was_paused(release);
    facts.pauses.retain(|pause| pause.reason != Some(PauseReason::BlueGreenPause));
    facts.paused_by_us = !facts.pauses.is_empty();
    if waited && facts.pauses.is_empty() {
        advanced.events.push(Event::normal("RolloutResumed", "Rollout is resumed".to_owned()));
    }
}
