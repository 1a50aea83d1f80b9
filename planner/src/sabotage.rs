//! Deliberate mistakes, one at a time, by which the judges of the simulator are proved: each must be caught. Only with
//! the feature `sabotage`; without it the places that ask for one are constants.

use std::cell::Cell;

/// A mistake that the planner makes on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Pods go although traffic may still reach them.
    DrainsTooEarly,
    /// Without routers, ready pods go before others are available for them.
    DrainsUncovered,
    /// One pod more than `maxSurge` allows.
    ExceedsSurge,
    /// As if any number of pods could be missing.
    IgnoresUnavailable,
    /// One of two Services is never moved.
    ForgetsASelector,
    /// A Service moves back and forth between two revisions that both could serve.
    FlapsASelector,
    /// Blue-green switches to a revision that is not complete.
    SwitchesTooEarly,
    /// The canary destination leads to a revision without pods.
    LeadsToNoPods,
    /// The pods that a share needs are rounded down.
    RoundsDown,
    /// A share is raised before its pods are available.
    RaisesTooEarly,
    /// A share counts as in force as soon as it is written.
    IgnoresPropagation,
    /// All traffic goes back at once, whatever stable can bear.
    AbortsToNothing,
    /// Nothing holds a Rollout whose share stands in shared routes.
    ForgetsTheFinalizer,
    /// A weight that somebody else has changed is left so.
    NeverReapplies,
    /// No analysis before the switch is waited for.
    SkipsTheFirstCheck,
    /// No analysis after the switch is waited for.
    SkipsTheLastCheck,
    /// The stable ReplicaSet counts as one of the old ones that are forgotten.
    DeletesStable,
    /// An old revision does not keep its pods for its delay.
    ForgetsTheDelay,
    /// A status is written over whatever is there.
    OverwritesWishes,
    /// No write says what it was decided from, but for the object.
    HasNoPreconditions,
    /// A write does not even say which object it is about.
    NamesNoObject,
    /// A release that was taken back begins again after a while.
    RetriesByItself,
    /// A pause is over as soon as it begins.
    SkipsPauses,
    /// Each step that is done takes the next one with it.
    TakesTwoSteps,
    /// What a person has paused goes on.
    GoesOnWhilePaused,
    /// A promotion of one revision counts for the next one.
    PromotesTheNext,
    /// A revision is complete with its first pod.
    PromotesIncomplete,
    /// What was taken back is not remembered.
    ForgetsWhatFailed,
    /// A pod counts as soon as it is ready.
    IgnoresMinReady,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::DrainsTooEarly,
        Self::DrainsUncovered,
        Self::ExceedsSurge,
        Self::IgnoresUnavailable,
        Self::ForgetsASelector,
        Self::FlapsASelector,
        Self::SwitchesTooEarly,
        Self::LeadsToNoPods,
        Self::RoundsDown,
        Self::RaisesTooEarly,
        Self::IgnoresPropagation,
        Self::AbortsToNothing,
        Self::ForgetsTheFinalizer,
        Self::NeverReapplies,
        Self::SkipsTheFirstCheck,
        Self::SkipsTheLastCheck,
        Self::DeletesStable,
        Self::ForgetsTheDelay,
        Self::OverwritesWishes,
        Self::HasNoPreconditions,
        Self::NamesNoObject,
        Self::RetriesByItself,
        Self::SkipsPauses,
        Self::TakesTwoSteps,
        Self::GoesOnWhilePaused,
        Self::PromotesTheNext,
        Self::PromotesIncomplete,
        Self::ForgetsWhatFailed,
        Self::IgnoresMinReady,
    ];
}

thread_local! {
    static MADE: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// From now on the planner makes this mistake on this thread, or none.
pub fn make(mistake: Option<Mistake>) {
    MADE.set(mistake);
}

pub(crate) fn is_made(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}
