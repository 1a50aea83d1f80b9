//! Rust clients see a cluster: kube's own client through the `tower` door.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::core::DynamicObject;
use kube::discovery::Discovery;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;
use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::{Clock, Door};
use sluice_sandbox::{VirtualClock, World};

/// Tests end with whatever went wrong.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// An admin's way into a fresh cluster with a namespace `shop`.
fn cluster(clock: Clock) -> (Door, Client) {
    let mut world = World::new(7);
    world.add_token("secret", User::admin());
    let door = Door::new(world, clock);
    let shop = json!({"metadata": {"name": "shop"}});
    let request = sluice_sandbox::api::request::Request::post("/api/v1/namespaces", &shop).as_user(User::admin());
    assert_eq!(door.handle(&request).status, 201);
    let by_admin = AsAdmin(door.clone());
    (door, Client::new(by_admin, "shop"))
}

/// Adds the token, as a client's own layers would.
#[derive(Clone)]
struct AsAdmin(Door);

impl<B> tower_service::Service<http::Request<B>> for AsAdmin
where
    Door: tower_service::Service<http::Request<B>>,
{
    type Response = <Door as tower_service::Service<http::Request<B>>>::Response;
    type Error = <Door as tower_service::Service<http::Request<B>>>::Error;
    type Future = <Door as tower_service::Service<http::Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Bearer secret"));
        self.0.call(request)
    }
}

fn virtual_clock() -> Clock {
    Clock::Virtual(VirtualClock::default())
}

fn map(name: &str, value: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("value".to_owned(), value.to_owned())])),
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn typed_objects_go_in_and_out() -> Result<(), kube::Error> {
    let (_, client) = cluster(virtual_clock());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let created = maps.create(&PostParams::default(), &map("a", "1")).await?;
    assert!(created.uid().is_some());
    let patched = maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"value": "2"}}))).await?;
    assert_eq!(patched.data, map("a", "2").data);
    let stale = maps.replace("a", &PostParams::default(), &created).await;
    assert!(stale.is_err_and(|error| matches!(error, kube::Error::Api(status) if status.is_conflict())));
    maps.delete("a", &DeleteParams::default()).await?;
    let missing = maps.get_opt("a").await?;
    assert!(missing.is_none());
    Ok(())
}

#[tokio::test]
async fn an_applied_object_belongs_to_its_applier() -> Result<(), kube::Error> {
    let (_, client) = cluster(virtual_clock());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let wish = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": value}});
    maps.patch("a", &PatchParams::apply("one"), &Patch::Apply(wish("1"))).await?;
    let refused = maps.patch("a", &PatchParams::apply("two"), &Patch::Apply(wish("2"))).await;
    let message = match refused {
        Err(kube::Error::Api(status)) => status.message,
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(message, "Apply failed with 1 conflict: conflict with \"one\": .data.value");
    let forced = maps.patch("a", &PatchParams::apply("two").force(), &Patch::Apply(wish("2"))).await?;
    let managers: Vec<Option<String>> = forced.managed_fields().iter().map(|entry| entry.manager.clone()).collect();
    assert_eq!(managers, [Some("two".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn a_watch_delivers_while_others_write() -> Outcome {
    let (door, client) = cluster(virtual_clock());
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let revision = maps.list(&ListParams::default()).await?.metadata.resource_version.unwrap_or_default();
    let params = WatchParams::default().timeout(200);
    let mut events = maps.watch(&params, &revision).await?.boxed();
    let writer = maps.clone();
    let writing = tokio::spawn(async move {
        for name in ["a", "b", "c"] {
            writer.create(&PostParams::default(), &map(name, "1")).await?;
        }
        writer.delete("b", &DeleteParams::default()).await
    });
    let mut seen = Vec::new();
    while seen.len() < 4 {
        match events.try_next().await? {
            Some(WatchEvent::Added(object)) => seen.push(format!("added {}", object.name_any())),
            Some(WatchEvent::Deleted(object)) => seen.push(format!("deleted {}", object.name_any())),
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(seen, ["added a", "added b", "added c", "deleted b"]);
    writing.await.map_err(std::io::Error::other)??;
    door.advance(|clock| clock.advance(jiff::SignedDuration::from_secs(201)));
    loop {
        match events.try_next().await? {
            Some(WatchEvent::Bookmark(_)) => {}
            None => break,
            other => panic!("the watch should end when its time is up: {other:?}"),
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_watcher_lives_through_an_hour_of_paused_time() -> Outcome {
    let start = VirtualClock::default().now();
    let (door, client) = cluster(Clock::following_runtime(start));
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut stream =
        watcher(namespaces.clone(), watcher::Config::default()).default_backoff().applied_objects().boxed();
    let first = stream.try_next().await?.map(|one| one.name_any());
    assert_eq!(first.as_deref(), Some("shop"));
    for number in 0..12 {
        tokio::time::sleep(std::time::Duration::from_secs(300)).await;
        let name = format!("ns-{number}");
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        namespaces.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await?;
        let seen = stream.try_next().await?.map(|one| one.name_any());
        assert_eq!(seen, Some(name));
    }
    assert_eq!(door.now().duration_since(start).as_secs(), 3_600);
    Ok(())
}

#[tokio::test]
async fn streaming_lists_work() -> Outcome {
    let (_, client) = cluster(virtual_clock());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &map(name, "1")).await?;
    }
    let mut stream = watcher(maps, watcher::Config::default().streaming_lists()).boxed();
    let mut seen = Vec::new();
    loop {
        match stream.try_next().await? {
            Some(watcher::Event::Init) => seen.push("init".to_owned()),
            Some(watcher::Event::InitApply(object)) => seen.push(object.name_any()),
            Some(watcher::Event::InitDone) => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(seen, ["init", "a", "b"]);
    Ok(())
}

#[tokio::test]
async fn discovery_finds_what_is_served() -> Outcome {
    let (_, client) = cluster(virtual_clock());
    for discovery in
        [Discovery::new(client.clone()).run().await?, Discovery::new(client.clone()).run_aggregated().await?]
    {
        let group = discovery.get("apps").ok_or("the group apps is missing")?;
        let (deployment, _) = group.recommended_kind("Deployment").ok_or("Deployment is missing")?;
        assert_eq!(deployment.plural, "deployments");
        let any: Api<DynamicObject> = Api::default_namespaced_with(client.clone(), &deployment);
        assert!(any.list(&ListParams::default()).await?.items.is_empty());
    }
    Ok(())
}
