//! Gives out passes: as many at once as allowed, one per Rollout, and only while this replica leads.

use std::sync::Arc;
use std::time::Duration;

use sluice_planner::engine::{Moment, Outcome};
use tokio::task::JoinSet;

use crate::cache::Name;
use crate::clock::Clock;
use crate::fence::Fence;
use crate::pass::Passes;
use crate::shutdown::{Shutdown, ShutdownHandle};

/// Runs passes until shutdown; then lets those under way end.
pub(crate) async fn run(
    passes: Arc<Passes>,
    mut fence: Fence,
    most_at_once: usize,
    resync: Duration,
    mut shutdown: Shutdown,
    ended: ShutdownHandle,
) {
    let (hub, clock) = (Arc::clone(&passes.hub), passes.clock);
    let mut under_way: JoinSet<(Name, Outcome)> = JoinSet::new();
    let mut resync_at = clock.moment().saturating_add(resync);
    while !shutdown.begun() {
        let ready = fence.may_write() && hub.missing().is_empty();
        while ready && under_way.len() < most_at_once {
            let Some(name) = hub.next() else { break };
            let passes = Arc::clone(&passes);
            under_way.spawn(async move {
                let outcome = passes.run(&name).await;
                (name, outcome)
            });
        }
        if clock.moment() >= resync_at {
            resync_at = clock.moment().saturating_add(resync);
            hub.add_all();
        }
        let room = ready && under_way.len() < most_at_once;
        let wake_at = if room { hub.next_due() } else { None };
        tokio::select! {
            Some(done) = under_way.join_next(), if !under_way.is_empty() => settle(&passes, done),
            () = hub.stirred() => {}
            () = fence.changed() => {}
            () = sleep_until(clock, wake_at.map_or(resync_at, |at| at.min(resync_at))) => {}
            () = shutdown.wait() => {}
        }
    }
    while let Some(done) = under_way.join_next().await {
        settle(&passes, done);
    }
    ended.passes_ended();
}

async fn sleep_until(clock: Clock, at: Moment) {
    tokio::time::sleep_until(clock.instant(at)).await;
}

fn settle(passes: &Passes, done: Result<(Name, Outcome), tokio::task::JoinError>) {
    match done {
        Ok((name, outcome)) => passes.hub.done(&name, outcome),
        // Passes catch their own panics and nobody cancels them.
        Err(problem) => tracing::error!("a bug: a pass ended without an outcome: {problem}"),
    }
}
