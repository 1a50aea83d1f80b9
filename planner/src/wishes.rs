//! What is remembered of a release, and what people asked for since: read from status and spec, each wish once.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sluice_crds::Rollout;
use sluice_crds::rollout::CanaryStep;
use sluice_crds::rollout::status::{PauseCondition, RejectedRevision, RolloutStatus, StepPluginStatus};
use sluice_crds::template::{StepHash, TemplateHash};

use crate::analyses::Runs;
use crate::plan::Event;
use crate::snapshot::ReplicaSet;

/// The facts that can't be observed again; all else is computed from the objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// The stable revision; none before the first one was available.
    pub(crate) stable_hash: Option<TemplateHash>,
    /// The current step; the number of steps when all are done.
    pub(crate) step: usize,
    /// Why the release waits, and since when.
    pub(crate) pauses: Vec<PauseCondition>,
    /// Whether we paused it: with `pauses` empty, somebody has resumed.
    pub(crate) paused_by_us: bool,
    /// Since when it is aborted.
    pub(crate) aborted_at: Option<Timestamp>,
    /// Whether somebody asked to skip all that is left.
    pub(crate) promote_full: bool,
    /// Blue-green: whether the preview has stood as long as it was to stand.
    pub(crate) past_preview: bool,
    /// So many pods of the new revision have been available together.
    pub(crate) proven: i32,
    /// The AnalysisRuns that count.
    pub(crate) runs: Runs,
    /// The Experiment of the current step.
    pub(crate) experiment: Option<String>,
    /// What plugins were asked and have said, in the order in which they were first asked.
    pub(crate) plugins: Vec<StepPluginStatus>,
    /// Revisions that were taken back, the latest first.
    pub(crate) rejected: Vec<RejectedRevision>,
}

/// What was read, and what is to be told of it.
pub(crate) struct Read {
    pub(crate) facts: Facts,
    pub(crate) events: Vec<Event>,
    pub(crate) restarts_clock: bool,
}

/// Reads the stored status against the revision and the steps that the spec asks for now.
pub(crate) fn read(
    stored: &RolloutStatus,
    steps: &[CanaryStep],
    new_hash: &TemplateHash,
    step_hash: Option<&StepHash>,
    in_window: bool,
    now: Timestamp,
) -> Read {
    let steps = steps.len();
    let stable_hash = stored.stable_rs.clone().filter(|hash| !hash.is_empty());
    let rejected = stored.rejected.clone().unwrap_or_default();
    let is_stable = stable_hash.as_ref() == Some(new_hash);
    let other_revision = stored.current_pod_hash.as_ref() != Some(new_hash);
    if other_revision || stored.current_step_hash.as_ref() != step_hash {
        let skips = is_stable || (other_revision && in_window);
        let mut events = Vec::new();
        if other_revision && skips {
            let whither = if is_stable { "is the stable revision" } else { "lies within the rollback window" };
            events.push(Event::normal("SkipSteps", format!("Skipping all steps: {new_hash} {whither}")));
        }
        let promote_full = sabotaged!(PromotesTheNext) && stored.promote_full == Some(true);
        let step = if skips { steps } else { 0 };
        let facts = Facts { stable_hash, step, rejected, promote_full, ..Facts::default() };
        return Read { facts, events, restarts_clock: true };
    }
    let mut facts = Facts {
        stable_hash,
        step: usize::try_from(stored.current_step_index.unwrap_or(0)).unwrap_or(0).min(steps),
        pauses: stored.pause_conditions.clone().unwrap_or_default(),
        paused_by_us: stored.controller_pause.unwrap_or(false),
        aborted_at: None,
        promote_full: stored.promote_full.unwrap_or(false),
        past_preview: stored.blue_green.as_ref().and_then(|status| status.scale_up_preview_check_point) == Some(true),
        proven: stored.proven_replicas.unwrap_or(0),
        runs: Runs::read(stored),
        experiment: stored.canary.as_ref().and_then(|canary| canary.current_experiment.clone()),
        plugins: plugins(stored),
        rejected,
    };
    if is_stable {
        // Nothing is being released, so there is nothing to abort, to promote or to wait for.
        let Facts { stable_hash, rejected, plugins, .. } = facts;
        facts = Facts { stable_hash, step: steps, rejected, plugins, ..Facts::default() };
        return Read { facts, events: Vec::new(), restarts_clock: false };
    }
    let aborted_at = stored.aborted_at.as_ref().map(|Time(at)| *at);
    let is_old = |at: Timestamp| now.duration_since(at).as_secs() > 10;
    let retries = sabotaged!(RetriesByItself) && aborted_at.is_some_and(is_old);
    let restarts_clock = match (stored.abort.unwrap_or(false) && !retries, aborted_at) {
        (true, None) => {
            abort(&mut facts, now);
            false
        }
        // Asked for after the abort, which has taken earlier wishes back.
        (true, Some(_)) if facts.promote_full => true,
        (true, Some(at)) => {
            abort(&mut facts, at);
            false
        }
        (false, Some(_)) => {
            facts.step = 0;
            facts.pauses.clear();
            facts.paused_by_us = false;
            facts.past_preview = false;
            facts.runs = Runs::default();
            facts.experiment = None;
            facts.plugins.clear();
            true
        }
        (false, None) => false,
    };
    if facts.promote_full {
        facts.pauses.clear();
        facts.paused_by_us = false;
        facts.runs = Runs::default();
        facts.experiment = None;
    }
    Read { facts, events: Vec::new(), restarts_clock }
}

fn plugins(stored: &RolloutStatus) -> Vec<StepPluginStatus> {
    stored.canary.as_ref().and_then(|canary| canary.step_plugin_statuses.clone()).unwrap_or_default()
}

/// Back to stable, to stay there until somebody says otherwise.
pub(crate) fn abort(facts: &mut Facts, at: Timestamp) {
    facts.aborted_at = Some(at);
    facts.step = 0;
    facts.pauses.clear();
    facts.paused_by_us = false;
    facts.promote_full = false;
    facts.past_preview = false;
    facts.proven = 0;
    facts.experiment = None;
}

/// A revision that was rejected before stays where it is, if users want that, until somebody retries: as one that
/// is aborted before it began. Says whether it is held now.
pub(crate) fn hold(
    facts: &mut Facts,
    stored: &RolloutStatus,
    new_hash: &TemplateHash,
    wanted: bool,
    now: Timestamp,
) -> bool {
    let mut rejected = facts.rejected.iter().filter(|rejected| rejected.pod_hash.as_ref() == Some(new_hash));
    let Some(rejected) = rejected.next() else { return false };
    if facts.stable_hash.as_ref().is_none_or(|stable| stable == new_hash) {
        return false;
    }
    if stored.current_pod_hash.as_ref() == Some(new_hash) {
        // What was rejected in its own release was so when that was aborted.
        return facts.aborted_at.is_some() && stored.aborted_at.is_some() && rejected.at != stored.aborted_at;
    }
    if wanted {
        abort(facts, now);
    }
    wanted
}

/// So many revisions that were taken back are remembered.
const MOST_REJECTED: usize = 10;

/// Remembers that a revision was taken back, and why.
pub(crate) fn reject(facts: &mut Facts, hash: &TemplateHash, reason: String) {
    forgive(facts, hash);
    let at = facts.aborted_at.map(Time);
    facts.rejected.insert(0, RejectedRevision { pod_hash: Some(hash.clone()), at, reason: Some(reason) });
    facts.rejected.truncate(MOST_REJECTED);
}

/// A revision that became stable was not so bad.
pub(crate) fn forgive(facts: &mut Facts, hash: &TemplateHash) {
    facts.rejected.retain(|rejected| rejected.pod_hash.as_ref() != Some(hash));
}

/// Whether the wanted revision is an earlier one, so near that going back skips steps.
pub(crate) fn in_rollback_window(
    rollout: &Rollout,
    owned: &[&ReplicaSet],
    new: Option<&ReplicaSet>,
    stable: Option<&ReplicaSet>,
) -> bool {
    let window = rollout.spec.rollback_window.as_ref().and_then(|window| window.revisions);
    let (Some(window), Some(new), Some(stable)) = (window, new, stable) else { return false };
    let (from, to) = (new.meta.created_at, stable.meta.created_at);
    if from >= to {
        return false;
    }
    let between = owned.iter().filter(|set| set.meta.created_at > from && set.meta.created_at < to).count();
    i32::try_from(between).is_ok_and(|between| between < window)
}
