//! From a promote patch to the write that it causes, with 1,000 other Rollouts present.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use kube::Client;
use sluice_controller::{Clock, Controller, ShutdownHandle};
use sluice_sandbox::doors::{Clock as DoorClock, Door};

use crate::figure::Figure;
use crate::fleet::{Model, alone, promote, server};
use crate::watched::{Watched, Writes};

const OTHERS: usize = 1_000;
const PROMOTED: usize = 300;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let healthy = Model::released(3, false)?;
    let waiting = Model::released(3, true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = runtime.block_on(async {
        let door = server(&[(&healthy, "other", OTHERS), (&waiting, "shop", PROMOTED)], DoorClock::wall())?;
        let (handle, shutdown) = ShutdownHandle::new();
        let watched = Watched::new(door.clone());
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
        let (whole, part) = (format!("/{name}/"), format!("/{name}-"));
        let is_like = |path: &str| path.contains(&whole) || path.contains(&part);
        let written = tokio::time::timeout(Duration::from_secs(10), writes.next(is_like)).await;
        let written = written.with_context(|| format!("nothing was written for {name}"))?;
        times.push(written.saturating_duration_since(accepted));
        writes.quiet().await;
    }
    Ok(times)
}
