//! The network between a controller and the API server, and what can be wrong with it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use kube::client::Body;
use sluice_planner::engine::Times;
use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::{Door, DoorBody};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::court::Court;

type Answer = http::Response<DoorBody>;

/// The way of one controller.
#[derive(Clone)]
pub(crate) struct Line {
    door: Door,
    court: Court,
    user: User,
    state: Arc<Mutex<State>>,
    /// Goes up when every watch breaks.
    cut: watch::Sender<u64>,
}

struct State {
    down: bool,
    /// How late the events of watches arrive.
    lag: Duration,
    lease: LeaseTrouble,
    /// How many more writes get through, and how late the last of them arrives.
    cut_off: Option<(usize, Duration)>,
    sent: Vec<Sent>,
    /// For how long after a renewal it may write; none where it doesn't take part in an election.
    renew_deadline: Option<Duration>,
    /// When the renewal that it knows of was sent.
    renewed: Option<Instant>,
}

/// What becomes of requests about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseTrouble {
    None,
    /// They don't get through, while all else does.
    Lost,
    /// They get through, and their answers come so late.
    Late(Duration),
}

/// A request that a controller sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: u16,
}

/// What becomes of one request.
enum Fate {
    Arrives,
    Fails,
    /// Arrives when its sender has long given up.
    Late(Duration),
}

impl Line {
    pub(crate) fn new(door: Door, court: Court, user: User, election: Option<Times>) -> Self {
        let state = State {
            down: false,
            lag: Duration::ZERO,
            lease: LeaseTrouble::None,
            cut_off: None,
            sent: Vec::new(),
            renew_deadline: election.map(|times| times.renew_deadline),
            renewed: None,
        };
        Self { door, court, user, state: Arc::new(Mutex::new(state)), cut: watch::Sender::new(0) }
    }

    pub(crate) fn go_down(&self) {
        self.state().down = true;
        self.cut_watches();
    }

    pub(crate) fn come_back(&self) {
        self.state().down = false;
    }

    pub(crate) fn is_down(&self) -> bool {
        self.state().down
    }

    pub(crate) fn cut_watches(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn lag(&self, late: Duration) {
        self.state().lag = late;
    }

    pub(crate) fn lease_trouble(&self, trouble: LeaseTrouble) {
        self.state().lease = trouble;
    }

    pub(crate) fn cut_off_after(&self, writes: usize, last_is_late_by: Duration) {
        self.state().cut_off = Some((writes, last_is_late_by));
    }

    pub(crate) fn take_all_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state().sent)
    }

    /// Without what was sent for the lease.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        let mut sent = self.take_all_sent();
        sent.retain(|request| !is_lease(&request.path));
        sent
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn fate(&self, method: &str, path: &str) -> Fate {
        let mut state = self.state();
        if state.down || (is_lease(path) && state.lease == LeaseTrouble::Lost) {
            return Fate::Fails;
        }
        if !is_release(method, path) {
            return Fate::Arrives;
        }
        match &mut state.cut_off {
            None => Fate::Arrives,
            Some((left @ 1.., _)) => {
                *left -= 1;
                Fate::Arrives
            }
            Some((0, late)) => {
                let late = *late;
                state.down = true;
                drop(state);
                self.cut_watches();
                Fate::Late(late)
            }
        }
    }

    /// Promise 8, for every write of every test.
    fn check_deadline(&self, method: &str, path: &str) {
        if method == "GET" || is_lease(path) {
            return;
        }
        let state = self.state();
        let Some(allowed) = state.renew_deadline else { return };
        if state.renewed.is_none_or(|renewed| renewed.elapsed() >= allowed) {
            drop(state);
            self.court.charge(format!("{method} {path} was sent after the deadline of the sender's lease"));
        }
    }

    async fn send(self, request: http::Request<Body>) -> Answer {
        let (parts, body) = request.into_parts();
        let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
        self.check_deadline(&method, &path);
        let body = body.collect().await.expect("a body of our own").to_bytes();
        let mut request = http::Request::from_parts(parts, Full::new(body));
        request.extensions_mut().insert(self.user.clone());
        match self.fate(&method, &path) {
            Fate::Fails => unavailable(),
            Fate::Arrives => self.deliver(request, &method, path).await,
            Fate::Late(late) => {
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    drop(self.deliver(request, &method, path).await);
                });
                std::future::pending().await
            }
        }
    }

    async fn deliver(&self, request: http::Request<Full<bytes::Bytes>>, method: &str, path: String) -> Answer {
        let sent_at = Instant::now();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let watches = query.contains("watch=true");
        let answer = self.judged(request, method, &path).await;
        let lease = self.state().lease;
        if let (true, LeaseTrouble::Late(late)) = (is_lease(&path), lease) {
            tokio::time::sleep(late).await;
        }
        let status = answer.status().as_u16();
        let mut state = self.state();
        if is_lease(&path) && method != "GET" && status < 300 {
            state.renewed = Some(sent_at);
        }
        state.sent.push(Sent { method: method.to_owned(), path, query, status });
        drop(state);
        let (parts, body) = answer.into_parts();
        let mut cut = self.cut.subscribe();
        let broken = Box::pin(async move { drop(cut.changed().await) });
        let line = self.clone();
        let frames = BodyStream::new(body).take_until(broken).then(move |frame| {
            let late = if watches { line.state().lag } else { Duration::ZERO };
            async move {
                tokio::time::sleep(late).await;
                frame
            }
        });
        http::Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
    }

    async fn judged(&self, request: http::Request<Full<bytes::Bytes>>, method: &str, path: &str) -> Answer {
        let mut door = self.door.clone();
        let answer = |request| async move {
            let answered = tower_service::Service::call(&mut door, request).await;
            answered.unwrap_or_else(|never| match never {})
        };
        if !self.court.is_open() || !is_release(method, path) {
            return answer(request).await;
        }
        let world = || self.door.with_world(|world, _| world.clone());
        let (before, body) = (world(), request.body().clone().collect().await);
        let answer = answer(request).await;
        if answer.status().is_success() {
            let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            self.court.hear(method, path, &body, &before, &world());
        }
        answer
    }
}

fn is_lease(path: &str) -> bool {
    path.contains("/leases")
}

/// A write that is part of a release.
fn is_release(method: &str, path: &str) -> bool {
    method != "GET" && !is_lease(path) && !path.contains("/events")
}

fn unavailable() -> Answer {
    let mut answer = http::Response::new(Full::from("down").boxed_unsync());
    *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    answer
}

impl tower_service::Service<http::Request<Body>> for Line {
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let line = self.clone();
        Box::pin(async move { Ok(line.send(request).await) })
    }
}
