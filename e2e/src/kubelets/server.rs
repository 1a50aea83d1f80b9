//! Pods that really answer: an HTTP server for each pod that asks for one, up while one of its processes runs.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sluice_crds::template::HASH_LABEL;
use sluice_sandbox::kubelet::PodMemory;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A pod with this annotation at `true` answers HTTP at the ports of its containers: who it is, while it is ready,
/// and 503 while it is not.
pub const SERVES_ANNOTATION: &str = "e2e.sluice.dev/serves-http";

/// The header of an answer that holds the pod template hash of who answered.
pub const REVISION_HEADER: &str = "x-revision";

/// Answers with how many requests the pod has been sent, this one not among them.
pub const COUNT_PATH: &str = "/-/requests";

/// Where a pod of this address listens. An EndpointSlice must not name loopback addresses, and this machine has no
/// others to give away, so each pod has the loopback address with the same end.
#[must_use]
pub fn listens_at(pod_ip: Ipv4Addr) -> Ipv4Addr {
    let [_, b, c, d] = pod_ip.octets();
    Ipv4Addr::new(127, b, c, d)
}

/// What the answers say.
#[derive(Debug)]
struct Answers {
    revision: String,
    name: String,
    ready: AtomicBool,
    requests: AtomicU64,
}

/// A pod's server. Dropped, it is gone at once with all its connections, as a killed process is.
pub(super) struct Server {
    answers: Arc<Answers>,
    _listening: JoinSet<()>,
}

/// Brings a pod's server to where the pod is now; before the pod's status says so.
pub(super) fn follow(server: &mut Option<Server>, pod: &Value, memory: &PodMemory) {
    if pod["metadata"]["annotations"][SERVES_ANNOTATION] != "true" {
        return;
    }
    if !memory.has_living_container() {
        *server = None;
        return;
    }
    if server.is_none() {
        match Server::start(pod, memory.ip()) {
            Ok(started) => *server = Some(started),
            Err(error) => eprintln!("pod {} can't listen: {error:#}", pod["metadata"]["name"]),
        }
    }
    if let Some(server) = server {
        server.answers.ready.store(memory.is_ready(), Ordering::Relaxed);
    }
}

impl Server {
    fn start(pod: &Value, ip: &str) -> Result<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let answers = Arc::new(Answers {
            revision: text(&pod["metadata"]["labels"][HASH_LABEL]),
            name: text(&pod["metadata"]["name"]),
            ready: AtomicBool::new(false),
            requests: AtomicU64::new(0),
        });
        let address = listens_at(ip.parse().with_context(|| format!("no address: {ip:?}"))?);
        let mut listening = JoinSet::new();
        for port in ports(pod) {
            let at = SocketAddrV4::new(address, port);
            let listener = std::net::TcpListener::bind(at).with_context(|| at.to_string())?;
            listener.set_nonblocking(true)?;
            listening.spawn(serve(TcpListener::from_std(listener)?, Arc::clone(&answers)));
        }
        Ok(Self { answers, _listening: listening })
    }
}

fn ports(pod: &Value) -> impl Iterator<Item = u16> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports.filter_map(|port| u16::try_from(port["containerPort"].as_u64()?).ok())
}

async fn serve(listener: TcpListener, answers: Arc<Answers>) {
    // Connections end with the server.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        // Whoever wanted to connect has gone again.
        let Ok((stream, _)) = accepted else { continue };
        let answers = Arc::clone(&answers);
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let answer = answers.to(request.uri().path());
            async move { Ok::<_, Infallible>(answer) }
        });
        connections.spawn(async move {
            // A connection that breaks is the business of whoever opened it.
            let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Answers {
    fn to(&self, path: &str) -> Response<Full<Bytes>> {
        if path == COUNT_PATH {
            return Response::new(Full::new(Bytes::from(self.requests.load(Ordering::Relaxed).to_string())));
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let status = if self.ready.load(Ordering::Relaxed) { 200 } else { 503 };
        let answer = Response::builder().status(status).header(REVISION_HEADER, &self.revision);
        let body = format!("{} of {}\n", self.name, self.revision);
        answer.body(Full::new(Bytes::from(body))).unwrap_or_default()
    }
}
