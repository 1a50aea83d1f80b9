//! `sluice controller`, the process that users run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// An orderly end takes no longer, unless something hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// As whom the controller works.
#[derive(Clone, Debug)]
pub enum Account {
    /// Whoever runs the tests; may do everything.
    Admin,
    /// The account in this kubeconfig.
    Kubeconfig(PathBuf),
}

/// Where the controller looks for Rollouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the scenario's namespace only, so that many scenarios run beside each other.
    Namespace,
    /// Everywhere.
    Cluster,
}

/// A running controller, with a log of its own. It dies with this value.
pub struct Controller {
    namespace: String,
    reach: Reach,
    account: Account,
    log: PathBuf,
    process: Child,
}

impl Controller {
    /// Starts one, whose Lease is in this namespace.
    pub fn start(namespace: &str, reach: Reach, account: Account) -> Result<Self> {
        let log = std::env::temp_dir().join(format!("sluice-{}-{namespace}.log", std::process::id()));
        File::create(&log).with_context(|| format!("making {}", log.display()))?;
        let process = spawn(namespace, reach, &account, &log)?;
        Ok(Self { namespace: namespace.to_owned(), reach, account, log, process })
    }

    /// Kills the process as the kernel would, and starts another one at once.
    pub async fn kill_and_start_again(&mut self) -> Result<()> {
        self.process.kill().await.context("killing the controller")?;
        self.process = spawn(&self.namespace, self.reach, &self.account, &self.log)?;
        Ok(())
    }

    /// Asks it to end, as Kubernetes does, and wants it to end in good order.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.process.id().context("the controller has ended by itself")?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(asked.success(), "the controller can't be asked to end");
        let ended = timeout(ENDS_WITHIN, self.process.wait()).await.context("the controller does not end")??;
        ensure!(ended.success(), "the controller ended with {ended}:\n{}", self.last_words());
        Ok(())
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        format!("the controller's log ends with:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_file(&self.log);
    }
}

fn spawn(namespace: &str, reach: Reach, account: &Account, log: &Path) -> Result<Child> {
    let program = named_by("SLUICE_BINARY")?;
    let kubeconfig = match account {
        Account::Admin => named_by("SLUICE_KUBECONFIG")?,
        Account::Kubeconfig(path) => path.clone(),
    };
    let log = File::options().append(true).open(log)?;
    let mut command = Command::new(&program);
    command
        .args(["controller", "--namespace", namespace, "--loglevel", "debug"])
        .args(["--metricsport", "0", "--healthzPort", "0"])
        // A killed leader is followed soon.
        .args(["--leader-election-lease-duration", "4s", "--leader-election-renew-deadline", "3s"])
        .args(["--leader-election-retry-period", "500ms", "--kubeconfig"])
        .arg(kubeconfig)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    if reach == Reach::Namespace {
        command.arg("--namespaced");
    }
    command.spawn().with_context(|| format!("starting {}", program.display()))
}

fn named_by(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    path.map(PathBuf::from).with_context(|| format!("{variable} is not set; run these tests with: cargo xtask e2e"))
}
