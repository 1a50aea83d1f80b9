//! The pages that a kubelet and Prometheus ask for.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::cache::Watched;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::shutdown::Shutdown;

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether it runs, and whether it knows the cluster. A replica that stands by with full caches is ready: it can
/// take over at any moment.
pub(crate) fn health(hub: Arc<Hub>) -> Router {
    let alive = || async { "ok" };
    let ready = move || {
        let missing = hub.missing();
        async move { readiness(&missing) }
    };
    Router::new().route("/healthz", get(alive)).route("/livez", get(alive)).route("/readyz", get(ready))
}

pub(crate) fn metrics(hub: Arc<Hub>, fence: Fence) -> Router {
    let page = move || {
        let page = hub.metrics().page(&hub, fence.may_write());
        async move {
            match page {
                Ok(page) => ([(header::CONTENT_TYPE, METRICS_TYPE)], page).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    Router::new().route("/metrics", get(page))
}

/// Serves until shutdown.
pub(crate) async fn serve(listener: TcpListener, pages: Router, mut shutdown: Shutdown) -> std::io::Result<()> {
    axum::serve(listener, pages).with_graceful_shutdown(async move { shutdown.wait().await }).await
}

fn readiness(missing: &[Watched]) -> Response {
    if missing.is_empty() {
        return "ok".into_response();
    }
    let kinds: Vec<&str> = missing.iter().map(|kind| kind.as_str()).collect();
    let why = format!("not ready: no complete list yet of {}\n", kinds.join(", "));
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use sluice_planner::engine::Jitter;
    use tower_service::Service;

    use super::*;
    use crate::clock::Clock;
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
        let hub = Arc::new(Hub::new(Clock::wall(), Jitter::seeded(1), Metrics::new()));
        let pages = health(Arc::clone(&hub));
        for path in ["/healthz", "/livez"] {
            assert_eq!(ask(&pages, path).await, (200, "ok".to_owned()), "{path}");
        }
        for kind in [Watched::Rollout, Watched::Pod] {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        let (status, why) = ask(&pages, "/readyz").await;
        assert_eq!((status, why.trim()), (503, "not ready: no complete list yet of ReplicaSet, Service"));
        for kind in [Watched::ReplicaSet, Watched::Service] {
            hub.begin_list(kind);
            hub.end_list(kind);
        }
        assert_eq!(ask(&pages, "/readyz").await, (200, "ok".to_owned()));
    }
}
