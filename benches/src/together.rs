//! Many Rollouts that get a new version at one moment: what each costs, beside few others and beside many.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kube::Client;
use serde_json::json;
use sluice_controller::{Clock, Controller, ShutdownHandle};
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::Clock as DoorClock;

use crate::figure::{Figure, cpu_time};
use crate::fleet::{Model, ROLLOUTS, alone, ask, server};
use crate::watched::Watched;

const FEW: usize = 100;
const MANY: usize = 400;

/// What a Rollout costs: processor time of controller and API server together, and requests.
struct Cost {
    micros: f64,
    requests: f64,
}

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let model = Model::released(3, false)?;
    let few = cost(&model, FEW)?;
    let many = cost(&model, MANY)?;
    ensure!(many.requests > 1.0, "the releases began");
    Ok(vec![
        Figure::new(format!("a new version of {FEW} Rollouts at once, CPU for each"), few.micros, "µs"),
        Figure::new(format!("the same of {MANY}"), many.micros, "µs"),
        Figure::new("the second over the first", many.micros / few.micros, "×").at_most(1.5),
        Figure::new(format!("requests for each of {FEW}"), few.requests, ""),
        Figure::new(format!("requests for each of {MANY}"), many.requests, "").at_most(few.requests),
    ])
}

fn cost(model: &Model, rollouts: usize) -> anyhow::Result<Cost> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // One more, by which is seen that the controller has begun.
        let door = server(&[(model, "shop", rollouts + 1)], DoorClock::wall())?;
        let (handle, shutdown) = ShutdownHandle::new();
        let watched = Watched::new(door.clone());
        let client = Client::new(watched.clone(), "default");
        let running = tokio::spawn(Controller::new(client, alone(), Clock::wall()).run(handle.clone(), shutdown));
        let image = json!([{
            "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.example/shop/web:new",
        }]);
        let release = |number: usize| {
            let path = format!("{ROLLOUTS}/shop-{number}");
            ask(&door, Request::patch(&path, "application/json-patch+json", &image))
        };
        release(rollouts)?;
        begun(&watched, rollouts).await?;
        let (began, asked) = (cpu_time(), watched.requests());
        for number in 0..rollouts {
            release(number)?;
        }
        // Nobody makes pods here, so each release ends where it waits for its first one.
        begun(&watched, rollouts - 1).await?;
        let spent = cpu_time().saturating_sub(began);
        let requests = watched.requests() - asked;
        handle.begin();
        running.await??;
        let each = rollouts as f64;
        Ok(Cost { micros: spent.as_secs_f64() * 1e6 / each, requests: requests as f64 / each })
    })
}

/// Waits until the last of the releases has been written to, and nothing more is.
async fn begun(watched: &Watched, last: usize) -> anyhow::Result<()> {
    let status = format!("/shop-{last}/status");
    let written = tokio::time::timeout(Duration::from_secs(60), watched.writes.next(|path| path.ends_with(&status)));
    written.await.with_context(|| format!("nothing was written to shop-{last}"))?;
    watched.writes.quiet().await;
    Ok(())
}
