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
