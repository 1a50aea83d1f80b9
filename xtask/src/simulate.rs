//! `cargo xtask simulate`: random releases under random faults.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::process::{self, Watcher};
use crate::report::Tally;
use crate::workspace;

/// Random releases under random faults: every write is judged by the promises (1,200 seeds: 2 min).
///
/// Stories that have failed once (simulator/regressions) are played first. The least of a story that fails is printed
/// line by line; --keep keeps it.
#[derive(Args)]
pub(crate) struct Simulate {
    /// The seeds: from this one up to, and without, that one.
    #[arg(long, default_value = "0..1200")]
    seeds: String,
    /// How many at a time; as many as there are processors where it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// Keep the least of a story that fails among those that are always played.
    #[arg(long)]
    keep: bool,
    /// Instead: have the planner make each of its deliberate mistakes, and see by which seed it is caught.
    #[arg(long)]
    sabotage: bool,
}

impl Simulate {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut command = simulator(&["--seeds", &self.seeds]);
        command.args(self.jobs.map(|jobs| format!("--jobs={jobs}"))).args(self.keep.then_some("--keep"));
        command.args(self.sabotage.then_some("--sabotage"));
        let status = command.status().context("starting cargo")?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The seeds that every change is tried with.
pub(crate) fn run_seeds(tally: &mut Tally) -> Result<()> {
    let doing = "simulating releases";
    let mut told = Told::default();
    let ended = process::run(simulator(&["--seeds", "0..1200"]), doing, &workspace::log_file("simulate"), &mut told)?;
    let Told { passed, failed, .. } = told;
    tally.passed += passed;
    let says_why = !failed.is_empty();
    failed.into_iter().for_each(|what| tally.fail(what));
    if says_why { Ok(()) } else { ended.must_succeed(doing) }
}

/// The planner makes each of its deliberate mistakes, and each must be caught.
pub(crate) fn prove_the_judges(tally: &mut Tally) -> Result<()> {
    let doing = "proving the judges of the simulator";
    let mut told = Told::default();
    let arguments = ["--sabotage", "--seeds", "0..300"];
    let ended = process::run(simulator(&arguments), doing, &workspace::log_file("sabotage"), &mut told)?;
    tally.passed += told.passed;
    let says_why = !told.failed.is_empty();
    told.failed.into_iter().for_each(|what| tally.fail(what));
    if says_why { Ok(()) } else { ended.must_succeed(doing) }
}

/// The simulator in a build that is optimised, and that other builds don't undo.
fn simulator(arguments: &[&str]) -> Command {
    let cargo =
        ["run", "--profile", "simulate", "--locked", "--package", "sluice-simulator", "--features", "sabotage", "--"];
    workspace::cargo(cargo.into_iter().chain(arguments.iter().copied()))
}

/// What the simulator prints.
#[derive(Default)]
struct Told {
    passed: u64,
    failed: Vec<String>,
    shows_story: bool,
}

impl Watcher for Told {
    fn shows(&mut self, line: &str) -> Option<String> {
        if let Some(what) = line.strip_prefix("FAILED ") {
            self.failed.push(what.to_owned());
            return Some(line.to_owned());
        }
        if let Some((passed, _)) = line.split_once(" stories kept every promise") {
            self.passed += passed.parse().unwrap_or(0);
            return Some(line.to_owned());
        }
        if let Some((caught, _)) = line.split_once(" mistakes are caught") {
            self.passed += caught.split(' ').next().and_then(|caught| caught.parse().ok()).unwrap_or(0);
            return Some(line.to_owned());
        }
        self.shows_story |= line.starts_with("the least of ");
        self.shows_story.then(|| line.to_owned())
    }

    fn so_far(&self) -> String {
        format!("{} failed", self.failed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_are_counted_and_those_that_fail_are_named() {
        let mut told = Told::default();
        let output = "   Compiling a\nFAILED seed 7: promise 2: drained\nthe least of seed 7 that fails:\n  0.1 s a write\n\
                      1999 stories kept every promise, 1 did not: 5 writes";
        let shown: Vec<String> = output.lines().filter_map(|line| told.shows(line)).collect();
        assert_eq!(shown.len(), 4);
        assert_eq!((told.passed, told.failed), (1999, vec!["seed 7: promise 2: drained".to_owned()]));
    }
}
