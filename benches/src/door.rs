//! What a request costs that goes through a whole client: `kube::Client` into the sandbox, in process.

use anyhow::ensure;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde_json::json;
use sluice_sandbox::World;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::bootstrap;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::clock::VirtualClock;
use sluice_sandbox::doors::{Clock, Door};

use crate::admin::AsAdmin;
use crate::figure::{Figure, median_of, time};

const GETS: u32 = 5_000;

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let maps = runtime.block_on(async { api() })?;
    let one = runtime.block_on(maps.get("m"))?;
    ensure!(one.data.is_some(), "the object has what was stored");
    let run = median_of(5, || {
        time(|| {
            runtime.block_on(async {
                for _ in 0..GETS {
                    assert!(maps.get("m").await.is_ok(), "the object is there");
                }
            });
        })
    });
    Ok(vec![Figure::new("a get through kube::Client", run.as_secs_f64() * 1e6 / f64::from(GETS), "µs").at_most(20.0)])
}

fn api() -> anyhow::Result<Api<ConfigMap>> {
    let mut world = World::new(1);
    let clock = VirtualClock::default();
    let furnished = bootstrap(&mut world, clock.now());
    ensure!(furnished.is_ok(), "an empty world takes its first objects: {furnished:?}");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "v"}});
    let path = "/api/v1/namespaces/default/configmaps";
    let created =
        sluice_sandbox::api::handle(&mut world, &Request::post(path, &map).as_user(User::admin()), clock.now());
    ensure!(created.status == 201, "{}", created.json_body());
    Ok(Api::namespaced(Client::new(AsAdmin(Door::new(world, Clock::Virtual(clock))), "default"), "default"))
}
