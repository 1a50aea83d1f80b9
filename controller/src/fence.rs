//! Whether this process may write at this very moment.

use sluice_planner::engine::Moment;
use tokio::sync::watch;

use crate::clock::Clock;

/// The leader's permission to write, looked at before each single write and not only when leadership changes.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    clock: Clock,
    deadline: watch::Receiver<Option<Moment>>,
}

impl Fence {
    /// A fence whose gate is the deadline that the election publishes.
    pub(crate) fn new(clock: Clock, deadline: watch::Receiver<Option<Moment>>) -> Self {
        Self { clock, deadline }
    }

    pub(crate) fn may_write(&self) -> bool {
        self.deadline.borrow().is_some_and(|deadline| self.clock.moment() < deadline)
    }

    /// Waits until leadership begins, is prolonged, or ends.
    pub(crate) async fn changed(&mut self) {
        if self.deadline.changed().await.is_err() {
            // The election is over for good: nothing will ever change again.
            std::future::pending::<()>().await;
        }
    }
}
