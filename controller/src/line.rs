//! The way to the API server for watches and the election: every request counted, none without an end.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;

use crate::cache::Watched;
use crate::hub::Hub;
use crate::metrics::{Metrics, Verb};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long an answer may take to begin. The API server itself gives up after so long.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A watch that the API server ends at once is begun again at once, and so on without end, were it not for this.
const WATCHES_APART: Duration = Duration::from_secs(1);

/// A client for one kind's watch; the hub learns when the API server answers it.
pub(crate) fn watching(client: &Client, kind: Watched, hub: &Arc<Hub>) -> Client {
    let heard = Some((kind, Arc::clone(hub)));
    Line::client(client, kind.plural(), hub.metrics(), heard)
}

/// A client that asks which kinds the cluster knows.
pub(crate) fn discovering(client: &Client, metrics: &Metrics) -> Client {
    Line::client(client, "apigroups", metrics, None)
}

/// A client for the lease.
pub(crate) fn electing(client: &Client, metrics: &Metrics) -> Client {
    Line::client(client, "leases", metrics, None)
}

#[derive(Clone)]
struct Line {
    client: Client,
    resource: &'static str,
    metrics: Metrics,
    heard: Option<(Watched, Arc<Hub>)>,
    /// Before this no watch begins.
    next_watch: Arc<Mutex<Instant>>,
}

impl Line {
    /// A client whose requests go through a line of its own.
    fn client(
        client: &Client,
        resource: &'static str,
        metrics: &Metrics,
        heard: Option<(Watched, Arc<Hub>)>,
    ) -> Client {
        let namespace = client.default_namespace().to_owned();
        let next_watch = Arc::new(Mutex::new(Instant::now()));
        Client::new(Self { client: client.clone(), resource, metrics: metrics.clone(), heard, next_watch }, namespace)
    }

    async fn wait_for_the_next_watch(&self) {
        let at = {
            let mut next = self.next_watch.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + WATCHES_APART;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    async fn send(self, request: http::Request<Body>) -> Result<http::Response<Body>, BoxError> {
        let verb = verb(&request);
        if verb == Verb::Watch {
            self.wait_for_the_next_watch().await;
        }
        let answer = tokio::time::timeout(LONGEST_WAIT, self.client.send(request)).await;
        let code = match &answer {
            Ok(Ok(answer)) => answer.status().as_u16(),
            Ok(Err(_)) | Err(_) => 0,
        };
        self.metrics.request(self.resource, verb, code);
        if let (200..=299, Some((kind, hub))) = (code, &self.heard) {
            hub.watch_works(*kind);
        }
        match answer {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(format!("no answer within {LONGEST_WAIT:?}").into()),
        }
    }
}

impl tower_service::Service<http::Request<Body>> for Line {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.clone().send(request).boxed()
    }
}

fn verb(request: &http::Request<Body>) -> Verb {
    let watches = || request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
    match request.method().as_str() {
        "GET" if watches() => Verb::Watch,
        // Single objects other than leases are never read here.
        "GET" if request.uri().path().contains("/leases/") => Verb::Get,
        "GET" => Verb::List,
        "POST" => Verb::Create,
        "DELETE" => Verb::Delete,
        _ => Verb::Patch,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Pending, pending};

    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{Api, ListParams};
    use sluice_planner::engine::Jitter;

    use super::*;
    use crate::clock::Clock;

    /// Takes requests and never answers.
    #[derive(Clone)]
    struct Silence;

    impl<B> tower_service::Service<http::Request<B>> for Silence {
        type Response = http::Response<axum::body::Body>;
        type Error = Infallible;
        type Future = Pending<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<B>) -> Self::Future {
            pending()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_without_an_answer_ends_and_is_counted() {
        let clock = Clock::wall();
        let hub = Arc::new(Hub::new(clock, Jitter::seeded(1), Metrics::default()));
        let pods: Api<Pod> = Api::all(watching(&Client::new(Silence, "default"), Watched::Pod, &hub));
        let problem = pods.list(&ListParams::default()).await.expect_err("no answer");
        assert!(problem.to_string().contains("no answer within 60s"), "{problem}");
        let page = hub.metrics().page(&hub, true, clock.moment());
        let line = r#"controller_clientset_k8s_request_total{kind="pods",verb="List",status_code="0"} 1"#;
        assert!(page.contains(line), "{page}");
    }
}
