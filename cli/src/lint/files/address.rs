//! A manifest from a web server.

use std::thread;

use anyhow::{Context as _, bail, ensure};
use jiff::SignedDuration;
use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::http::{HttpRequest, LARGEST_ANSWER, Method, SignIn};
use sluice_controller::over_network;

const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// On a thread of its own, because whoever asks may be on a runtime or not.
pub(super) fn read(url: &str) -> anyhow::Result<Vec<u8>> {
    let url = url.to_owned();
    match thread::spawn(move || fetch(url)).join() {
        Ok(outcome) => outcome,
        Err(_) => bail!("reading it broke off"),
    }
}

fn fetch(url: String) -> anyhow::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let request = HttpRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        body: String::new(),
        timeout: PATIENCE,
        insecure: false,
        sign_in: SignIn::None,
    };
    let asked = async {
        let patience = std::time::Duration::try_from(PATIENCE)?;
        let answer = tokio::time::timeout(patience, over_network(AddressPolicy::default())(request)).await;
        answer.context("no answer within 30 s")?.map_err(|failure| anyhow::anyhow!(failure.0))
    };
    let answer = runtime.block_on(asked)?;
    ensure!(answer.status == 200, "the server answers with status {}", answer.status);
    ensure!(answer.body.len() <= LARGEST_ANSWER, "it is larger than {LARGEST_ANSWER} bytes");
    Ok(answer.body)
}
