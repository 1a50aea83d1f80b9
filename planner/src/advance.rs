//! How far a release has come: what is done since the stored status, told in order.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_analysis::names::RunKind;
use sluice_crds::rollout::ProgressThresholdKind;
use sluice_crds::rollout::status::{PauseCondition, PauseReason};
use sluice_crds::values::Rounding;

use crate::analyses::{self, NewRun};
use crate::observe::{Release, Strategy};
use crate::plan::Event;
use crate::plugins::Call;
use crate::snapshot::ReplicaSet;
use crate::traffic::Wait;
use crate::trials::{self, NewTrial};
use crate::wishes::{self, Facts};
use crate::{plugins, steps, switch};

/// The facts after this pass.
pub(crate) struct Advanced<'a> {
    pub(crate) facts: Facts,
    pub(crate) events: Vec<Event>,
    /// When a pause ends by itself.
    pub(crate) wake_at: Option<Timestamp>,
    /// AnalysisRuns that are to begin.
    pub(crate) new_runs: Vec<NewRun<'a>>,
    /// The run whose verdict the release waits for.
    pub(crate) waits_for_run: Option<RunKind>,
    /// The Experiment that is to begin.
    pub(crate) new_trial: Option<NewTrial<'a>>,
    /// The Experiment whose verdict the release waits for.
    pub(crate) waits_for_experiment: Option<String>,
    /// What its routers have yet to do for the current step.
    pub(crate) waits_for_routers: Option<Wait>,
    /// Whether a plugin has yet to carry out the current step.
    pub(crate) waits_for_plugin: bool,
    /// The plugin that is to be called now.
    pub(crate) call: Option<Call>,
    /// What took the release back in this pass, if an analysis, an Experiment or a plugin did.
    pub(crate) failure: Option<String>,
    /// What can't be measured now, so that nothing goes on.
    pub(crate) blind: Option<String>,
    /// Whether all is ready for the active Service to move to the new revision.
    pub(crate) may_switch: bool,
    /// Whether the new revision became the stable one in this pass.
    pub(crate) promoted: bool,
    /// How it became that.
    pub(crate) how: Option<String>,
}

/// Goes as far as what is there allows, and promotes at the end.
pub(crate) fn advance<'a>(release: &Release<'a>, now: Timestamp) -> Advanced<'a> {
    let mut advanced = Advanced {
        facts: release.facts.clone(),
        events: Vec::new(),
        wake_at: None,
        new_runs: Vec::new(),
        waits_for_run: None,
        new_trial: None,
        waits_for_experiment: None,
        waits_for_routers: None,
        waits_for_plugin: false,
        call: None,
        failure: None,
        blind: None,
        may_switch: false,
        promoted: false,
        how: None,
    };
    let aborted = advanced.facts.aborted_at.is_some();
    let Some(new) = release.new else { return advanced };
    if aborted || release.is_fully_promoted() {
        plugins::wind_up(release, &mut advanced, now);
        return advanced;
    }
    if (release.rollout.spec.paused() && !sabotaged!(GoesOnWhilePaused)) || release.hindrance.is_some() {
        analyses::take_back_what_failed(release, &mut advanced, now);
        if advanced.failure.is_none() {
            trials::take_back_what_failed(release, &mut advanced, now);
        }
        return advanced;
    }
    advanced.facts.proven = proven(release, new);
    match release.strategy {
        Strategy::Canary(_) => steps::advance(release, &mut advanced, now),
        Strategy::BlueGreen(blue_green) => switch::advance(release, blue_green, new, &mut advanced, now),
    }
    if advanced.failure.is_none() && advanced.call.is_none() {
        plugins::wind_up(release, &mut advanced, now);
    }
    advanced
}

fn proven(release: &Release<'_>, new: &ReplicaSet) -> i32 {
    let all_available = new.is_observed() && new.available_to_stay() >= new.wanted;
    if all_available { new.wanted } else { release.facts.proven.min(new.wanted) }
}

/// Begins a pause, or says whether it is over: by time, or because somebody took its condition away.
pub(crate) fn pause_is_over(
    advanced: &mut Advanced<'_>,
    reason: PauseReason,
    length: Option<SignedDuration>,
    now: Timestamp,
) -> bool {
    if sabotaged!(SkipsPauses) {
        return true;
    }
    let facts = &mut advanced.facts;
    let since = match facts.pauses.first() {
        Some(pause) if pause.reason.as_ref() == Some(&reason) => pause.start_time.as_ref().map_or(now, |Time(at)| *at),
        Some(_) => return false,
        None if facts.paused_by_us => return true,
        None if length == Some(SignedDuration::ZERO) => return true,
        None => {
            advanced.events.push(Event::normal("RolloutPaused", format!("Rollout is paused ({reason})")));
            facts.pauses = vec![PauseCondition { reason: Some(reason), start_time: Some(Time(now)) }];
            facts.paused_by_us = true;
            now
        }
    };
    // A pause that ends beyond the calendar waits for a person.
    let Some(end) = length.and_then(|length| since.checked_add(length).ok()) else { return false };
    if end > now {
        advanced.wake_at = Some(end);
    }
    end <= now
}

/// Whether all pods of a revision are there, as far as a release needs them.
pub(crate) fn is_complete(release: &Release<'_>, set: &ReplicaSet, pods: i32) -> bool {
    if sabotaged!(PromotesIncomplete) {
        return set.available_to_stay() > 0;
    }
    set.is_observed() && set.wanted == pods && set.available_to_stay() >= needed(release, pods)
}

/// Available pods of the new revision, of so many, that let it pass: all, unless the user is content with less.
/// Once all of them have been available together, those that `maxUnavailable` allows may be lost to nodes that
/// come and go without holding the release.
pub(crate) fn needed(release: &Release<'_>, wanted: i32) -> i32 {
    let content = content_with(release, wanted).min(wanted);
    if release.facts.proven < wanted {
        return content;
    }
    let may_be_lost = release.max_unavailable().resolve_bare_as_percent(wanted, Rounding::Down).unwrap_or(0);
    let last = i32::from(wanted > 0);
    content.min(wanted.saturating_sub(may_be_lost.max(0)).max(last))
}

fn content_with(release: &Release<'_>, wanted: i32) -> i32 {
    let Some(threshold) = release.progress_threshold() else { return wanted };
    let value = threshold.value.unwrap_or(i32::MAX).max(0);
    match threshold.kind {
        Some(ProgressThresholdKind::Percent) => {
            let share = (i64::from(wanted) * i64::from(value) + 99) / 100;
            i32::try_from(share).unwrap_or(wanted)
        }
        Some(ProgressThresholdKind::Pods) => value,
        Some(ProgressThresholdKind::Other(_)) | None => wanted,
    }
}

/// The new revision becomes the stable one.
pub(crate) fn promote(release: &Release<'_>, advanced: &mut Advanced<'_>, how: &str) {
    let (revision, hash) = (release.revision, &release.new_hash);
    let sentence = format!("Rollout completed update to revision {revision} ({hash}): {how}");
    advanced.events.push(Event::normal("RolloutCompleted", sentence));
    let (rejected, plugins) =
        (std::mem::take(&mut advanced.facts.rejected), std::mem::take(&mut advanced.facts.plugins));
    let step = release.steps().len();
    advanced.facts = Facts { stable_hash: Some(hash.clone()), step, rejected, plugins, ..Facts::default() };
    // What would have measured it has nothing to measure any more.
    advanced.new_runs.clear();
    wishes::forgive(&mut advanced.facts, hash);
    advanced.promoted = true;
    advanced.how = Some(how.to_owned());
}
