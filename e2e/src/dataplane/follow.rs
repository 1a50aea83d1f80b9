//! One task follows the objects and puts them in force, one state after the other.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use futures::stream::{SelectAll, select_all};
use futures::{FutureExt as _, StreamExt as _};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::watch::Sender;

use super::envoy::{self, Envoy};
use super::nginx::Nginx;
use super::view::View;
use super::{InForce, Router};
use crate::cluster::Kind;

pub(super) enum Proxy {
    Nginx(Nginx),
    Envoy(Envoy),
}

impl Proxy {
    pub(super) async fn start(router: Router) -> Result<Self> {
        Ok(match router {
            Router::Nginx => Self::Nginx(Nginx::start().await?),
            Router::Istio => Self::Envoy(Envoy::start(envoy::istio::virtual_hosts).await?),
            Router::GatewayApi => Self::Envoy(Envoy::start(envoy::gateway_api::virtual_hosts).await?),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Nginx(nginx) => nginx.address(),
            Self::Envoy(envoy) => envoy.address(),
        }
    }

    async fn put_in_force(&mut self, view: &View) -> Result<()> {
        match self {
            Self::Nginx(nginx) => nginx.put_in_force(view).await,
            Self::Envoy(envoy) => envoy.put_in_force(view).await,
        }
    }
}

fn kinds(router: Router) -> Vec<Kind> {
    let routes: &[Kind] = match router {
        Router::Nginx => &[Kind::INGRESS],
        Router::Istio => &[Kind::VIRTUAL_SERVICE, Kind::DESTINATION_RULE],
        Router::GatewayApi => &[Kind::HTTP_ROUTE],
    };
    [routes, &[Kind::SERVICE, Kind::ENDPOINT_SLICE, Kind::POD]].concat()
}

type Told = (Kind, watcher::Result<Event<DynamicObject>>);
type Watches = SelectAll<futures::stream::BoxStream<'static, Told>>;

pub(super) async fn follow(client: Client, namespace: String, router: Router, mut proxy: Proxy, tell: Sender<InForce>) {
    let kinds = kinds(router);
    let mut watches: Watches = select_all(kinds.iter().map(|kind| {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kind.resource());
        let kind = *kind;
        watcher(api, watcher::Config::default()).default_backoff().map(move |event| (kind, event)).boxed()
    }));
    let mut seen = Seen { view: View::default(), listing: BTreeSet::new(), unlisted: kinds.len() };
    while let Some(told) = watches.next().await {
        seen.observe(told);
        // What is told meanwhile comes at once with it.
        while let Some(Some(told)) = watches.next().now_or_never() {
            seen.observe(told);
        }
        if seen.unlisted > 0 {
            continue;
        }
        let view = Arc::new(seen.view.clone());
        let outcome = proxy.put_in_force(&view).await;
        let trouble = outcome.err().map(|error| format!("{error:#}"));
        if trouble.is_none() {
            accept_routes(&client, &namespace, &view).await;
        }
        if tell.send(InForce { view, trouble }).is_err() {
            return;
        }
    }
}

/// What the watches have told so far.
struct Seen {
    view: View,
    /// Kinds and names seen in listings that have not ended.
    listing: BTreeSet<(&'static str, String)>,
    unlisted: usize,
}

impl Seen {
    fn observe(&mut self, (kind, event): Told) {
        match event {
            Ok(Event::Apply(object)) => self.insert(kind, &object),
            Ok(Event::Delete(object)) => self.view.remove(kind.kind, &object.name_any()),
            Ok(Event::Init) => {}
            Ok(Event::InitApply(object)) => {
                self.listing.insert((kind.kind, object.name_any()));
                self.insert(kind, &object);
            }
            Ok(Event::InitDone) => {
                let all = std::mem::take(&mut self.listing);
                let (listed, others) = all.into_iter().partition(|(of, _)| *of == kind.kind);
                self.listing = others;
                let listed: BTreeSet<(&str, String)> = listed;
                self.view.retain(kind.kind, &listed.into_iter().map(|(_, name)| name).collect());
                self.unlisted = self.unlisted.saturating_sub(1);
            }
            Err(error) => eprintln!("a data plane watches {}: {error}", kind.kind),
        }
    }

    fn insert(&mut self, kind: Kind, object: &DynamicObject) {
        let Ok(mut object) = serde_json::to_value(object) else { return };
        object["kind"] = kind.kind.into();
        self.view.insert(object);
    }
}

/// Says of each HTTPRoute which generation of it is in force, as every gateway does.
async fn accept_routes(client: &Client, namespace: &str, view: &View) {
    for route in view.all(Kind::HTTP_ROUTE.kind) {
        let generation = &route["metadata"]["generation"];
        let told = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
        if told == generation {
            continue;
        }
        let routes: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &Kind::HTTP_ROUTE.resource());
        let name = route["metadata"]["name"].as_str().unwrap_or_default();
        let status = Patch::Merge(json!({"status": {"parents": accepted(route, generation)}}));
        // The route may be gone by now.
        if let Err(error) = routes.patch_status(name, &PatchParams::default(), &status).await {
            eprintln!("accepting HTTPRoute {name}: {error}");
        }
    }
}

fn accepted(route: &Value, generation: &Value) -> Value {
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": generation,
               "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let parents = route["spec"]["parentRefs"].as_array().into_iter().flatten();
    let conditions = [condition("Accepted"), condition("ResolvedRefs")];
    let one = |parent| json!({"parentRef": parent, "controllerName": "sluice.dev/e2e", "conditions": conditions});
    parents.map(one).collect()
}
