//! The command line against a real control plane, with the real controller: list, get, promote, abort, status.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sluice_e2e::scenario::{Account, Controller, Reach};
use sluice_e2e::{Kind, Namespace, crds, eventually, in_namespace};
use tokio::process::Command;

const SHOP: &str = "
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: web, image: 'shop:1.0'}]}
  strategy:
    canary:
      maxSurge: 1
      maxUnavailable: 0
      steps: [{setWeight: 50}, {pause: {}}, {setWeight: 100}, {pause: {duration: 1h}}]
";

/// As a user types it, in the namespace of the test.
struct Terminal<'a> {
    namespace: &'a str,
}

impl Terminal<'_> {
    async fn run(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let sluice = named_by("SLUICE_BINARY")?;
        let mut command = Command::new(sluice);
        command.args(["--kubeconfig".as_ref(), named_by("SLUICE_KUBECONFIG")?.as_os_str()]);
        let Output { status, stdout, stderr } = command.args(["-n", self.namespace]).args(arguments).output().await?;
        Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
    }

    async fn says(&self, arguments: &[&str], expected: &str) -> Result<()> {
        let (code, out, err) = self.run(arguments).await?;
        ensure!((code, out.trim_end()) == (Some(0), expected), "{arguments:?}: {code:?} {out}{err}");
        Ok(())
    }

    async fn ends_with(&self, arguments: &[&str], expected: i32) -> Result<()> {
        let (code, out, err) = self.run(arguments).await?;
        ensure!(code == Some(expected), "{arguments:?}: {code:?} {out}{err}");
        Ok(())
    }
}

#[tokio::test]
async fn a_release_is_steered_from_the_command_line() -> Result<()> {
    in_namespace("cli", async |namespace| {
        crds::install(&namespace.cluster.client).await?;
        let controller = Controller::start(&namespace.name, Reach::Namespace, Account::Admin)?;
        steered(namespace).await.with_context(|| controller.last_words())?;
        controller.stop().await
    })
    .await
}

async fn steered(namespace: &Namespace) -> Result<()> {
    namespace.create_from(Kind::ROLLOUT, SHOP).await?;
    let terminal = Terminal { namespace: &namespace.name };
    terminal.ends_with(&["status", "shop", "--until=done", "--timeout", "120s"], 0).await?;
    let (_, rows, _) = terminal.run(&["list", "rollouts", "--no-headers"]).await?;
    let row: Vec<&str> = rows.split_whitespace().collect();
    ensure!(row == ["shop", "Canary", "Healthy", "4/4", "100", "2/2", "2", "2", "2"], "{rows}");
    terminal.says(&["set", "image", "shop", "web=shop:2.0"], "rollout.argoproj.io/shop image updated").await?;
    terminal.ends_with(&["status", "shop", "--until=done", "--timeout", "120s"], 5).await?;
    terminal.ends_with(&["promote", "shop", "--if-step", "3"], 1).await?;
    terminal.says(&["promote", "shop", "--if-step", "1"], "rollout.argoproj.io/shop promoted").await?;
    terminal.ends_with(&["status", "shop", "--until=step=3", "--timeout", "120s"], 0).await?;
    let (_, page, _) = terminal.run(&["get", "rollout", "shop", "--ascii"]).await?;
    ensure!(page.contains("(canary)") && page.contains("revision:2") && page.contains("ready:1/1"), "{page}");
    terminal.says(&["abort", "shop", "--reason", "500s on checkout"], "rollout.argoproj.io/shop aborted").await?;
    terminal.ends_with(&["status", "shop", "--timeout", "120s"], 3).await?;
    eventually(Duration::from_secs(30), "the reason is in the history", async || {
        let (_, object, _) = terminal.run(&["get", "rollout", "shop", "-o", "json"]).await?;
        let object: Value = serde_json::from_str(&object)?;
        ensure!(object["status"]["history"][0]["who"] == "sluice: 500s on checkout", "{}", object["status"]["history"]);
        Ok(())
    })
    .await?;
    terminal.says(&["abort", "shop"], "rollout.argoproj.io/shop already aborted").await?;
    terminal.says(&["undo", "shop"], "rollout.argoproj.io/shop undone to revision 1").await?;
    terminal.ends_with(&["status", "shop", "--until=done", "--timeout", "120s"], 0).await
}

fn named_by(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    path.map(PathBuf::from).with_context(|| format!("{variable} is not set; run this test with: cargo xtask e2e"))
}
