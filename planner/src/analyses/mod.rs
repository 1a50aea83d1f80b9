//! The AnalysisRuns of a release: which are wanted, what they say, and which are over.

pub(crate) mod check;
mod gate;
mod keep;
mod runs;

pub(crate) use check::mistakes;
pub(crate) use gate::{Gate, judge, note, take_back_what_failed};
pub(crate) use keep::writes;
pub(crate) use runs::{NewRun, Runs, find, last_measurements};

use sluice_analysis::names::RunKind;

/// What people call a kind of run.
pub(crate) fn called(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Step(_) => "analysis of the step",
        RunKind::Background => "background analysis",
        RunKind::PrePromotion => "analysis before the switch",
        RunKind::PostPromotion => "analysis after the switch",
    }
}
