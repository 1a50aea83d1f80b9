//! Envoy in the place of Istio's proxies and of a Gateway: configured by files, which it reads again whenever one is
//! moved into their place.

pub(super) mod gateway_api;
pub(super) mod istio;
mod resources;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use http_body_util::Full;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::process::Child;

use super::GENERATION_PATH;
use super::process::{Folder, until};
use super::view::View;
use crate::exchange::{exchange, text_at};

/// Routing objects as Envoy's virtual hosts.
type Translator = fn(&View) -> Result<Vec<Value>>;

const ADMIN: &str = "admin.sock";
const CLUSTERS: &str = "clusters.json";
const ROUTES: &str = "routes.json";

pub(super) struct Envoy {
    folder: Folder,
    address: SocketAddr,
    translate: Translator,
    generation: u64,
    /// What each file holds, without its version.
    written: BTreeMap<String, Vec<Value>>,
    _process: Child,
}

impl Envoy {
    pub(super) async fn start(translate: Translator) -> Result<Self> {
        let folder = Folder::new("envoy")?;
        folder.write("envoy.json", &resources::bootstrap(folder.path()).to_string())?;
        folder.write(CLUSTERS, &resources::file(0, &[]).to_string())?;
        folder.write(ROUTES, &resources::file(0, &[resources::routes(&[], 0)]).to_string())?;
        let options = "-c envoy.json --concurrency 1 --use-dynamic-base-id --disable-hot-restart --log-level warn";
        let process = folder.start("SLUICE_ENVOY", &options.split(' ').collect::<Vec<_>>())?;
        let address = until("Envoy listens", || listener(folder.path())).await.with_context(|| folder.log())?;
        let mut envoy = Self { folder, address, translate, generation: 0, written: BTreeMap::new(), _process: process };
        envoy.put_in_force(&View::default()).await?;
        Ok(envoy)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns once every request that begins from now on is served by this view. Clusters and endpoints come
    /// before the routes to them; the one worker takes changes in the order in which they were made.
    pub(super) async fn put_in_force(&mut self, view: &View) -> Result<()> {
        let hosts = (self.translate)(view)?;
        let destinations = view.destinations();
        let mut files: BTreeMap<String, Vec<Value>> = destinations
            .iter()
            .map(|to| (resources::endpoints_file(to), vec![resources::endpoints(to, &view.endpoints(to))]))
            .collect();
        let folder = self.folder.path();
        files.insert(CLUSTERS.to_owned(), destinations.iter().map(|to| resources::cluster(folder, to)).collect());
        files.insert(ROUTES.to_owned(), hosts);
        if files == self.written {
            return Ok(());
        }
        self.generation += 1;
        // Endpoints first: a cluster is not served before it has some, and reads them when it is made.
        let changed = files.iter().filter(|(name, content)| self.written.get(*name) != Some(content));
        let mut changed: Vec<(&String, &Vec<Value>)> = changed.filter(|(name, _)| *name != ROUTES).collect();
        changed.sort_by_key(|(name, _)| *name == CLUSTERS);
        for (name, content) in &changed {
            self.folder.write(name, &resources::file(self.generation, content).to_string())?;
        }
        for (name, _) in &changed {
            self.has_read(name, &destinations).await.with_context(|| self.folder.log())?;
        }
        let routes = resources::routes(&files[ROUTES], self.generation);
        self.folder.write(ROUTES, &resources::file(self.generation, &[routes]).to_string())?;
        self.serves_its_generation().await.with_context(|| self.folder.log())?;
        self.written = files;
        Ok(())
    }

    async fn has_read(&self, file: &str, destinations: &[super::Destination]) -> Result<()> {
        let of_endpoints = destinations.iter().find(|to| resources::endpoints_file(to) == file);
        let statistic =
            of_endpoints.map_or_else(|| "cluster_manager.cds".to_owned(), |to| format!("cluster.{}", to.name()));
        let wanted = format!("{statistic}.version_text: \"{}\"", self.generation);
        until(&wanted, || self.has_told(&wanted)).await
    }

    async fn has_told(&self, wanted: &str) -> Result<()> {
        let told = ask(self.folder.path(), "/stats?type=TextReadouts").await?;
        ensure!(told.lines().any(|line| line == wanted), "{told}");
        Ok(())
    }

    async fn serves_its_generation(&self) -> Result<()> {
        until(&format!("Envoy serves generation {}", self.generation), || self.is_of_its_generation()).await
    }

    async fn is_of_its_generation(&self) -> Result<()> {
        let answer = text_at(self.address, GENERATION_PATH).await?;
        ensure!(answer == self.generation.to_string(), "it answers {answer}");
        Ok(())
    }
}

/// Where Envoy takes requests; it has chosen a free port.
async fn listener(folder: &Path) -> Result<SocketAddr> {
    let told = ask(folder, "/listeners?format=json").await?;
    let told: Value = serde_json::from_str(&told)?;
    let address = &told["listener_statuses"][0]["local_address"]["socket_address"];
    let port = address["port_value"].as_u64().filter(|port| *port > 0).with_context(|| told.to_string())?;
    let ready = ask(folder, "/ready").await?;
    ensure!(ready.trim() == "LIVE", "it is {ready}");
    Ok(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?)))
}

/// A question to the door for administrators.
async fn ask(folder: &Path, path: &str) -> Result<String> {
    let request = http::Request::get(path).header("host", "admin").body(Full::default())?;
    let answer = exchange(UnixStream::connect(folder.join(ADMIN)).await?, request).await?;
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}
