//! What the hub has to do with routing, and with the objects that templates are taken from: the watches that come and go, and the answers to probes.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_planner::plugins;
use sluice_planner::probe::Answer;

use super::{FLOCK, Haste, Hub};
use crate::cache::{Cached, Concerned, Name, Needed, Unread, Watched};
use crate::work::Work;

impl Hub {
    /// Objects of other namespaces can't be looked at.
    pub(crate) fn look_only_at(&self, namespace: &str) {
        self.state().cache.routes.look_only_at(namespace);
    }

    /// The kinds of routing objects that are to be watched now; none before all Rollouts were seen, so that one list
    /// serves them all.
    pub(crate) fn needed_kinds(&self) -> BTreeSet<Watched> {
        let state = self.state();
        if state.cache.missing().contains(&Watched::Rollout) {
            return BTreeSet::new();
        }
        state.cache.routes.needed_kinds()
    }

    /// The routing objects that no watch will show unless they are read.
    pub(crate) fn unread(&self) -> Vec<Unread> {
        self.state().cache.routes.unread()
    }

    /// Waits until other routing objects may be needed than before.
    pub(crate) async fn routes_stirred(&self) {
        self.routes_stirred.notified().await;
    }

    pub(crate) fn begin_watch(&self, kind: Watched, version: &'static str) {
        self.state().cache.routes.begin_watch(kind, version);
    }

    pub(crate) fn end_watch(&self, kind: Watched) {
        let mut state = self.state();
        state.cache.routes.end_watch(kind);
        state.watches.remove(&kind);
        self.stir(state);
    }

    /// The cluster doesn't know this kind. Returns whether it is the first to say so.
    pub(crate) fn kind_absent(&self, kind: Watched) -> bool {
        let mut state = self.state();
        // A watch of nothing is not a broken one.
        state.watches.remove(&kind);
        let concerned = of_rollouts(state.cache.routes.kind_absent(kind));
        let is_news = !concerned.is_empty();
        state.wake(&concerned, Haste::InAFlock, self.clock.moment());
        self.stir(state);
        is_news
    }

    /// This account may not look at objects of this kind.
    pub(super) fn forbidden(&self, kind: Watched) {
        let mut state = self.state();
        let concerned = of_rollouts(state.cache.routes.forbidden(kind));
        state.wake(&concerned, Haste::InAFlock, self.clock.moment());
        self.stir(state);
    }

    /// What was asked for because no watch shows it.
    pub(crate) fn take_read(&self, kind: Watched, name: &Name, found: Vec<Cached<Needed>>) {
        let mut state = self.state();
        let concerned = of_rollouts(state.cache.routes.take_read(kind, name, found));
        state.wake(&concerned, Haste::InAFlock, self.clock.moment());
        self.stir(state);
    }

    /// The latest answer to a probe of this Rollout.
    pub(crate) fn probed(&self, rollout: &Name) -> Option<Answer> {
        self.state().probed.get(rollout).cloned()
    }

    /// A probe has ended, and its Rollout is looked at again.
    pub(crate) fn take_answer(&self, rollout: &Name, answer: Answer) {
        let now = self.clock.moment();
        let mut state = self.state();
        if state.cache.version(Watched::Rollout, rollout).is_some() {
            state.probed.insert(rollout.clone(), answer);
            state.rollouts.queue.add(rollout, now.saturating_add(FLOCK));
        }
        self.stir(state);
    }

    /// Steps can name these plugins.
    pub(crate) fn know_plugins(&self, plugins: impl IntoIterator<Item = String>) {
        self.state().plugins = Arc::new(plugins.into_iter().collect());
    }

    /// A call of a plugin has ended, and its Rollout is looked at again.
    pub(crate) fn take_reply(&self, rollout: &Name, answer: plugins::Answer) {
        let now = self.clock.moment();
        let mut state = self.state();
        if state.cache.version(Watched::Rollout, rollout).is_some() {
            state.called.insert(rollout.clone(), answer);
            state.rollouts.queue.add(rollout, now.saturating_add(FLOCK));
        }
        self.stir(state);
    }

    /// The kinds whose watches are begun: those that always are, and those that a Rollout needs now.
    pub(crate) fn watched_kinds(&self) -> Vec<Watched> {
        let state = self.state();
        Watched::ALL.into_iter().chain(state.cache.routes.needed_kinds()).collect()
    }
}

fn of_rollouts(names: BTreeSet<Name>) -> Concerned {
    names.into_iter().map(|name| (Work::Rollouts, name)).collect()
}
