//! The way from Sluice's controller to a cluster in the same process, and to its metrics.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kube::client::Body;
use sluice_analysis::provider::Failure;
use sluice_analysis::provider::http::{HttpAnswer, HttpRequest};
use sluice_controller::Transport;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body as Answered, Request};
use sluice_sandbox::doors::{Door, DoorBody};
use tower_service::Service;

/// How long a question to the metrics backend is under way at the least: no answer is there before its question.
const UNDER_WAY: Duration = Duration::from_millis(3);

/// The administrator's door.
#[derive(Clone)]
pub(crate) struct Line(pub(crate) Door);

impl Service<http::Request<Body>> for Line {
    type Response = http::Response<DoorBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let mut door = self.0.clone();
        request.extensions_mut().insert(User::admin());
        async move { Service::call(&mut door, request).await }.boxed()
    }
}

/// Takes questions to a Prometheus, whatever it is called, to the metrics of the cluster; `others` takes the rest.
pub(crate) fn transport(door: Door, others: Option<Transport>) -> Transport {
    std::sync::Arc::new(move |request| match (path_of_prometheus(&request.url), &others) {
        (Some(path), _) => measured(door.clone(), path, request).boxed(),
        (None, Some(others)) => others(request),
        (None, None) => {
            let why = "a simulation asks no servers; only Prometheus is simulated";
            async move { Err(Failure(why.to_owned())) }.boxed()
        }
    })
}

/// The part of an address behind whatever a Prometheus is reached at.
fn path_of_prometheus(url: &str) -> Option<String> {
    url.find("/api/v1/query").map(|start| url[start..].to_owned())
}

async fn measured(door: Door, path: String, request: HttpRequest) -> Result<HttpAnswer, Failure> {
    tokio::time::sleep(UNDER_WAY).await;
    let mut sent = Request::new(request.method.as_str(), &path);
    // As they come over HTTP.
    sent.headers.extend(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    sent.body = request.body.into();
    let gone = || Failure("not answered: connection refused".to_owned());
    let answer = door.with_cluster(|cluster| cluster.ask_metrics(&sent)).ok_or_else(gone)?;
    let response = answer.response.ok_or_else(gone)?;
    let Answered::Whole(body) = response.body else { return Err(gone()) };
    let headers = response.headers.into_iter().map(|(name, value)| (name.to_string(), value));
    Ok(HttpAnswer { status: response.status, headers: headers.collect(), body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prometheus_is_known_by_what_it_is_asked() {
        let rows = [
            ("http://prometheus.monitoring:9090/api/v1/query", Some("/api/v1/query")),
            ("https://mimir.example/prometheus/api/v1/query_range?x=1", Some("/api/v1/query_range?x=1")),
            ("https://status.example/health", None),
        ];
        for (url, expected) in rows {
            assert_eq!(path_of_prometheus(url).as_deref(), expected, "{url}");
        }
    }
}
