//! What passes are made over: a queue, a gate and workers for each.

use crate::cache::Watched;

/// What passes are made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    Rollouts,
    Runs,
    Experiments,
}

impl Work {
    pub(crate) const ALL: [Self; 3] = [Self::Rollouts, Self::Runs, Self::Experiments];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rollouts => "Rollouts",
            Self::Runs => "AnalysisRuns",
            Self::Experiments => "Experiments",
        }
    }

    /// The kind of the objects.
    pub(crate) const fn kind(self) -> Watched {
        match self {
            Self::Rollouts => Watched::Rollout,
            Self::Runs => Watched::AnalysisRun,
            Self::Experiments => Watched::Experiment,
        }
    }
}
