//! The templates of `e2e/templates/` judge releases as they say, by what a real Prometheus has scraped of them.

mod releases;
mod verdicts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use sluice_e2e::eventually;
use sluice_e2e::promql::server::{Scraped, Server};
use sluice_e2e::release::Exporter;

/// What `window` is here: at one scrape a second, six seconds are worth what a minute and a half is at fifteen.
const WINDOW: &str = "6s";

fn file_of(template: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("templates/{template}.yaml"))
}

/// A Prometheus that has scraped all of these for a whole window.
async fn scraping(releases: &BTreeMap<&str, Exporter>) -> Result<Server> {
    let targets = releases.iter().map(|(name, exporter)| Scraped {
        address: exporter.address(),
        labels: json!({"namespace": name, "service": "web"}),
    });
    let prometheus = Server::scraping(&targets.collect::<Vec<_>>()).await?;
    let full = format!("count(count_over_time(up[{WINDOW}]) >= 6)");
    let all = releases.len().to_string();
    eventually(Duration::from_secs(60), "all releases were scraped for a whole window", async || {
        let found = numbers(&prometheus, &full).await?;
        ensure!(found == [all.as_str()], "{found:?} of {all}");
        Ok(())
    })
    .await?;
    Ok(prometheus)
}

async fn numbers(prometheus: &Server, query: &str) -> Result<Vec<String>> {
    let form = format!("query={}", query.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>());
    let (_, answer) = prometheus.ask("POST", "/api/v1/query", &form).await?;
    let found = answer["data"]["result"].as_array().with_context(|| answer.to_string())?;
    Ok(found.iter().map(|one| one["value"][1].as_str().unwrap_or_default().to_owned()).collect())
}
