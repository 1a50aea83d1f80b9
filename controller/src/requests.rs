//! Sends requests: no faster than allowed, none without an end, no write without the permission to write.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use sluice_planner::engine::Pace;
use sluice_planner::{Action, Kind, Target};

use crate::clock::Clock;
use crate::fence::Fence;
use crate::metrics::{Metrics, Verb};

/// Who writes all that is not shared with others.
pub(crate) const FIELD_MANAGER: &str = "sluice";

/// Why a write has no answer that counts as success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// This process doesn't lead (any more), so nothing was sent.
    #[error("not sent: this replica does not lead any more")]
    NotLeading,
    /// It may have been carried out or not.
    #[error("no answer within {0:?}")]
    NoAnswer(Duration),
    /// The object is not what the plan saw: changed, gone, or there already.
    #[error("the object has changed meanwhile: {code} {message}")]
    Stale { code: u16, message: String },
    /// The API server refused it.
    #[error("refused with {code} {reason}: {message}")]
    Refused { code: u16, reason: String, message: String },
    /// The request never got through, or its answer is no answer.
    #[error("{0}")]
    Failed(String),
}

/// One request, as a plan or the event recorder wants it.
pub(crate) struct Request<'a> {
    pub(crate) kind: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) content_type: &'static str,
    pub(crate) body: &'a Value,
    /// Who wrote a field, as the API server remembers it.
    pub(crate) manager: &'static str,
}

/// The way to the API server for everything but watches and the lease.
#[derive(Debug)]
pub(crate) struct Requests {
    client: KubeClient,
    clock: Clock,
    fence: Fence,
    pace: Mutex<Pace>,
    time_limit: Duration,
    metrics: Metrics,
}

/// kube's client has nothing to show in a log.
struct KubeClient(Client);

impl std::fmt::Debug for KubeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Requests {
    pub(crate) fn new(
        client: Client,
        clock: Clock,
        fence: Fence,
        pace: Pace,
        time_limit: Duration,
        metrics: Metrics,
    ) -> Self {
        Self { client: KubeClient(client), clock, fence, pace: Mutex::new(pace), time_limit, metrics }
    }

    /// Reads one object past the cache; `None` where it isn't there or there is no answer.
    pub(crate) async fn read(&self, kind: &'static str, path: &str) -> Option<Value> {
        self.get(kind, path).await.ok()
    }

    /// Reads one object, or a list, past the cache.
    pub(crate) async fn get(&self, kind: &'static str, path: &str) -> Result<Value, RequestError> {
        let http = http::Request::get(path).body(Vec::new());
        let http = http.map_err(|problem| RequestError::Failed(problem.to_string()))?;
        let outcome = self.send("GET", http).await;
        self.metrics.request(resource(kind), Verb::Get, code("GET", &outcome));
        outcome
    }

    /// Sends a write and returns what the API server stored.
    pub(crate) async fn write(&self, request: &Request<'_>) -> Result<Value, RequestError> {
        let at = self.pace.lock().unwrap_or_else(PoisonError::into_inner).next(self.clock.moment());
        self.clock.reach(at).await;
        if !self.fence.may_write() {
            return Err(RequestError::NotLeading);
        }
        let http = http::Request::builder()
            .method(request.method)
            .uri(format!("{}?fieldManager={}", request.path, request.manager))
            .header(http::header::CONTENT_TYPE, request.content_type)
            .body(request.body.to_string().into_bytes())
            .map_err(|problem| RequestError::Failed(problem.to_string()))?;
        let outcome = self.send(request.method, http).await;
        self.metrics.request(resource(request.kind), verb(request.method), code(request.method, &outcome));
        outcome
    }

    /// Sends what a plan wants.
    pub(crate) async fn carry_out(&self, target: &Target, action: &Action) -> Result<Value, RequestError> {
        let request = Request {
            kind: kind_name(target.kind),
            method: action.method(),
            path: &target.path(action),
            content_type: action.content_type(),
            body: &action.body(),
            manager: target.kind.field_manager(),
        };
        self.write(&request).await
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    async fn send(&self, method: &str, http: http::Request<Vec<u8>>) -> Result<Value, RequestError> {
        match tokio::time::timeout(self.time_limit, self.client.0.request::<Value>(http)).await {
            Err(_) => Err(RequestError::NoAnswer(self.time_limit)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) => Err(refusal(method, &status)),
            Ok(Err(problem)) => Err(RequestError::Failed(problem.to_string())),
        }
    }
}

/// A kind as people and log lines name it.
pub(crate) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Rollout => "Rollout",
        Kind::RolloutStatus => "Rollout/status",
        Kind::ReplicaSet => "ReplicaSet",
        Kind::Service => "Service",
        Kind::AnalysisRun => "AnalysisRun",
        Kind::Experiment => "Experiment",
        Kind::Pod => "Pod",
        Kind::Deployment => "Deployment",
        Kind::Routing(kind, _) => kind.as_str(),
    }
}

/// The words under which existing dashboards count requests.
fn resource(kind: &str) -> &'static str {
    match kind {
        "Rollout" | "Rollout/status" => "rollouts",
        "ReplicaSet" => "replicasets",
        "Service" => "services",
        "AnalysisRun" => "analysisruns",
        "Experiment" => "experiments",
        "Event" => "events",
        "Job" => "jobs",
        "Pod" => "pods",
        "Secret" => "secrets",
        "Deployment" => "deployments",
        "PodTemplate" => "podtemplates",
        "Ingress" => "ingresses",
        "VirtualService" => "virtualservices",
        "DestinationRule" => "destinationrules",
        "HTTPRoute" => "httproutes",
        "GRPCRoute" => "grpcroutes",
        "TLSRoute" => "tlsroutes",
        "TCPRoute" => "tcproutes",
        "ReferenceGrant" => "referencegrants",
        _ => "others",
    }
}

fn verb(method: &str) -> Verb {
    match method {
        "POST" => Verb::Create,
        "DELETE" => Verb::Delete,
        _ => Verb::Patch,
    }
}

/// A failed `test` of a JSON Patch is answered with 422, like a value that is not allowed.
fn refusal(method: &str, status: &kube::core::Status) -> RequestError {
    let stale = matches!(status.code, 404 | 409) || (status.code == 422 && method == "PATCH");
    if stale {
        return RequestError::Stale { code: status.code, message: status.message.clone() };
    }
    RequestError::Refused { code: status.code, reason: status.reason.clone(), message: with_causes(status) }
}

/// The budget that forbids an eviction is named in the causes only.
fn with_causes(status: &kube::core::Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes).map(|cause| cause.message.as_str());
    let budgets = causes.filter(|_| status.code == 429);
    std::iter::once(status.message.as_str()).chain(budgets).collect::<Vec<_>>().join(" ")
}

fn code(method: &str, outcome: &Result<Value, RequestError>) -> u16 {
    match outcome {
        Ok(_) if method == "POST" => 201,
        Ok(_) => 200,
        Err(RequestError::Refused { code, .. } | RequestError::Stale { code, .. }) => *code,
        Err(RequestError::NotLeading | RequestError::NoAnswer(_) | RequestError::Failed(_)) => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use sluice_planner::engine::Moment;
    use tokio::sync::watch;

    use super::*;

    /// Says yes to everything and counts.
    #[derive(Clone, Default)]
    struct Server(Arc<AtomicUsize>);

    impl<B> tower_service::Service<http::Request<B>> for Server {
        type Response = http::Response<axum::body::Body>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<B>) -> Self::Future {
            self.0.fetch_add(1, Ordering::SeqCst);
            ready(Ok(http::Response::new(axum::body::Body::from("{}"))))
        }
    }

    fn requests(server: &Server, deadline: Option<Moment>, pace: Pace) -> Requests {
        let clock = Clock::wall();
        let (_, leading) = watch::channel(deadline);
        let client = Client::new(server.clone(), "default");
        Requests::new(client, clock, Fence::new(clock, leading), pace, Duration::from_secs(5), Metrics::default())
    }

    async fn write(requests: &Requests) -> Result<Value, RequestError> {
        let body = serde_json::json!([]);
        let path = "/api/v1/namespaces/shop/services/web";
        let content_type = "application/json-patch+json";
        requests
            .write(&Request {
                kind: "Service",
                method: "PATCH",
                path,
                content_type,
                body: &body,
                manager: FIELD_MANAGER,
            })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn no_write_is_sent_at_or_after_the_deadline_or_without_one() {
        // (the deadline in seconds, when the write comes, whether it is sent)
        for (deadline, comes_at, is_sent) in
            [(Some(10), 9, true), (Some(10), 10, false), (Some(10), 60, false), (None, 0, false)]
        {
            let server = Server::default();
            let requests = requests(&server, deadline.map(Duration::from_secs), Pace::new(0.0, 1));
            tokio::time::sleep(Duration::from_secs(comes_at)).await;
            let outcome = write(&requests).await;
            assert_eq!(outcome.is_ok(), is_sent, "{deadline:?} at {comes_at}: {outcome:?}");
            assert_eq!(server.0.load(Ordering::SeqCst), usize::from(is_sent));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_waited_for_its_turn_beyond_the_deadline_is_not_sent() {
        let server = Server::default();
        let requests = requests(&server, Some(Duration::from_secs(5)), Pace::new(0.1, 1));
        write(&requests).await.expect("the first one goes at once");
        assert!(matches!(write(&requests).await, Err(RequestError::NotLeading)));
        assert_eq!(server.0.load(Ordering::SeqCst), 1);
    }
}
