//! `cargo xtask test`: everything that proves the project.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::control_plane_tools::{self, Module, Tools};
use crate::libtest::TestOutput;
use crate::report::{Report, Tally};
use crate::{crds, e2e, kubernetes_tables, process, readme, simulate, template_hashes, workspace};

/// Run everything that proves the project (15 min; 30 min on a fresh machine; --quick 3 min).
///
/// Unit, property and sandbox tests, documentation tests, generated files, simulated releases under faults, tests on a
/// real control plane, template hashes against Go, the README's commands. What is missing is built and kept. Ends with one line of counts.
#[derive(Args)]
pub(crate) struct Test {
    /// Leave out simulated releases, and what needs the real control plane and Go.
    #[arg(long)]
    quick: bool,
}

impl Test {
    pub(crate) fn everything() -> Self {
        Self { quick: false }
    }

    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut report = Report::new();
        self.run_parts(&mut report)?;
        Ok(report.finish())
    }

    /// Runs all parts; what they find is in the report.
    pub(crate) fn run_parts(&self, report: &mut Report) -> Result<()> {
        if self.quick && workspace::in_ci() {
            bail!("--quick leaves tests out, which CI=true does not allow");
        }
        report.part("unit, property and sandbox tests", |tally| {
            let tests =
                ["test", "--workspace", "--locked", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"];
            cargo_test(&tests, "running unit, property and sandbox tests", "unit-tests", tally)
        });
        report.part("documentation tests", |tally| {
            let tests = ["test", "--workspace", "--locked", "--doc", "--no-fail-fast"];
            cargo_test(&tests, "running documentation tests", "doc-tests", tally)
        });
        report.part("generated files", crds::check);
        if !self.quick {
            report.part("simulated releases", simulate::run_seeds);
            report.part("deliberate mistakes", simulate::prove_the_judges);
        }
        if self.quick {
            report.part("real control plane", |tally| {
                tally.skip(
                    "--quick leaves it out, and with it what is compared with Kubernetes, and the README's commands",
                );
                Ok(())
            });
            report.part("simulated releases", |tally| {
                tally.skip(
                    "--quick leaves them out, and with them the deliberate mistakes; stories that failed once are told",
                );
                Ok(())
            });
            return Ok(());
        }
        report.part("programs of the control plane", |_| Tools::ready().map(drop));
        report.part("end-to-end tests on a real control plane", |tally| e2e::run_tests(None, tally));
        report.part("tables taken from Kubernetes", kubernetes_tables::check);
        report.part("template hashes against Go", template_hashes::compare);
        report.part("Go tests", go_tests);
        report.part("commands of the README", readme::run_commands);
        Ok(())
    }
}

fn cargo_test(arguments: &[&str], doing: &str, log: &str, tally: &mut Tally) -> Result<()> {
    let mut command = workspace::cargo(arguments.iter().copied());
    eprintln!("  {}", process::spelled(&command));
    // Tests of the sandbox's HTTPS door and of the playground call the real kubectl, also where none is installed.
    if std::env::var_os("KUBECTL").is_none() {
        command.env("KUBECTL", control_plane_tools::kubectl()?);
    }
    let mut output = TestOutput::default();
    let ended = process::run(command, doing, &workspace::log_file(log), &mut output)?;
    output.add_to(tally, ended.status.success());
    Ok(())
}

fn go_tests(tally: &mut Tally) -> Result<()> {
    let module = Module::read()?;
    if !module.has_tests() {
        return Ok(());
    }
    let doing = "running Go tests";
    let mut watcher = process::Counted::new("--- PASS", "passed");
    let tests = module.go(["test", "-trimpath", "-vet=off", "-v", "./..."]);
    let ended = process::run(tests, doing, &workspace::log_file("go-tests"), &mut watcher)?;
    ended.must_succeed(doing)?;
    tally.passed += watcher.count() as u64;
    Ok(())
}
