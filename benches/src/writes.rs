//! What a write costs in the sandbox, with few and with many objects beside it.

use anyhow::ensure;
use jiff::Timestamp;
use serde_json::json;
use sluice_sandbox::World;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::api::watch::WatchCursor;
use sluice_sandbox::api::{handle, watch_poll};

use crate::figure::{Figure, median_of, time};

const WATCHERS: usize = 50;
const WRITES: usize = 2_000;
const ROUNDS: usize = 5;
const PATH: &str = "/api/v1/namespaces/default/configmaps";

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let few = micros_per_write(1_000)?;
    let many = micros_per_write(100_000)?;
    Ok(vec![
        Figure::new("a write beside 1,000 objects, 50 watchers", few, "µs"),
        Figure::new("a write beside 100,000 objects, 50 watchers", many, "µs"),
        Figure::new("the second over the first", many / few, "×").at_most(2.0),
    ])
}

fn micros_per_write(objects: usize) -> anyhow::Result<f64> {
    let now = Timestamp::UNIX_EPOCH;
    let mut world = World::new(1);
    let ask = |world: &mut World, request: Request| handle(world, &request.as_user(User::admin()), now);
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    ensure!(ask(&mut world, Request::post("/api/v1/namespaces", &namespace)).status == 201);
    for number in 0..objects {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("m{number}")}, "data": {"k": "0"}});
        ensure!(ask(&mut world, Request::post(PATH, &map)).status == 201);
    }
    let watch = format!("{PATH}?watch=true&resourceVersion={}", world.revision());
    let mut watchers: Vec<WatchCursor> = Vec::new();
    for _ in 0..WATCHERS {
        match ask(&mut world, Request::get(&watch)).body {
            Body::Watch(cursor) => watchers.push(*cursor),
            Body::Whole(_) => anyhow::bail!("a watch was not granted"),
        }
    }
    let mut round = 0_usize;
    let mut events = 0_usize;
    let run = median_of(ROUNDS, || {
        round += 1;
        time(|| {
            for number in 0..WRITES {
                let path = format!("{PATH}/m{}", number * objects / WRITES);
                // Each write changes something: with fewer objects than writes, one object has several turns.
                let change = json!({"data": {"k": format!("{round}-{number}")}});
                ask(&mut world, Request::patch(&path, "application/merge-patch+json", &change));
                for watcher in &mut watchers {
                    events += watch_poll(&world, watcher, now).len();
                }
            }
        })
    });
    ensure!(events == ROUNDS * WRITES * WATCHERS, "every watcher sees every write once, not {events} events");
    Ok(run.as_secs_f64() * 1e6 / WRITES as f64)
}
