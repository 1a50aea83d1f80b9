//! The sandbox as something that a client can be connected to, on the time of day.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, Stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use jiff::Timestamp;
use kube::Client;
use sluice_sandbox::Cluster;
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::{Body, Request};
use sluice_sandbox::api::watch::WatchCursor;
use tower_service::Service;

/// How soon a watch notices what others wrote.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A client of a sandbox of its own, as its administrator.
#[must_use]
pub fn client(seed: u64) -> Client {
    let cluster = Cluster::new(seed, 0, Timestamp::now());
    Client::new(Door { cluster: Arc::new(Mutex::new(cluster)) }, "default")
}

#[derive(Clone)]
struct Door {
    cluster: Arc<Mutex<Cluster>>,
}

type Answered = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Service<http::Request<kube::client::Body>> for Door {
    type Response = Answered;
    type Error = kube::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Answered, kube::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<kube::client::Body>) -> Self::Future {
        let door = self.clone();
        Box::pin(door.answer(request))
    }
}

impl Door {
    fn at_this_moment(&self) -> MutexGuard<'_, Cluster> {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.advance_to(Timestamp::now());
        cluster
    }

    async fn answer(self, request: http::Request<kube::client::Body>) -> Result<Answered, kube::Error> {
        let (head, body) = request.into_parts();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let request = Request {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers.iter().filter_map(header).collect(),
            body: body.collect().await?.to_bytes(),
            user: Some(User::admin()),
        };
        let response = self.at_this_moment().handle(&request);
        let mut answer = http::Response::builder().status(response.status);
        for (name, value) in &response.headers {
            answer = answer.header(*name, value);
        }
        let body = match response.body {
            Body::Whole(bytes) => Full::new(bytes).boxed_unsync(),
            Body::Watch(cursor) => {
                let frames = self.events(*cursor).map(|line| Ok(http_body::Frame::data(line)));
                StreamBody::new(frames).boxed_unsync()
            }
        };
        answer.body(body).map_err(kube::Error::HttpError)
    }

    fn events(self, cursor: WatchCursor) -> impl Stream<Item = Bytes> + Send {
        stream::unfold((self, cursor), async |(door, mut cursor)| {
            loop {
                let lines = {
                    let cluster = door.at_this_moment();
                    sluice_sandbox::api::watch_poll(cluster.world(), &mut cursor, cluster.now())
                };
                if !lines.is_empty() {
                    return Some((Bytes::from(lines.concat()), (door, cursor)));
                }
                if cursor.has_ended() {
                    return None;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
    }
}
