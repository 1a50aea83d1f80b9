//! A release's own server, which Prometheus scrapes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::page::Totals;

/// A release that is there to be scraped. Its server and all its connections end when this is dropped.
#[derive(Debug)]
pub struct Exporter {
    address: SocketAddr,
    release: Arc<Mutex<Release>>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Release {
    behaviour: Behaviour,
    totals: Totals,
    counted_at: Instant,
}

impl Exporter {
    /// A release that begins now.
    pub async fn start(behaviour: Behaviour) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let release = Release { behaviour, totals: Totals::default(), counted_at: Instant::now() };
        let release = Arc::new(Mutex::new(release));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&release)));
        Ok(Self { address, release, _server: server })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it does this.
    pub fn turn(&self, behaviour: Behaviour) {
        let mut release = self.release.lock().unwrap_or_else(PoisonError::into_inner);
        release.count();
        release.behaviour = behaviour;
    }
}

impl Release {
    fn count(&mut self) {
        let now = Instant::now();
        self.totals.advance(&self.behaviour, (now - self.counted_at).as_secs_f64());
        self.counted_at = now;
    }

    fn page(&mut self) -> String {
        self.count();
        self.totals.page(&self.behaviour)
    }
}

async fn serve(listener: TcpListener, release: Arc<Mutex<Release>>) {
    // Connections end with the server: who scrapes keeps them open.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let release = Arc::clone(&release);
        let service = service_fn(move |_request| {
            let page = release.lock().unwrap_or_else(PoisonError::into_inner).page();
            async move {
                let answer = Response::builder().header("content-type", "text/plain; version=0.0.4");
                Ok::<_, Infallible>(answer.body(Full::new(Bytes::from(page))).unwrap_or_default())
            }
        });
        connections.spawn(async move {
            // A connection that breaks is the business of who scrapes; the next one is served.
            let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
