//! From a promote patch to the write that it causes, with 1,000 other Rollouts present.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kube::Client;
use sluice_controller::{Clock, Controller, ShutdownHandle};
use sluice_sandbox::doors::{Clock as DoorClock, Door};
use tokio::sync::Notify;
use tower_service::Service;

use crate::admin::AsAdmin;
use crate::figure::Figure;
use crate::fleet::{Model, alone, promote, server};

const OTHERS: usize = 1_000;
const PROMOTED: usize = 300;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let healthy = Model::released(3, false)?;
    let waiting = Model::released(3, true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = runtime.block_on(async {
        let door = server(&[(&healthy, "other", OTHERS), (&waiting, "shop", PROMOTED)], DoorClock::wall())?;
        let (handle, shutdown) = ShutdownHandle::new();
        let watched = Watched { door: AsAdmin(door.clone()), writes: Arc::default() };
        let client = Client::new(watched.clone(), "default");
        let running = tokio::spawn(Controller::new(client, alone(), Clock::wall()).run(handle.clone(), shutdown));
        watched.writes.quiet().await;
        let times = promote_each(&door, &watched.writes).await?;
        handle.begin();
        running.await??;
        anyhow::Ok(times)
    })?;
    times.sort();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    Ok(vec![
        Figure::new("from a promote patch to its write, median", at(50), "ms"),
        Figure::new("the same, 99th percentile", at(99), "ms").at_most(5.0),
    ])
}

async fn promote_each(door: &Door, writes: &Writes) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for number in 0..PROMOTED {
        let name = format!("shop-{number}");
        promote(door, &name)?;
        let accepted = Instant::now();
        let written = tokio::time::timeout(Duration::from_secs(10), writes.next_about(&name)).await;
        let written = written.with_context(|| format!("nothing was written for {name}"))?;
        times.push(written.saturating_duration_since(accepted));
        writes.quiet().await;
    }
    Ok(times)
}

/// A door that notes when writes come in.
#[derive(Clone)]
struct Watched {
    door: AsAdmin,
    writes: Arc<Writes>,
}

#[derive(Default)]
struct Writes {
    came: Mutex<Vec<(Instant, String)>>,
    stirred: Notify,
}

impl Writes {
    /// When the first write since the last quiet time came whose path names this Rollout.
    async fn next_about(&self, name: &str) -> Instant {
        let (whole, part) = (format!("/{name}/"), format!("/{name}-"));
        loop {
            let found = {
                let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
                came.iter().find(|(_, path)| path.contains(&whole) || path.contains(&part)).map(|(at, _)| *at)
            };
            match found {
                Some(at) => return at,
                None => self.stirred.notified().await,
            }
        }
    }

    /// Waits until nothing has been written for a while, and forgets what was.
    async fn quiet(&self) {
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
        if request.method() != http::Method::GET && !path.ends_with("/events") {
            let mut came = self.writes.came.lock().unwrap_or_else(PoisonError::into_inner);
            came.push((Instant::now(), path.to_owned()));
            self.writes.stirred.notify_one();
        }
        self.door.call(request)
    }
}
