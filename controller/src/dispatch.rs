//! Gives out passes: as many at once as allowed, one per object, and only while this replica leads.

use std::sync::Arc;
use std::time::Duration;

use sluice_planner::engine::{Moment, Outcome};
use tokio::task::JoinSet;

use crate::cache::Name;
use crate::clock::Clock;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::shutdown::Shutdown;
use crate::work::Work;

/// What makes the passes over objects of one kind.
pub(crate) trait Worker: Send + Sync + 'static {
    fn work(&self) -> Work;
    fn hub(&self) -> &Arc<Hub>;
    fn clock(&self) -> Clock;
    fn pass(&self, name: &Name) -> impl Future<Output = Outcome> + Send;
    /// This replica leads no more, so nothing is to be begun for anybody.
    fn stand_by(&self);
}

/// Runs passes until shutdown; then lets those under way end.
pub(crate) async fn run<W: Worker>(
    worker: Arc<W>,
    mut fence: Fence,
    most_at_once: usize,
    resync: Duration,
    mut shutdown: Shutdown,
) {
    let (work, hub, clock) = (worker.work(), Arc::clone(worker.hub()), worker.clock());
    let mut under_way: JoinSet<(Name, Outcome)> = JoinSet::new();
    let mut resync_at = clock.moment().saturating_add(resync);
    let mut led = false;
    while !shutdown.begun() {
        let leads = fence.may_write();
        if led && !leads {
            worker.stand_by();
        }
        if leads && !led {
            hub.add_all(work);
        }
        led = leads;
        let ready = leads && hub.missing().is_empty();
        while ready && under_way.len() < most_at_once {
            let Some(name) = hub.next(work) else { break };
            let worker = Arc::clone(&worker);
            under_way.spawn(async move {
                let outcome = worker.pass(&name).await;
                (name, outcome)
            });
        }
        if clock.moment() >= resync_at {
            resync_at = clock.moment().saturating_add(resync);
            hub.add_all(work);
        }
        let room = ready && under_way.len() < most_at_once;
        let wake_at = if room { hub.next_due(work) } else { None };
        tokio::select! {
            Some(done) = under_way.join_next(), if !under_way.is_empty() => settle(work, &hub, done),
            () = hub.stirred(work) => {}
            () = fence.changed() => {}
            () = sleep_until(clock, wake_at.map_or(resync_at, |at| at.min(resync_at))) => {}
            () = shutdown.wait() => {}
        }
    }
    while let Some(done) = under_way.join_next().await {
        settle(work, &hub, done);
    }
    worker.stand_by();
}

async fn sleep_until(clock: Clock, at: Moment) {
    tokio::time::sleep_until(clock.instant(at)).await;
}

fn settle(work: Work, hub: &Hub, done: Result<(Name, Outcome), tokio::task::JoinError>) {
    match done {
        Ok((name, outcome)) => hub.done(work, &name, outcome),
        // Passes catch their own panics and nobody cancels them.
        Err(problem) => tracing::error!("a bug: a pass ended without an outcome: {problem}"),
    }
}
