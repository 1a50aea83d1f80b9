//! HTTPS on loopback, for kubectl and every other client of a real cluster.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tower_service::Service;

use super::Door;

const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Who connects and then says nothing is not waited for any longer.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// An open door; it closes when it is dropped.
#[derive(Debug)]
pub struct HttpsDoor {
    address: SocketAddr,
    certificate_pem: String,
    /// Dropping it ends the server.
    _open: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl HttpsDoor {
    /// Opens a door on 127.0.0.1; port 0 takes any free one.
    pub async fn open(door: Door, port: u16) -> io::Result<Self> {
        let names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
        let identity = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let tls = tls_config(&identity).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (open, closing) = oneshot::channel();
        let server = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(tls)), door, closing));
        Ok(Self { address, certificate_pem: identity.cert.pem(), _open: open, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig with which a client comes in by that token.
    pub fn kubeconfig(&self, token: &str) -> String {
        super::kubeconfig(&format!("https://{}", self.address), &self.certificate_pem, token)
    }

    /// Closes the door and ends all of its connections.
    pub async fn close(self) {
        let Self { _open, server, .. } = self;
        drop(_open);
        // The task ends by itself; it can only fail by a panic, which its own output has shown.
        let _ended = server.await;
    }
}

fn tls_config(identity: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Result<ServerConfig, rustls::Error> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, door: Door, mut closing: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closing => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), door.clone()));
                }
                // A client that gave up before it spoke is no reason to stop listening; where no more files can be
                // open, accepting fails at once again and again until a connection ends.
                Err(_) => tokio::time::sleep(AFTER_A_FAILED_ACCEPT).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, door: Door) {
    // Without this each small answer waits for the client's acknowledgement.
    let _delayed = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await else {
        return;
    };
    let service = service_fn(move |request| door.clone().call(request));
    // A connection that breaks is the client's business; the next one is served.
    let _broken = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}
