//! One request over a connection of its own, which is closed afterwards.

use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// The whole answer to a request.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(Response::from_parts(head, body))
}

/// What is answered to a plain question, as text.
///
/// # Errors
/// There is no whole answer.
pub async fn text_at(address: SocketAddr, path: &str) -> Result<String> {
    let request = Request::get(path).header("host", "localhost").body(Full::default())?;
    let answer = exchange(TcpStream::connect(address).await?, request).await?;
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}
