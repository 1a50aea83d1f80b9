//! The cluster's metrics backend for HTTP clients: as a `tower` service, and on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tower_service::Service;

use super::Door;
use crate::api::BODY_LIMIT_BYTES;
use crate::api::request::{Body, Request};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A way to the metrics backend of the cluster behind a [`Door`].
#[derive(Clone, Debug)]
pub struct MetricsDoor(Door);

impl MetricsDoor {
    /// A way that shares the door's cluster and clock.
    #[must_use]
    pub fn new(door: Door) -> Self {
        Self(door)
    }

    /// Opens it on 127.0.0.1 as plain HTTP; port 0 takes any free one.
    pub async fn open(self, port: u16) -> io::Result<MetricsServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (open, closing) = oneshot::channel();
        let server = tokio::spawn(serve(listener, self, closing));
        Ok(MetricsServer { address, _open: open, server })
    }

    /// An error is a connection that breaks, as when the backend is gone.
    async fn answer<B>(self, request: http::Request<B>) -> io::Result<http::Response<Full<Bytes>>>
    where
        B: HttpBody + Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_LIMIT_BYTES).collect().await.map_err(io::Error::other)?.to_bytes();
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let request = Request {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or("").to_owned(),
            headers,
            body,
            user: None,
        };
        let gone = || io::Error::from(io::ErrorKind::ConnectionReset);
        let answer = self.0.with_cluster(|cluster| cluster.ask_metrics(&request)).ok_or_else(gone)?;
        if let Ok(after) = std::time::Duration::try_from(answer.after)
            && !after.is_zero()
        {
            tokio::time::sleep(after).await;
        }
        let response = answer.response.ok_or_else(gone)?;
        let Body::Whole(body) = response.body else { return Err(gone()) };
        let mut http = http::Response::new(Full::new(body));
        *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in response.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                http.headers_mut().append(name, value);
            }
        }
        Ok(http)
    }
}

impl<B> Service<http::Request<B>> for MetricsDoor
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// A metrics backend that listens; it closes when this is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    /// Dropping it ends the server.
    _open: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl MetricsServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes it and ends all of its connections.
    pub async fn close(self) {
        let Self { _open, server, .. } = self;
        drop(_open);
        // The task ends by itself; it can only fail by a panic, which its own output has shown.
        let _ended = server.await;
    }
}

async fn serve(listener: TcpListener, door: MetricsDoor, mut closing: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closing => return,
            // A client that gives up before it has spoken is no reason to stop listening.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, door.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, door: MetricsDoor) {
    // Without this each small answer waits for the client's acknowledgement.
    let _delayed = stream.set_nodelay(true);
    let service = service_fn(move |request| door.clone().call(request));
    // A connection that breaks is the client's business; the next one is served.
    let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
