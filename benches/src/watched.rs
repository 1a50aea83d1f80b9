//! The way into the API server, with an eye on what is written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sluice_sandbox::doors::Door;
use tokio::sync::Notify;
use tower_service::Service;

use crate::admin::AsAdmin;

/// A door that notes when writes come in.
#[derive(Clone)]
pub(crate) struct Watched {
    door: AsAdmin,
    pub(crate) writes: Arc<Writes>,
    requests: Arc<AtomicUsize>,
}

impl Watched {
    pub(crate) fn new(door: Door) -> Self {
        Self { door: AsAdmin(door), writes: Arc::default(), requests: Arc::default() }
    }

    /// Requests of any kind that came in so far, but for events.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// What came in since the last quiet time.
#[derive(Default)]
pub(crate) struct Writes {
    came: Mutex<Vec<(Instant, String)>>,
    stirred: Notify,
}

impl Writes {
    /// When the first write came whose path is like this.
    pub(crate) async fn next(&self, is_like: impl Fn(&str) -> bool) -> Instant {
        loop {
            let found = {
                let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
                came.iter().find(|(_, path)| is_like(path)).map(|(at, _)| *at)
            };
            match found {
                Some(at) => return at,
                None => self.stirred.notified().await,
            }
        }
    }

    /// Waits until nothing has been written for a while, and forgets what was.
    pub(crate) async fn quiet(&self) {
        while tokio::time::timeout(Duration::from_millis(150), self.stirred.notified()).await.is_ok() {}
        self.came.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<B> Service<http::Request<B>> for Watched
where
    AsAdmin: Service<http::Request<B>>,
{
    type Response = <AsAdmin as Service<http::Request<B>>>::Response;
    type Error = <AsAdmin as Service<http::Request<B>>>::Error;
    type Future = <AsAdmin as Service<http::Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.door.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let path = request.uri().path();
        if !path.ends_with("/events") {
            self.requests.fetch_add(1, Ordering::Relaxed);
        }
        if request.method() != http::Method::GET && !path.ends_with("/events") {
            let mut came = self.writes.came.lock().unwrap_or_else(PoisonError::into_inner);
            came.push((Instant::now(), path.to_owned()));
            self.writes.stirred.notify_one();
        }
        self.door.call(request)
    }
}
