//! Which run is which: as the status remembers them, and as they are.

use sluice_analysis::names::{RunKind, run_name};
use sluice_crds::AnalysisRun;
use sluice_crds::analysis::AnalysisPhase;
use sluice_crds::rollout::RolloutAnalysis;
use sluice_crds::rollout::status::{AnalysisRunRef, BlueGreenStatus, CanaryStatus, RolloutStatus};

use crate::observe::Release;

/// The runs of the current release, as far as they have begun.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runs {
    pub(crate) step: Option<AnalysisRunRef>,
    pub(crate) background: Option<AnalysisRunRef>,
    pub(crate) pre_promotion: Option<AnalysisRunRef>,
    pub(crate) post_promotion: Option<AnalysisRunRef>,
}

/// A run that is to begin.
#[derive(Clone)]
pub(crate) struct NewRun<'a> {
    pub(crate) name: String,
    pub(crate) kind: RunKind,
    pub(crate) asked: &'a RolloutAnalysis,
}

impl Runs {
    pub(crate) fn read(status: &RolloutStatus) -> Self {
        let canary = status.canary.clone().unwrap_or_default();
        let blue_green = status.blue_green.clone().unwrap_or_default();
        Self {
            step: canary.current_step_analysis_run_status,
            background: canary.current_background_analysis_run_status,
            pre_promotion: blue_green.pre_promotion_analysis_run_status,
            post_promotion: blue_green.post_promotion_analysis_run_status,
        }
    }

    pub(crate) fn write_canary(&self, status: &mut CanaryStatus) {
        status.current_step_analysis_run_status.clone_from(&self.step);
        status.current_background_analysis_run_status.clone_from(&self.background);
    }

    pub(crate) fn write_blue_green(&self, status: &mut BlueGreenStatus) {
        status.pre_promotion_analysis_run_status.clone_from(&self.pre_promotion);
        status.post_promotion_analysis_run_status.clone_from(&self.post_promotion);
    }

    pub(crate) fn of(&mut self, kind: RunKind) -> &mut Option<AnalysisRunRef> {
        match kind {
            RunKind::Step(_) => &mut self.step,
            RunKind::Background => &mut self.background,
            RunKind::PrePromotion => &mut self.pre_promotion,
            RunKind::PostPromotion => &mut self.post_promotion,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &AnalysisRunRef> {
        [&self.step, &self.background, &self.pre_promotion, &self.post_promotion].into_iter().flatten()
    }

    /// Whether a run of this name counts for the release as it is.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all().any(|run| run.name == name)
    }
}

/// The run of this name, if it is this Rollout's.
pub(crate) fn find<'a>(release: &Release<'a>, name: &str) -> Option<&'a AnalysisRun> {
    let run = release.runs.iter().find(|run| run.metadata.name.as_deref() == Some(name))?;
    is_ours(release, run).then_some(&**run)
}

pub(crate) fn is_ours(release: &Release<'_>, run: &AnalysisRun) -> bool {
    let owners = run.metadata.owner_references.iter().flatten();
    owners
        .into_iter()
        .any(|owner| owner.controller == Some(true) && Some(&owner.uid) == release.rollout.metadata.uid.as_ref())
}

pub(crate) fn phase_of(run: &AnalysisRun) -> AnalysisPhase {
    let phase = run.status.as_ref().and_then(|status| status.phase.clone());
    phase.unwrap_or(AnalysisPhase::Pending)
}

/// The name for the next run of a kind: the first that no run has. One that has it, is ours and still goes on was
/// begun just before a crash, and is taken up.
pub(crate) fn next_name(release: &Release<'_>, kind: RunKind) -> String {
    let base = base_name(release, kind);
    let mut name = base.clone();
    let mut again = 0_u32;
    while let Some(there) = release.runs.iter().find(|run| run.metadata.name.as_deref() == Some(name.as_str())) {
        let goes_on = !phase_of(there).is_completed() && !there.spec.terminate();
        if goes_on && is_ours(release, there) {
            break;
        }
        again += 1;
        name = format!("{base}.{again}");
    }
    name
}

/// Whether a remembered run belongs to this kind at this place: a person may have moved the step.
pub(crate) fn belongs(release: &Release<'_>, kind: RunKind, run: &AnalysisRunRef) -> bool {
    let base = base_name(release, kind);
    run.name == base || run.name.strip_prefix(&base).is_some_and(|rest| rest.starts_with('.'))
}

fn base_name(release: &Release<'_>, kind: RunKind) -> String {
    run_name(release.name(), release.new_hash.as_str(), release.revision, kind)
}

/// What was measured last, metric by metric, in one sentence.
pub(crate) fn last_measurements(run: &AnalysisRun) -> String {
    let results = run.status.iter().flat_map(|status| status.metric_results.iter().flatten());
    let counted = results.filter(|result| result.dry_run != Some(true));
    let said = counted.filter_map(|result| {
        let last = result.measurements.as_deref()?.last()?;
        let text = last.message.as_deref().or(last.value.as_deref())?;
        let named = text.starts_with(&result.name);
        Some(if named { text.to_owned() } else { format!("{} {text}", result.name) })
    });
    let said: Vec<String> = said.take(3).collect();
    if said.is_empty() { "nothing measured yet".to_owned() } else { said.join("; ") }
}
