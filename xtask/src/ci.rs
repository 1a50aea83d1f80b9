//! `cargo xtask ci`: what `.ci/run` does.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::deny;
use crate::process::{self, Watcher};
use crate::report::Report;
use crate::test::Test;
use crate::workspace;

/// Runs all of it, whatever fails first.
pub(crate) fn run() -> Result<ExitCode> {
    let mut report = Report::new();
    report.part("format", |tally| {
        checked(workspace::cargo(["fmt", "--all", "--check"]), "checking the format", "fmt")?;
        check_go_format()?;
        tally.pass();
        Ok(())
    });
    report.part("lints", |tally| {
        let lints = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
        checked(workspace::cargo(lints.split(' ')), "linting", "clippy")?;
        tally.pass();
        Ok(())
    });
    report.part("licences, bans and sources", |tally| {
        deny::check_dependencies()?;
        tally.pass();
        Ok(())
    });
    Test::everything().run_parts(&mut report)?;
    Ok(report.finish())
}

fn checked(command: Command, doing: &str, log: &str) -> Result<()> {
    let mut crates = Checked::default();
    process::run(command, doing, &workspace::log_file(log), &mut crates)?.must_succeed(doing)
}

/// Counts crates whichever way cargo had to look at them.
#[derive(Default)]
struct Checked {
    crates: usize,
}

impl Watcher for Checked {
    fn shows(&mut self, line: &str) -> Option<String> {
        let words = line.trim_start();
        if words.starts_with("Checking ") || words.starts_with("Compiling ") {
            self.crates += 1;
        }
        None
    }

    fn so_far(&self) -> String {
        format!("{} crates checked", self.crates)
    }
}

fn check_go_format() -> Result<()> {
    let mut gofmt = Command::new("gofmt");
    gofmt.arg("-l").arg(workspace::root().join("e2e/control-plane"));
    let unformatted = process::answer_of(gofmt)?;
    if !unformatted.is_empty() {
        bail!("not as gofmt would write it:\n{unformatted}\nrun: gofmt -w e2e/control-plane");
    }
    Ok(())
}
