//! Every command in the README's `sh` blocks runs here, so that none of them can grow stale. The two at its top stand in
//! a `console` block: one is this very run, the playground is started by `cli/tests/playground.rs`.

use std::fmt::Write;
use std::process::Command;

use anyhow::{Context, Result};

use crate::control_plane_tools::Tools;
use crate::guarded::Guarded;
use crate::process::{self, Watcher};
use crate::report::Tally;
use crate::workspace;

/// Commands that this very run proves, and that would never end if it called them.
const THIS_RUN: [&str; 3] = ["cargo xtask test", "cargo xtask ci", ".ci/run"];

/// Runs the README's `sh` blocks in order in one shell, at the root of the checkout.
pub(crate) fn run_commands(tally: &mut Tally) -> Result<()> {
    let readme = workspace::root().join("README.md");
    let blocks = shell_blocks(&std::fs::read_to_string(&readme).context("reading README.md")?);
    // A control plane that the README starts has a name of its own, and goes when this run goes.
    let guarded = Guarded::named("readme")?;
    let mut shell = Command::new("bash");
    shell
        .arg("-c")
        .arg(script(&blocks))
        .current_dir(workspace::root())
        .env("PATH", Tools::ready()?.path()?)
        .env("SLUICE_CONTROL_PLANE", &guarded.instance.name);
    let mut progress = Progress::default();
    let ended = process::run(shell, "running the README's commands", &workspace::log_file("readme"), &mut progress)?;
    let proven = if ended.status.success() { progress.begun.len() } else { progress.begun.len().saturating_sub(1) };
    for _ in 0..proven {
        tally.pass();
    }
    let last = progress.begun.last().cloned().unwrap_or_default();
    ended.must_succeed(&format!("README.md, {last}"))
}

/// The blocks fenced as `sh`, each with the number of its first line.
fn shell_blocks(markdown: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in markdown.lines().enumerate() {
        match &mut open {
            None if line.trim() == "```sh" => open = Some((index + 2, String::new())),
            None => {}
            Some(_) if line.trim() == "```" => blocks.extend(open.take()),
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    blocks
}

const MARK: &str = "::readme:: ";

fn script(blocks: &[(usize, String)]) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    for (line, block) in blocks {
        let _ = writeln!(script, "echo '{MARK}line {line}'");
        for command in block.lines() {
            let bare = command.split(" #").next().unwrap_or_default().trim();
            let _ = writeln!(script, "{}", if THIS_RUN.contains(&bare) { ": this very run" } else { command });
        }
    }
    script
}

#[derive(Default)]
struct Progress {
    begun: Vec<String>,
}

impl Watcher for Progress {
    fn shows(&mut self, line: &str) -> Option<String> {
        if let Some(place) = line.strip_prefix(MARK) {
            self.begun.push(place.to_owned());
        }
        None
    }

    fn so_far(&self) -> String {
        self.begun.last().cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# Sluice\n\n```sh\ncargo xtask test   # all of it\ncargo run -- \\\n  --help\n```\ntext\n```yaml\na: 1\n```\n```sh\nexport A=1\n```\n";

    #[test]
    fn only_shell_blocks_are_run_and_this_run_does_not_call_itself() {
        let blocks = shell_blocks(README);
        assert_eq!(blocks.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 13]);
        assert_eq!(
            script(&blocks),
            "set -euo pipefail\necho '::readme:: line 4'\n: this very run\ncargo run -- \\\n  --help\necho '::readme:: line 13'\nexport A=1\n"
        );
    }
}
