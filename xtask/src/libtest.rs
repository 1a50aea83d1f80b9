//! Reads what cargo and Rust's test harness print: counts results, shows failures as they come.

use crate::process::Watcher;
use crate::report::Tally;

/// Follows the output of `cargo test` or of a test binary.
#[derive(Default)]
pub(crate) struct TestOutput {
    found: Tally,
    /// The test binary that prints, once one does.
    binary: Option<String>,
    /// Failures of this binary that were named so far.
    named_failures: u64,
    result_due: bool,
    shows_failures: bool,
    compiled: usize,
}

impl TestOutput {
    /// Follows one test binary that is run without cargo.
    pub(crate) fn of(binary: &str) -> Self {
        let mut output = Self::default();
        output.begin(binary);
        output
    }

    /// Adds the findings to a part's. `succeeded` is what the exit status says.
    pub(crate) fn add_to(mut self, tally: &mut Tally, succeeded: bool) {
        if self.result_due {
            self.found.fail(format!("{} ended without a result", self.binary.unwrap_or_default()));
        } else if !succeeded && self.found.failed.is_empty() {
            self.found.fail("the command failed though no test did; its output is above");
        }
        tally.passed += self.found.passed;
        tally.failed.append(&mut self.found.failed);
        tally.skipped.append(&mut self.found.skipped);
    }

    fn begin(&mut self, binary: &str) {
        self.binary = Some(short(binary));
        self.result_due = true;
        self.named_failures = 0;
    }

    /// What the reader sees of a line while a test binary prints.
    fn takes_test_line(&mut self, line: &str, binary: &str) -> Option<String> {
        if let Some(result) = TestResult::parse(line) {
            self.found.passed += result.passed;
            for _ in self.named_failures..result.failed {
                self.found.fail(format!("a test of {binary}"));
            }
            self.result_due = false;
            self.shows_failures = false;
            let any = result.passed + result.failed + result.ignored > 0;
            return any.then(|| format!("{binary}: {}", line.trim_start_matches("test result: ")));
        }
        if line == "failures:" {
            self.shows_failures = true;
        }
        let test = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        let is_shown = match test {
            Some((name, "FAILED")) => {
                self.found.fail(format!("{name} ({binary})"));
                self.named_failures += 1;
                true
            }
            Some((name, outcome)) if outcome.starts_with("ignored") => {
                self.found.skip(format!("{name} ({binary}) is {outcome}"));
                true
            }
            Some((_, "ok")) => false,
            // The harness captures what tests print, so whatever else there is was meant to be seen.
            _ => self.shows_failures || !(line.is_empty() || line == "ok" || line.starts_with("running ")),
        };
        is_shown.then(|| line.to_owned())
    }

    /// While cargo compiles, all but its own progress is for the reader: errors and warnings.
    fn takes_compiler_line(&mut self, line: &str) -> Option<String> {
        const PROGRESS: [&str; 11] = [
            "Adding",
            "Blocking",
            "Checking",
            "Compiling",
            "Downloaded",
            "Downloading",
            "Executable",
            "Finished",
            "Fresh",
            "Locking",
            "Updating",
        ];
        let verb = line.split_whitespace().next().unwrap_or("{");
        if verb == "Compiling" {
            self.compiled += 1;
        }
        let is_diagnostic = !verb.starts_with('{') && !PROGRESS.contains(&verb);
        is_diagnostic.then(|| line.to_owned())
    }
}

impl Watcher for TestOutput {
    fn shows(&mut self, line: &str) -> Option<String> {
        let words = line.trim_start();
        if let Some(binary) = words.strip_prefix("Running ").or_else(|| words.strip_prefix("Doc-tests ")) {
            self.begin(binary);
            return None;
        }
        match self.binary.clone() {
            Some(binary) => self.takes_test_line(line, &binary),
            None => self.takes_compiler_line(line),
        }
    }

    fn so_far(&self) -> String {
        match self.binary {
            None => format!("{} crates compiled", self.compiled),
            Some(_) => format!("{} passed", self.found.passed),
        }
    }
}

/// `unittests src/lib.rs (target/debug/deps/sluice_crds-0f3a)` → `sluice_crds src/lib.rs`; other texts as they are.
fn short(binary: &str) -> String {
    let parts = binary.strip_suffix(')').and_then(|rest| rest.split_once(" ("));
    let Some((file, path)) = parts else { return binary.to_owned() };
    let name = path.rsplit('/').next().and_then(|name| name.rsplit_once('-')).map_or(path, |(name, _)| name);
    format!("{name} {}", file.trim_start_matches("unittests "))
}

struct TestResult {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl TestResult {
    /// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count =
            |word: &str| counts.split("; ").find_map(|count| count.strip_suffix(word)?.trim().parse::<u64>().ok());
        Some(Self { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> (TestOutput, Vec<String>) {
        let mut reader = TestOutput::default();
        let shown = output.lines().filter_map(|line| reader.shows(line)).collect();
        (reader, shown)
    }

    fn tally(reader: TestOutput, succeeded: bool) -> Tally {
        let mut tally = Tally::default();
        reader.add_to(&mut tally, succeeded);
        tally
    }

    const TWO_BINARIES: &str = "   Compiling sluice-crds v0.1.0 (/src/crds)
    Finished `test` profile [unoptimized] target(s) in 1.02s
     Running unittests src/lib.rs (target/debug/deps/sluice_crds-1)

running 3 tests
test weight::too_much ... FAILED
test weight::none ... ok
test weight::slow ... ignored, needs a disk

failures:

---- weight::too_much stdout ----
assertion failed

failures:
    weight::too_much

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/fields.rs (target/debug/deps/fields-2)

running 2 tests
test every_field ... ok
test no_field_twice ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.02s
";

    #[test]
    fn results_of_all_binaries_are_added_up_and_what_did_not_pass_is_named() {
        let (reader, _) = read(TWO_BINARIES);
        let tally = tally(reader, false);
        assert_eq!(tally.passed, 3);
        assert_eq!(tally.failed, ["weight::too_much (sluice_crds src/lib.rs)"]);
        assert_eq!(tally.skipped, ["weight::slow (sluice_crds src/lib.rs) is ignored, needs a disk"]);
    }

    #[test]
    fn the_screen_shows_failures_and_results_but_not_every_test() {
        let (_, shown) = read(TWO_BINARIES);
        assert_eq!(
            shown,
            [
                "test weight::too_much ... FAILED",
                "test weight::slow ... ignored, needs a disk",
                "failures:",
                "",
                "---- weight::too_much stdout ----",
                "assertion failed",
                "",
                "failures:",
                "    weight::too_much",
                "",
                "sluice_crds src/lib.rs: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "fields tests/fields.rs: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.02s",
            ]
        );
    }

    #[test]
    fn what_a_test_says_past_the_capture_is_shown() {
        let (_, shown) =
            read("     Running tests/a.rs (a-1)\n\nrunning 1 test\ntest both ... 300 checks, all equal\nok\n");
        assert_eq!(shown, ["test both ... 300 checks, all equal"]);
    }

    #[test]
    fn a_failure_whose_line_was_torn_apart_still_counts() {
        let (reader, _) = read(
            "     Running tests/a.rs (a-1)\ntest torn ... printed by the test\nFAILED\n\
             test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!(tally(reader, false).failed, ["a test of a tests/a.rs"]);
    }

    #[test]
    fn a_compiler_error_is_shown_and_fails() {
        let (reader, shown) = read("   Compiling a v0.1.0\nerror[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n");
        assert_eq!(shown, ["error[E0425]: cannot find value `x`", " --> src/lib.rs:1:1"]);
        assert_eq!(tally(reader, false).failed.len(), 1);
    }

    #[test]
    fn a_binary_that_died_without_a_result_fails() {
        let (reader, _) = read("     Running tests/a.rs (target/a-1)\n\nrunning 1 test\n");
        assert_eq!(tally(reader, false).failed, ["a tests/a.rs ended without a result"]);
    }
}
