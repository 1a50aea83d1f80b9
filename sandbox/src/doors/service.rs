//! The cluster as a `tower` service: plugs into `kube::Client::new`, and serves HTTP.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::{HeaderValue, StatusCode};
use http_body::{Body as HttpBody, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use jiff::Timestamp;
use tokio::sync::watch;
use tower_service::Service;

use super::Clock;
use crate::api::request::{Body, Request, Response};
use crate::api::watch::WatchCursor;
use crate::api::{BODY_LIMIT_BYTES, handle, watch_poll};
use crate::clock::VirtualClock;
use crate::cluster::Cluster;
use crate::world::World;

/// An answer's body: all at once, or a watch as it happens.
pub type DoorBody = UnsyncBoxBody<Bytes, Infallible>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A way into one cluster; clones lead to the same one.
#[derive(Debug, Clone)]
pub struct Door {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Goes up whenever a watcher may have something to see.
    stirred: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    inside: Inside,
    clock: Clock,
}

/// What is behind the door.
#[derive(Debug)]
enum Inside {
    /// An API server and nothing else: nobody acts on what is stored.
    Server(World),
    /// A whole cluster, with controllers and nodes.
    Cluster(Box<Cluster>),
}

impl Inside {
    fn world(&self) -> &World {
        match self {
            Self::Server(world) => world,
            Self::Cluster(cluster) => cluster.world(),
        }
    }

    /// Lets the cluster reach `now`, then acts on it, then lets it react.
    fn act<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        match self {
            Self::Server(world) => act(world, now),
            Self::Cluster(cluster) => {
                cluster.advance_to(now);
                let outcome = act(cluster.world_mut(), now);
                cluster.settle();
                outcome
            }
        }
    }
}

impl Door {
    /// A way to an API server behind which nothing acts by itself.
    pub fn new(world: World, clock: Clock) -> Self {
        Self::to(Inside::Server(world), clock)
    }

    /// A way into a whole cluster; [`Door::keep_going`] lets it live between requests.
    pub fn to_cluster(cluster: Cluster, clock: Clock) -> Self {
        Self::to(Inside::Cluster(Box::new(cluster)), clock)
    }

    fn to(inside: Inside, clock: Clock) -> Self {
        let (stirred, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { state: Mutex::new(State { inside, clock }), stirred }) }
    }

    /// Lets the cluster live: whatever is due by itself happens when its time comes. Never ends.
    pub async fn keep_going(&self) -> Infallible {
        let mut stirred = self.shared.stirred.subscribe();
        loop {
            stirred.mark_unchanged();
            let wake_at = {
                let state = self.state();
                match &state.inside {
                    Inside::Server(_) => None,
                    Inside::Cluster(cluster) => cluster.next_wake().and_then(|at| state.clock.runtime_instant(at)),
                }
            };
            match wake_at {
                // The sender lives as long as this door.
                None => drop(stirred.changed().await),
                Some(at) => tokio::select! {
                    _ = stirred.changed() => {}
                    () = tokio::time::sleep_until(at) => self.with_world(|_, _| ()),
                },
            }
        }
    }

    /// Looks at the whole cluster, its traffic included; `None` where there is only an API server.
    pub fn with_cluster<T>(&self, look: impl FnOnce(&mut Cluster) -> T) -> Option<T> {
        let mut state = self.state();
        let now = state.clock.now();
        let Inside::Cluster(cluster) = &mut state.inside else { return None };
        let before = cluster.world().revision();
        cluster.advance_to(now);
        let seen = look(cluster);
        cluster.settle();
        if cluster.world().revision() != before {
            self.stir();
        }
        Some(seen)
    }

    /// The current instant of the cluster.
    pub fn now(&self) -> Timestamp {
        self.state().clock.now()
    }

    /// Looks at the cluster, or lets its own parts (controllers, kubelet) act on it; watchers see what they do.
    pub fn with_world<T>(&self, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut state = self.state();
        let before = state.inside.world().revision();
        let now = state.clock.now();
        let outcome = state.inside.act(now, act);
        if state.inside.world().revision() != before {
            self.stir();
        }
        outcome
    }

    /// Moves a virtual clock; watches that wait for the time see it. A clock that follows the runtime is left alone.
    pub fn advance(&self, move_on: impl FnOnce(&mut VirtualClock)) {
        if let Clock::Virtual(clock) = &mut self.state().clock {
            move_on(clock);
        }
        self.with_world(|_, _| ());
        self.stir();
    }

    /// Answers one request.
    pub fn handle(&self, request: &Request) -> Response {
        self.with_world(|world, now| handle(world, request, now))
    }

    /// The events of a watch as they come, several at once where several happened.
    pub fn events(&self, cursor: WatchCursor) -> impl Stream<Item = Bytes> + Send + use<> {
        let stirred = self.shared.stirred.subscribe();
        let watcher = Watcher { door: self.clone(), cursor, stirred };
        stream::unfold(watcher, Watcher::next)
    }

    /// A poisoned lock only means that another request panicked; the world itself is whole between requests.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stir(&self) {
        self.shared.stirred.send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn answer<B>(self, request: http::Request<B>) -> http::Response<DoorBody>
    where
        B: HttpBody + Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        // One byte more than is allowed, so that the server itself says what it thinks of too much.
        let read = Limited::new(body, BODY_LIMIT_BYTES + 1).collect().await;
        let body = match read {
            Ok(collected) => collected.to_bytes(),
            Err(_) => Bytes::from(vec![b' '; BODY_LIMIT_BYTES + 1]),
        };
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let request = Request {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or("").to_owned(),
            headers,
            body,
            user: parts.extensions.get().cloned(),
        };
        let response = self.handle(&request);
        self.http(response)
    }

    fn http(&self, response: Response) -> http::Response<DoorBody> {
        let body = match response.body {
            Body::Whole(bytes) => Full::new(bytes).boxed_unsync(),
            Body::Watch(cursor) => {
                let frames = self.events(*cursor).map(|lines| Ok(Frame::data(lines)));
                StreamBody::new(frames).boxed_unsync()
            }
        };
        let mut answer = http::Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in response.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                answer.headers_mut().append(name, value);
            }
        }
        answer
    }
}

struct Watcher {
    door: Door,
    cursor: WatchCursor,
    stirred: watch::Receiver<u64>,
}

impl Watcher {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            // Seen before looking: what stirs while we look is noticed afterwards.
            self.stirred.mark_unchanged();
            let (lines, wake_at) = {
                let state = self.door.state();
                let lines = watch_poll(state.inside.world(), &mut self.cursor, state.clock.now());
                (lines, state.clock.runtime_instant(self.cursor.next_wake()))
            };
            if !lines.is_empty() {
                return Some((joined(&lines), self));
            }
            if self.cursor.has_ended() {
                return None;
            }
            let stirred = self.stirred.changed();
            let alive = match wake_at {
                None => stirred.await.is_ok(),
                Some(at) => tokio::select! {
                    changed = stirred => changed.is_ok(),
                    () = tokio::time::sleep_until(at) => true,
                },
            };
            if !alive {
                return None;
            }
        }
    }
}

fn joined(lines: &[Bytes]) -> Bytes {
    match lines {
        [one] => one.clone(),
        many => many.concat().into(),
    }
}

impl<B> Service<http::Request<B>> for Door
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<DoorBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let door = self.clone();
        Box::pin(async move { Ok(door.answer(request).await) })
    }
}
