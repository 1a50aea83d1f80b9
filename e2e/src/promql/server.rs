//! A real Prometheus on loopback, for as long as a test runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};

use super::samples::Series;
use super::write;
use crate::exchange::exchange;

/// A start takes half a second; more than this and it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    folder: PathBuf,
    _process: Child,
    /// Kept open: a server that can't write its log stops.
    _log: Lines<BufReader<ChildStderr>>,
}

/// What a server scrapes each second, and the labels that it gives to all that is found there.
#[derive(Clone, Debug)]
pub struct Scraped {
    pub address: SocketAddr,
    pub labels: Value,
}

impl Server {
    /// Starts the program that `SLUICE_PROMETHEUS` names, and gives it these samples.
    pub async fn with(samples: &[Series]) -> Result<Self> {
        let server = Self::begin(&json!({"global": {}})).await?;
        server.take(samples).await?;
        Ok(server)
    }

    /// Starts it to scrape these.
    pub async fn scraping(targets: &[Scraped]) -> Result<Self> {
        let targets = targets.iter().map(|one| json!({"targets": [one.address.to_string()], "labels": one.labels}));
        Self::begin(&json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "tests", "static_configs": targets.collect::<Vec<_>>()}],
        }))
        .await
    }

    /// What the address of a template would be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn begin(config: &Value) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let program = std::env::var_os("SLUICE_PROMETHEUS").context("SLUICE_PROMETHEUS names no program")?;
        let folder = std::env::temp_dir().join(format!("sluice-prometheus-{}-{count}", std::process::id()));
        let server = tokio::time::timeout(PATIENCE, Self::start(Path::new(&program), folder, config));
        server.await.context("Prometheus does not say where it listens")?
    }

    async fn start(program: &Path, folder: PathBuf, content: &Value) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let config = folder.join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&config, content.to_string())?;
        let flag = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let mut process = Command::new(program)
            .arg(flag("config.file", &config))
            .arg(flag("storage.tsdb.path", &folder.join("data")))
            .arg("--storage.tsdb.retention.time=100y")
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--web.enable-remote-write-receiver")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut log = BufReader::new(process.stderr.take().context("no log")?).lines();
        let (mut seen, mut address) = (String::new(), None);
        while let Some(line) = log.next_line().await? {
            if line.contains("\"Listening on\"") {
                let spelled = line.rsplit_once("address=").map(|(_, address)| address.trim());
                address = Some(spelled.context("no address")?.parse()?);
            }
            if line.contains("ready to receive web requests") {
                let address = address.context("Prometheus is ready without saying where")?;
                return Ok(Self { address, folder, _process: process, _log: log });
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        bail!("Prometheus ended before it was ready:\n{seen}")
    }

    async fn take(&self, samples: &[Series]) -> Result<()> {
        let request = http::Request::post("/api/v1/write")
            .header("content-type", "application/x-protobuf")
            .header("content-encoding", "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(Full::new(Bytes::from(write::message(samples))))?;
        let (status, body) = self.send(request).await?;
        if status != 204 {
            bail!("Prometheus does not take the samples: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    /// Sends a request; the answer's status, and its body as JSON or as text.
    pub async fn ask(&self, method: &str, path_and_query: &str, form: &str) -> Result<(u16, Value)> {
        let mut request = http::Request::builder().method(method).uri(path_and_query);
        if !form.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let (status, body) = self.send(request.body(Full::new(Bytes::from(form.to_owned())))?).await?;
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        Ok((status, serde_json::from_slice(&body).unwrap_or_else(|_| text())))
    }

    async fn send(&self, request: http::Request<Full<Bytes>>) -> Result<(u16, Bytes)> {
        let answer = ask_at(&self.address.to_string(), request).await?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }
}

/// One request to a host and port, and its whole answer.
pub(crate) async fn ask_at(authority: &str, mut request: http::Request<Full<Bytes>>) -> Result<http::Response<Bytes>> {
    request.headers_mut().insert("host", authority.parse()?);
    exchange(TcpStream::connect(authority).await?, request).await
}

impl Drop for Server {
    fn drop(&mut self) {
        // A leftover in the folder for temporary files harms nobody.
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}
