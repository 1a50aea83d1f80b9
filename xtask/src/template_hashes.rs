//! Compares our template hashes with those of Kubernetes' own Go types, on templates that nobody has seen before.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::cargo_build;
use crate::control_plane_tools::Tools;
use crate::process;
use crate::report::Tally;
use crate::workspace;

const ROUNDS: u64 = 4;
const TEMPLATES_A_ROUND: &str = "500";

/// Each round has a fresh seed, which is printed, so that a difference can be looked at again.
pub(crate) fn compare(tally: &mut Tally) -> Result<()> {
    let oracle = Tools::ready()?.template_oracle;
    let example = "compare_hashes";
    let built = cargo_build::executables(&["--example", example], "building the comparison", "build-compare-hashes")?;
    let comparison = cargo_build::only(built, "example", example)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    // Any number will do; the lower digits of the time differ from run to run.
    let first_seed = u64::try_from(now % 1_000_000_007)?;
    for seed in first_seed..first_seed + ROUNDS {
        match compare_round(&oracle, &comparison, seed) {
            Ok(verdict) => {
                eprintln!("  seed {seed}: {verdict}");
                tally.pass();
            }
            Err(difference) => tally.fail(format!("seed {seed}: {difference:#}")),
        }
    }
    Ok(())
}

fn compare_round(oracle: &Path, comparison: &Path, seed: u64) -> Result<String> {
    let questions = workspace::log_file(&format!("template-hashes-{seed}-questions"));
    let answers = workspace::log_file(&format!("template-hashes-{seed}-answers"));
    let mut generate = Command::new(oracle);
    generate.args(["generate", "--count", TEMPLATES_A_ROUND, "--seed", &seed.to_string()]);
    print_into(&questions, generate)?;
    let mut hash = Command::new(oracle);
    hash.arg("hash").stdin(File::open(&questions)?);
    print_into(&answers, hash)?;
    let mut compare = Command::new(comparison);
    compare.args([&questions, &answers]);
    let verdict = process::answer_of(compare)?;
    // They are large, and the seed brings them back; after a difference they stay.
    for file in [questions, answers] {
        std::fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(verdict)
}

fn print_into(file: &PathBuf, mut command: Command) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let output = command.stdout(File::create(file)?).stderr(Stdio::inherit()).status()?;
    if !output.success() {
        bail!("{}: {output}", process::spelled(&command));
    }
    Ok(())
}
