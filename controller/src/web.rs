//! The pages that a kubelet and Prometheus ask for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::cache::Watched;
use crate::clock::Clock;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::metrics::CONTENT_TYPE;
use crate::shutdown::Shutdown;

/// A watch that is silent for longer makes a replica unready: it can't release anything well then.
const BROKEN_FOR: Duration = Duration::from_secs(30);

/// Whether it runs, and whether it knows the cluster as it is now. A replica that stands by with full caches is ready: it can
/// take over at any moment.
pub(crate) fn health(hub: Arc<Hub>, clock: Clock) -> Router {
    let alive = || async { "ok" };
    let ready = move || {
        let answer = readiness(&hub.missing(), &hub.broken_watches(clock.moment()), &hub.refused());
        async move { answer }
    };
    Router::new().route("/healthz", get(alive)).route("/livez", get(alive)).route("/readyz", get(ready))
}

pub(crate) fn metrics(hub: Arc<Hub>, fence: Fence, clock: Clock) -> Router {
    let page = move || {
        let page = hub.metrics().page(&hub, fence.may_write(), clock.moment());
        async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], page) }
    };
    Router::new().route("/metrics", get(page))
}

/// Serves until shutdown.
pub(crate) async fn serve(listener: TcpListener, pages: Router, mut shutdown: Shutdown) -> std::io::Result<()> {
    axum::serve(listener, pages).with_graceful_shutdown(async move { shutdown.wait().await }).await
}

/// Objects that traffic is routed by are needed by some Rollouts only: these wait for them, and the others go on.
fn readiness(missing: &[Watched], broken: &[(Watched, Duration)], refused: &BTreeSet<Watched>) -> Response {
    let mut why = Vec::new();
    if !missing.is_empty() {
        let kinds: Vec<&str> = missing.iter().map(|kind| kind.as_str()).collect();
        why.push(format!("no complete list yet of {}", kinds.join(", ")));
    }
    let mut beside: Vec<String> = refused.iter().map(|kind| done_without(*kind)).collect();
    let counts = |kind: &Watched, time: &Duration| *time > BROKEN_FOR && !refused.contains(kind);
    for (kind, time) in broken.iter().filter(|(kind, time)| counts(kind, time)) {
        let sentence = format!("the watch of {} has been broken for {} s", kind.as_str(), time.as_secs());
        if Watched::ALL.contains(kind) { why.push(sentence) } else { beside.push(sentence) }
    }
    if !why.is_empty() {
        why.extend(beside);
        return (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", why.join("; "))).into_response();
    }
    if beside.is_empty() { "ok".into_response() } else { format!("ok, but {}\n", beside.join("; ")).into_response() }
}

/// What can be done without is named all the same.
fn done_without(kind: Watched) -> String {
    format!("this account may not list and watch {}: what needs it can't be done", kind.plural())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use sluice_planner::engine::Jitter;
    use tower_service::Service;

    use super::*;
    use crate::metrics::Metrics;

    async fn ask(pages: &Router, path: &str) -> (u16, String) {
        let request = http::Request::get(path).body(Body::empty()).expect("a request");
        let answer = pages.clone().call(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_replica_is_ready_once_it_has_seen_every_kind() {
        let hub = Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::default()));
        let pages = health(Arc::clone(&hub), Clock::wall());
        for path in ["/healthz", "/livez"] {
            assert_eq!(ask(&pages, path).await, (200, "ok".to_owned()), "{path}");
        }
        let late = [Watched::ReplicaSet, Watched::Service];
        for kind in Watched::ALL.into_iter().filter(|kind| !late.contains(kind)) {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        let (status, why) = ask(&pages, "/readyz").await;
        assert_eq!((status, why.trim()), (503, "not ready: no complete list yet of ReplicaSet, Service"));
        for kind in late {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        assert_eq!(ask(&pages, "/readyz").await, (200, "ok".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_is_not_ready_while_a_watch_shows_nothing_for_long() {
        let clock = Clock::wall();
        let hub = Arc::new(Hub::new(clock, Jitter::seeded(1), Metrics::default()));
        for kind in Watched::ALL {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        let pages = health(Arc::clone(&hub), clock);
        hub.watch_broke(Watched::Pod);
        assert_eq!(ask(&pages, "/readyz").await.0, 200);
        tokio::time::sleep(Duration::from_secs(31)).await;
        let (status, why) = ask(&pages, "/readyz").await;
        assert_eq!((status, why.trim()), (503, "not ready: the watch of Pod has been broken for 31 s"));
        assert_eq!(ask(&pages, "/livez").await.0, 200, "a restart would not mend it");
        hub.watch_works(Watched::Pod);
        assert_eq!(ask(&pages, "/readyz").await.0, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_stays_ready_without_a_routers_objects_and_says_which_it_does_not_see() {
        let clock = Clock::wall();
        let hub = Arc::new(Hub::new(clock, Jitter::seeded(1), Metrics::default()));
        for kind in Watched::ALL {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        let pages = health(Arc::clone(&hub), clock);
        hub.watch_broke(Watched::Route(sluice_traffic::Kind::VirtualService));
        tokio::time::sleep(Duration::from_secs(31)).await;
        let (status, what) = ask(&pages, "/readyz").await;
        assert_eq!((status, what.trim()), (200, "ok, but the watch of VirtualService has been broken for 31 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_that_can_be_done_without_is_named_and_holds_nothing_up() {
        let clock = Clock::wall();
        let hub = Arc::new(Hub::new(clock, Jitter::seeded(1), Metrics::default()));
        for kind in Watched::ALL.into_iter().filter(|kind| *kind != Watched::Job) {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        let pages = health(Arc::clone(&hub), clock);
        assert_eq!(ask(&pages, "/readyz").await.0, 503, "perhaps the answer is only late");
        hub.watch_broke(Watched::Job);
        hub.watch_refused(Watched::Job);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (status, said) = ask(&pages, "/readyz").await;
        let named = "ok, but this account may not list and watch jobs: what needs it can't be done";
        assert_eq!((status, said.trim()), (200, named));
        assert!(hub.metrics().page(&hub, true, clock.moment()).contains("sluice_watch_refused{kind=\"Job\"} 1\n"));
        hub.watch_refused(Watched::Pod);
        assert_eq!(ask(&pages, "/readyz").await.1.trim(), named, "nothing can be released without pods");
        hub.watch_works(Watched::Job);
        assert_eq!(ask(&pages, "/readyz").await.0, 503, "its list is under way");
    }

    #[tokio::test]
    async fn the_metrics_are_sent_as_what_they_are() {
        let clock = Clock::wall();
        let hub = Arc::new(Hub::new(clock, Jitter::seeded(1), Metrics::default()));
        let (_leading, deadline) = tokio::sync::watch::channel(None);
        let request = http::Request::get("/metrics").body(Body::empty()).expect("a request");
        let answer = metrics(hub, Fence::new(clock, deadline), clock).call(request).await.expect("an answer");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    }
}
