//! nginx in the place of ingress-nginx.

mod config;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use super::GENERATION_PATH;
use super::process::{Folder, until};
use super::view::View;
use crate::exchange::text_at;
use config::Frame;

/// Requests of everybody here come from 127.0.0.1, so a port that is free at this address stays so.
const LISTENS_AT: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);

pub(super) struct Nginx {
    process: Child,
    folder: Folder,
    address: SocketAddr,
    generation: u64,
    text: String,
}

impl Nginx {
    pub(super) async fn start() -> Result<Self> {
        let folder = Folder::new("nginx")?;
        let free = std::net::TcpListener::bind((LISTENS_AT, 0))?;
        let address = free.local_addr()?;
        let text = config::text(&View::default(), Frame { folder: folder.path(), listen: address, generation: 0 })?;
        folder.write("nginx.conf", &text)?;
        drop(free);
        let prefix = folder.path().display().to_string();
        let process = folder.start("SLUICE_NGINX", &["-p", &prefix, "-e", "stderr", "-c", "nginx.conf"])?;
        let nginx = Self { process, folder, address, generation: 0, text };
        nginx.serves_its_generation(&[]).await?;
        Ok(nginx)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns once every request that begins from now on is served by this view.
    pub(super) async fn put_in_force(&mut self, view: &View) -> Result<()> {
        let frame = |generation| Frame { folder: self.folder.path(), listen: self.address, generation };
        if config::text(view, frame(self.generation))? == self.text {
            return Ok(());
        }
        self.text = config::text(view, frame(self.generation + 1))?;
        self.generation += 1;
        self.folder.write("nginx.conf", &self.text)?;
        let before = self.workers()?;
        let master = self.process.id().context("nginx has ended")?.to_string();
        let told = Command::new("kill").args(["-HUP", &master]).status().await?;
        ensure!(told.success(), "nginx can't be told to read its configuration again");
        self.serves_its_generation(&before).await
    }

    /// The new workers serve, and those from before take no more connections: they end with their last one.
    async fn serves_its_generation(&self, before: &[u32]) -> Result<()> {
        let expected = format!("nginx serves generation {}", self.generation);
        until(&expected, || self.is_of_its_generation(before)).await.with_context(|| self.folder.log())
    }

    async fn is_of_its_generation(&self, before: &[u32]) -> Result<()> {
        let answer = text_at(self.address, GENERATION_PATH).await?;
        ensure!(answer == self.generation.to_string(), "it answers {answer}");
        let workers = self.workers()?;
        ensure!(!before.iter().any(|old| workers.contains(old)), "workers {before:?} have not ended");
        Ok(())
    }

    fn workers(&self) -> Result<Vec<u32>> {
        let master = self.process.id().context("nginx has ended")?;
        let children = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
        Ok(children.split_whitespace().filter_map(|id| id.parse().ok()).collect())
    }
}

/// Ends the workers with their master: killed alone, it would leave them behind.
impl Drop for Nginx {
    fn drop(&mut self) {
        let ids = self.process.id().into_iter().chain(self.workers().unwrap_or_default());
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        // There is nobody to tell if it fails, and what has ended needs no killing.
        let _ended = std::process::Command::new("kill").arg("-KILL").args(ids).status();
    }
}
