//! The chart, rendered by helm and installed with kubectl: the rights that it gives are all that the controller needs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sluice_e2e::scenario::{Account, Controller, Reach, Telling};
use sluice_e2e::{Namespace, crds, in_namespace};
use sluice_scenarios::Scenario;

/// One after the other: a controller of the whole cluster would take the other one's Rollout for its own.
#[tokio::test]
async fn a_controller_with_the_rights_of_the_chart_is_never_refused_anything() -> Result<()> {
    let with_secrets = ["--set", "analysis.secrets=true"];
    let in_one = ["--set", "analysis.secrets=true,namespaced=true"];
    in_namespace("chart", async |namespace| released(namespace, &in_one, Reach::Namespace, "everything-written").await)
        .await?;
    in_namespace("chart", async |namespace| {
        released(namespace, &in_one, Reach::Namespace, "everything-measured").await
    })
    .await?;
    in_namespace("chart", async |namespace| released(namespace, &[], Reach::Cluster, "everything-written").await)
        .await?;
    in_namespace("chart", async |namespace| {
        released(namespace, &with_secrets, Reach::Cluster, "everything-measured").await
    })
    .await
}

async fn released(namespace: &Namespace, values: &[&str], reach: Reach, story: &str) -> Result<()> {
    crds::install(&namespace.cluster.client).await?;
    let rendered = helm_template(&namespace.name, values)?;
    kubectl(&["apply", "--server-side", "--filename", "-"], &rendered)?;
    let outcome = released_with_its_account(namespace, reach, story).await;
    kubectl(&["delete", "--wait=false", "--filename", "-"], &rendered)?;
    outcome
}

async fn released_with_its_account(namespace: &Namespace, reach: Reach, story: &str) -> Result<()> {
    let token = kubectl(&["create", "token", "sluice", "--namespace", &namespace.name], "")?;
    let kubeconfig = std::env::temp_dir().join(format!("{}.kubeconfig", namespace.name));
    std::fs::write(&kubeconfig, as_account(token.trim())?.to_string())?;
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{story}.yaml"));
    let scenario = Scenario::read(&scenario).map_err(|mistakes| anyhow::anyhow!(mistakes))?;
    let mut controller = Controller::start(&namespace.name, reach, Account::Kubeconfig(kubeconfig.clone()))?;
    let outcome = Telling::begin(namespace, &scenario).await?.tell(&scenario, &mut controller).await;
    std::fs::remove_file(&kubeconfig)?;
    outcome.with_context(|| controller.last_words())?;
    let log = controller.log();
    // Who lacks a right is named with it; other refusals (a namespace that is going away) name nobody.
    let lacks = |line: &&str| line.contains("cannot") && line.contains("system:serviceaccount:");
    let refused: Vec<&str> = log.lines().filter(lacks).collect();
    ensure!(refused.is_empty(), "refused: {refused:#?}");
    controller.stop().await
}

/// The cluster of the tests, entered with this token.
fn as_account(token: &str) -> Result<Value> {
    let text = std::fs::read_to_string(named_by("SLUICE_KUBECONFIG")?)?;
    let mut kubeconfig: Value = serde_saphyr::from_str(&text)?;
    for user in kubeconfig["users"].as_array_mut().into_iter().flatten() {
        user["user"] = json!({"token": token});
    }
    Ok(kubeconfig)
}

fn helm_template(namespace: &str, values: &[&str]) -> Result<String> {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/sluice");
    let mut helm = Command::new(named_by("HELM")?);
    helm.args(["template", "sluice"])
        .arg(chart)
        .args(["--namespace", namespace, "--kube-version", "1.36.0"])
        .args(values);
    printed(helm, "")
}

fn kubectl(arguments: &[&str], input: &str) -> Result<String> {
    let mut kubectl = Command::new("kubectl");
    kubectl.arg("--kubeconfig").arg(named_by("SLUICE_KUBECONFIG")?).args(arguments);
    printed(kubectl, input)
}

/// What a command prints, when it must succeed.
fn printed(mut command: Command, input: &str) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    child.stdin.take().context("stdin is a pipe")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn named_by(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    path.map(PathBuf::from).with_context(|| format!("{variable} is not set; run this test with: cargo xtask e2e"))
}
