//! What was checked, what it brought and how long it took.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::human;
use crate::workspace;

/// The findings of one part: how many checks passed, and one text for each that failed or was left out.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: Vec<String>,
    pub(crate) skipped: Vec<String>,
}

impl Tally {
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failed.push(what.into());
    }

    pub(crate) fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    fn cells(&self) -> [String; 3] {
        [self.passed.to_string(), self.failed.len().to_string(), self.skipped.len().to_string()]
    }
}

struct Part {
    name: String,
    tally: Tally,
    took: Duration,
}

/// All parts of a run, in the order in which they ran.
pub(crate) struct Report {
    parts: Vec<Part>,
    started: Instant,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { parts: Vec::new(), started: Instant::now() }
    }

    /// Runs one part and keeps what it found. A part that breaks counts as one failure; the others still run.
    pub(crate) fn part(&mut self, name: &str, work: impl FnOnce(&mut Tally) -> Result<()>) {
        eprintln!("\n▸ {name}");
        let started = Instant::now();
        let mut tally = Tally::default();
        if let Err(error) = work(&mut tally) {
            tally.fail(format!("{error:#}"));
        }
        let took = started.elapsed();
        eprintln!("  {}: {}", if tally.failed.is_empty() { "done" } else { "FAILED" }, human(took));
        self.parts.push(Part { name: name.to_owned(), tally, took });
    }

    /// Prints what failed, the table of times, and as the last line the counts.
    pub(crate) fn finish(self) -> ExitCode {
        for Part { name, tally, .. } in &self.parts {
            for what in &tally.skipped {
                println!("\n– {name}: skipped: {what}");
            }
            for what in &tally.failed {
                println!("\n✗ {name}: {what}");
            }
        }
        println!("\n{}", self.table());
        let all = self.all();
        let skipped_in_ci = !all.skipped.is_empty() && workspace::in_ci();
        if skipped_in_ci {
            println!("with CI=true nothing may be skipped");
        }
        println!("{}", counts(&all));
        if all.failed.is_empty() && !skipped_in_ci { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn all(&self) -> Tally {
        let mut all = Tally::default();
        for Part { tally, .. } in &self.parts {
            all.passed += tally.passed;
            all.failed.extend_from_slice(&tally.failed);
            all.skipped.extend_from_slice(&tally.skipped);
        }
        all
    }

    fn table(&self) -> String {
        let width = self.parts.iter().map(|part| part.name.chars().count()).max().unwrap_or(0);
        let row = |name: &str, [passed, failed, skipped]: [String; 3], took: &str| {
            format!("{name:width$}  {passed:>6}  {failed:>6}  {skipped:>7}  {took:>6}\n")
        };
        let mut table = row("", ["passed", "failed", "skipped"].map(str::to_owned), "time");
        for Part { name, tally, took } in &self.parts {
            table += &row(name, tally.cells(), &human(*took));
        }
        table + &row("", self.all().cells(), &human(self.started.elapsed()))
    }
}

fn counts(tally: &Tally) -> String {
    format!("{} passed, {} failed, {} skipped", tally.passed, tally.failed.len(), tally.skipped.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_all_parts_are_added_up_and_a_broken_part_is_a_failure() {
        let mut report = Report::new();
        report.part("first", |tally| {
            tally.pass();
            tally.pass();
            tally.skip("no network");
            Ok(())
        });
        report.part("second", |tally| {
            tally.pass();
            anyhow::bail!("the disk is full")
        });

        assert_eq!(counts(&report.all()), "3 passed, 1 failed, 1 skipped");
        assert_eq!(report.all().failed, ["the disk is full"]);
        let table = report.table();
        assert!(table.contains("\nfirst        2       0        1 "), "{table}");
        assert!(table.contains("\nsecond       1       1        0 "), "{table}");
    }
}
