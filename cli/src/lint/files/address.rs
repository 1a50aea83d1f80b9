//! A manifest from a web server.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sluice_analysis::provider::http::LARGEST_ANSWER;

const PATIENCE: Duration = Duration::from_secs(30);

/// On a thread of its own, because whoever asks may be on a runtime or not.
pub(super) fn read(url: &str) -> anyhow::Result<Vec<u8>> {
    let url = url.to_owned();
    match thread::spawn(move || fetch(&url)).join() {
        Ok(outcome) => outcome,
        Err(_) => bail!("reading it broke off"),
    }
}

fn fetch(url: &str) -> anyhow::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let answer = runtime.block_on(crate::web::get(url, PATIENCE)).map_err(anyhow::Error::msg)?;
    ensure!(answer.body.len() <= LARGEST_ANSWER, "it is larger than {LARGEST_ANSWER} bytes");
    Ok(answer.body)
}
