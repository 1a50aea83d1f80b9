//! The watches of routing objects and of those that templates are taken from: each begins when the first Rollout needs its kind, and ends when none does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, pending, select_all};
use futures::stream::FuturesUnordered;
use kube::Client;
use sluice_planner::engine::{Backoff, Jitter};
use tokio::sync::Semaphore;

use super::discovery::served_version;
use crate::cache::{Cached, Needed, Unread, Watched};
use crate::hub::Hub;
use crate::informer;
use crate::line;
use crate::read::needed;
use crate::requests::{RequestError, Requests};
use crate::shutdown::Shutdown;

/// A kind that the cluster doesn't know is looked for so often: its CRDs may be installed at any time.
const LOOKED_FOR: Duration = Duration::from_secs(10);

/// Objects that are read at once where many Rollouts begin to need one.
const READ_AT_ONCE: usize = 8;

/// What all of them need.
pub(crate) struct RouteWatches {
    pub(crate) client: Client,
    /// Empty for all namespaces.
    pub(crate) namespace: String,
    pub(crate) hub: Arc<Hub>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) jitter: Jitter,
}

/// Keeps the routing objects that Rollouts need up to date until shutdown. All of it is one task: what is dropped here
/// is over at once.
pub(crate) async fn run(watches: RouteWatches, mut shutdown: Shutdown) {
    let watches = Arc::new(watches);
    let places = Arc::new(Semaphore::new(READ_AT_ONCE));
    let mut watching: BTreeMap<Watched, BoxFuture<'static, ()>> = BTreeMap::new();
    let mut reading: FuturesUnordered<BoxFuture<'static, Unread>> = FuturesUnordered::new();
    let mut asked: BTreeSet<Unread> = BTreeSet::new();
    while !shutdown.begun() {
        let needed = watches.hub.needed_kinds();
        for kind in watching.keys().copied().filter(|kind| !needed.contains(kind)).collect::<Vec<_>>() {
            watching.remove(&kind);
            watches.hub.end_watch(kind);
        }
        for kind in needed {
            watching.entry(kind).or_insert_with(|| Arc::clone(&watches).watch(kind).boxed());
        }
        for unread in watches.hub.unread() {
            if asked.insert(unread.clone()) {
                reading.push(Arc::clone(&watches).read(unread, Arc::clone(&places)).boxed());
            }
        }
        tokio::select! {
            () = watches.hub.routes_stirred() => {}
            () = any_of(&mut watching) => {}
            Some(done) = reading.next(), if !reading.is_empty() => drop(asked.remove(&done)),
            () = shutdown.wait() => {}
        }
    }
}

/// Goes on with all of them; none ends by itself.
async fn any_of(watching: &mut BTreeMap<Watched, BoxFuture<'static, ()>>) {
    if watching.is_empty() {
        pending::<()>().await;
    }
    select_all(watching.values_mut()).await;
}

impl RouteWatches {
    async fn watch(self: Arc<Self>, kind: Watched) {
        let mut jitter = self.jitter.clone();
        let discovering = line::discovering(&self.client, self.hub.metrics());
        let client = line::watching(&self.client, kind, &self.hub);
        let mut said = String::new();
        loop {
            match served_version(&discovering, kind).await {
                Ok(Some(version)) => {
                    self.hub.begin_watch(kind, version);
                    let api = informer::api(client.clone(), &self.namespace, &informer::resource(kind, version));
                    informer::follow(kind, api, informer::config(kind, ""), &self.hub, &mut jitter).await;
                }
                Ok(None) => {
                    if self.hub.kind_absent(kind) {
                        tracing::warn!(
                            "the cluster doesn't know the kind {} of {}, which Rollouts need; it is picked up as \
                             soon as its CRDs are there",
                            kind.as_str(),
                            kind.group()
                        );
                    }
                    tokio::time::sleep(LOOKED_FOR).await;
                }
                Err(problem) => informer::pause(kind, &problem, &mut said, &self.hub, &mut jitter).await,
            }
        }
    }

    /// Reads what no watch shows, again and again until there is an answer or nobody needs it any more.
    async fn read(self: Arc<Self>, unread: Unread, places: Arc<Semaphore>) -> Unread {
        let mut jitter = self.jitter.clone();
        let mut failures = 0;
        while self.hub.unread().contains(&unread) {
            let place = places.acquire().await;
            let answer = find(&self.requests, &unread).await;
            drop(place);
            match answer {
                Ok(found) => self.hub.take_read(unread.kind, &unread.name, found),
                Err(problem) => {
                    failures += 1;
                    let pause = Backoff::WATCH.delay(failures, &mut jitter);
                    let kind = unread.kind.as_str();
                    if failures == 1 {
                        tracing::warn!(kind, object = %unread.name, "can't be read, tried again: {problem}");
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
        unread
    }
}

/// What is there of what was asked for; nothing, where nothing is.
///
/// # Errors
/// Whether there is something is not known.
pub(crate) async fn find(requests: &Requests, unread: &Unread) -> Result<Vec<Cached<Needed>>, String> {
    let Unread { kind, version, name } = unread;
    let collection = format!("{}/namespaces/{}/{}", kind.api_prefix(version), name.namespace, kind.plural());
    let path = if name.name.is_empty() { collection } else { format!("{collection}/{}", name.name) };
    let answer = match requests.get(kind.as_str(), &path).await {
        Ok(answer) => answer,
        Err(RequestError::Stale { code: 404, .. }) => return Ok(Vec::new()),
        Err(problem) => return Err(problem.to_string()),
    };
    match answer["items"].as_array() {
        Some(items) if name.name.is_empty() => items.iter().map(|item| needed(*kind, item)).collect(),
        _ => Ok(vec![needed(*kind, &answer)?]),
    }
}
