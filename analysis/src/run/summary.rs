//! How the metrics ended, counted.

use sluice_crds::analysis::{AnalysisPhase, RunSummary};

use super::count_of;

/// Counts metrics by the verdicts that they have.
pub(super) fn summary<'p>(metrics: usize, verdicts: impl Iterator<Item = &'p AnalysisPhase>) -> RunSummary {
    let (mut successful, mut failed, mut inconclusive, mut error) = (0, 0, 0, 0);
    for phase in verdicts {
        match phase {
            AnalysisPhase::Successful => successful += 1,
            AnalysisPhase::Failed => failed += 1,
            AnalysisPhase::Inconclusive => inconclusive += 1,
            AnalysisPhase::Error => error += 1,
            AnalysisPhase::Pending | AnalysisPhase::Running | AnalysisPhase::Other(_) => {}
        }
    }
    let some = |count: i32| (count > 0).then_some(count);
    RunSummary {
        count: some(count_of(metrics)),
        successful: some(successful),
        failed: some(failed),
        inconclusive: some(inconclusive),
        error: some(error),
    }
}
