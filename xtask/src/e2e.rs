//! `cargo xtask e2e`: the tests on a real control plane.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::cargo_build::{self, Executable};
use crate::control_plane_tools::{self, Tools};
use crate::guarded::Guarded;
use crate::libtest::TestOutput;
use crate::process::{self, human};
use crate::prometheus;
use crate::proxies::Proxies;
use crate::report::{Report, Tally};
use crate::workspace;

const PACKAGE: &str = "sluice-e2e";
const FOLDER: &str = "e2e";
const FEATURE: &str = "sluice-e2e/control-plane";
const KUBELETS: &str = "sluice-kubelets";
/// These pass their time waiting, so many more of them run at once than there are cores.
const WAITING: [&str; 3] = ["scenarios", "templates", "traffic"];
const SLUICE: &str = "sluice";
const AT_ONCE: &str = "16";

/// Run the end-to-end tests on a real control plane of their own (5 min; 4 to 12 min more the first time).
///
/// Builds the control plane if its sources changed, fetches Prometheus, nginx and Envoy where they are not installed,
/// starts what the tests need, runs them, and takes everything down again, also when it is interrupted.
#[derive(Args)]
pub(crate) struct E2e {
    /// Only tests whose name contains this.
    filter: Option<String>,
}

impl E2e {
    pub(crate) fn run(self) -> ExitCode {
        let mut report = Report::new();
        report.part("end-to-end tests on a real control plane", |tally| run_tests(self.filter.as_deref(), tally));
        report.finish()
    }
}

/// Builds and runs the tests on a control plane that lives no longer than they do.
pub(crate) fn run_tests(filter: Option<&str>, tally: &mut Tally) -> Result<()> {
    let tools = Tools::ready()?;
    let prometheus = prometheus::program()?;
    let proxies = Proxies::ready()?;
    let helm = control_plane_tools::helm()?;
    let Built { tests, kubelets, sluice } = build()?;
    let mut guarded = Guarded::named("e2e")?;
    let started = Instant::now();
    guarded.start(&tools.beside(kubelets))?;
    eprintln!("  control plane and kubelet model: ready in {}", human(started.elapsed()));

    let before = tally.passed + tally.failed.len() as u64;
    for test in tests {
        let mut command = Command::new(&test.path);
        command
            .args(filter)
            .current_dir(workspace::root().join(FOLDER))
            .env("PATH", tools.path()?)
            .env("SLUICE_KUBECONFIG", guarded.instance.kubeconfig())
            .env("SLUICE_PROMETHEUS", &prometheus)
            .env("SLUICE_NGINX", &proxies.nginx)
            .env("SLUICE_ENVOY", &proxies.envoy)
            .env("SLUICE_BINARY", &sluice)
            .env("HELM", &helm);
        if WAITING.contains(&test.name.as_str()) {
            command.env("RUST_TEST_THREADS", AT_ONCE);
        }
        eprintln!("  {}", test.name);
        let mut output = TestOutput::of(&test.name);
        let log = workspace::log_file(&format!("e2e-{}", test.name));
        let ended = process::run(command, "running end-to-end tests", &log, &mut output)?;
        output.add_to(tally, ended.status.success());
    }
    if !tally.failed.is_empty() {
        let kept = workspace::log_file("e2e-control-plane");
        guarded.instance.copy_logs(&kept)?;
        eprintln!("  log of the control plane: {}", kept.display());
    }
    if tally.passed + tally.failed.len() as u64 == before {
        bail!(
            "no end-to-end test ran{}",
            filter.map(|filter| format!("; none is named like {filter:?}")).unwrap_or_default()
        );
    }
    Ok(())
}

struct Built {
    tests: Vec<Executable>,
    kubelets: PathBuf,
    sluice: PathBuf,
}

/// The tests, the kubelet model, and what users run.
fn build() -> Result<Built> {
    let targets = test_targets()?;
    let mut arguments = vec!["--features", FEATURE, "--bin", KUBELETS, "--bin", SLUICE];
    for target in &targets {
        arguments.extend(["--test", target]);
    }
    let mut built = cargo_build::executables(&arguments, "building end-to-end tests", "build-e2e")?;
    // Another crate's test may have the same name.
    let tests = built.extract_if(.., |executable| executable.kind == "test" && executable.folder == FOLDER).collect();
    let sluice = built.extract_if(.., |executable| executable.name == SLUICE).collect();
    Ok(Built {
        tests,
        kubelets: cargo_build::only(built, "bin", KUBELETS)?,
        sluice: cargo_build::only(sluice, "bin", SLUICE)?,
    })
}

/// The kubelet model, for control planes that are started by hand.
pub(crate) fn build_kubelets() -> Result<PathBuf> {
    let built = cargo_build::executables(
        &["--features", FEATURE, "--bin", KUBELETS],
        "building the kubelet model",
        "build-kubelets",
    )?;
    cargo_build::only(built, "bin", KUBELETS)
}

/// The names of the package's files in `tests/`.
fn test_targets() -> Result<Vec<String>> {
    let metadata =
        process::answer_of(workspace::cargo(["metadata", "--no-deps", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("reading cargo's metadata")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    let package =
        packages.iter().find(|package| package["name"] == PACKAGE).context("the workspace has no sluice-e2e")?;
    let targets = package["targets"].as_array().context("cargo's metadata has no targets")?;
    Ok(targets
        .iter()
        .filter(|target| target["kind"][0] == "test")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}
