//! What a change and its pass cost the controller, beside few Rollouts and beside many.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use jiff::Timestamp;
use kube::Client;
use sluice_controller::{Clock, Controller, ShutdownHandle};
use sluice_planner::{Plan, Snapshot, plan};
use sluice_sandbox::doors::Clock as DoorClock;

use crate::admin::AsAdmin;
use crate::figure::{Figure, cpu_time, median_of};
use crate::fleet::{Model, alone, poke, renamed, server};

const FEW: usize = 10;
const MANY: usize = 10_000;
/// As many as there are Rollouts where there are few, so that each change is a pass of its own.
const AT_ONCE: usize = FEW;
const ROUNDS: usize = 100;
const RUNS: usize = 5;
/// A controller that takes longer than this to look at all Rollouts, or at those that changed, hangs.
const PATIENCE: Duration = Duration::from_secs(120);

static PASSES: AtomicUsize = AtomicUsize::new(0);

fn counted(snapshot: &Snapshot, now: Timestamp) -> Plan {
    PASSES.fetch_add(1, Ordering::Relaxed);
    plan(snapshot, now)
}

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let model = Model::released(3, false)?;
    let few = micros_per_pass(&model, FEW)?;
    let many = micros_per_pass(&model, MANY)?;
    Ok(vec![
        Figure::new("a change and its pass beside 10 Rollouts, CPU", few, "µs"),
        Figure::new("the same beside 10,000 Rollouts", many, "µs"),
        Figure::new("the second over the first", many / few, "×").at_most(1.5),
    ])
}

/// CPU time of the one thread in which the controller and the API server run.
fn micros_per_pass(model: &Model, rollouts: usize) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        eprintln!("passes: an API server is filled with {rollouts} Rollouts");
        let door = server(&[(model, "shop", rollouts)], DoorClock::wall())?;
        let newest = model.replica_sets.iter().max_by_key(|set| set["spec"]["replicas"].as_i64());
        let newest = newest.expect("a model has ReplicaSets");
        let (handle, shutdown) = ShutdownHandle::new();
        PASSES.store(0, Ordering::Relaxed);
        let client = Client::new(AsAdmin(door.clone()), "default");
        let controller = Controller::new(client, alone(), Clock::wall()).deciding_with(counted);
        let running = tokio::spawn(controller.run(handle.clone(), shutdown));
        eprintln!("passes: the controller begins beside {rollouts} Rollouts");
        settled(rollouts).await?;
        let mut round = 0;
        let mut spent = Vec::new();
        for _ in 0..RUNS {
            let began = cpu_time();
            for _ in 0..ROUNDS {
                round += 1;
                let before = PASSES.load(Ordering::Relaxed);
                for number in 0..AT_ONCE {
                    let rollout = (round * AT_ONCE + number) % rollouts;
                    poke(&door, &renamed(newest, &format!("shop-{rollout}")), round)?;
                }
                passed(before + AT_ONCE).await?;
            }
            spent.push(cpu_time().saturating_sub(began));
        }
        handle.begin();
        running.await??;
        ensure!(PASSES.load(Ordering::Relaxed) >= rollouts + RUNS * ROUNDS * AT_ONCE, "every change has its pass");
        let mut runs = spent.into_iter();
        let median = median_of(RUNS, || runs.next().unwrap_or_default());
        Ok(median.as_secs_f64() * 1e6 / (ROUNDS * AT_ONCE) as f64)
    })
}

/// Waits until every Rollout has been looked at and nothing more is to be done.
async fn settled(rollouts: usize) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let passes = PASSES.load(Ordering::Relaxed);
        if passes >= rollouts && passes == before {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{passes} passes over {rollouts} Rollouts in {PATIENCE:?}, and no rest");
        before = passes;
    }
}

/// Waits until so many passes were made in all.
async fn passed(passes: usize) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while PASSES.load(Ordering::Relaxed) < passes {
        ensure!(Instant::now() < end, "not all of {AT_ONCE} changes had a pass within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}
