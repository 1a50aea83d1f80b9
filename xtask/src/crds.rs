//! `cargo xtask crds`: the files that are generated from the types.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cargo_build;
use crate::process;
use crate::report::Tally;
use crate::workspace;

/// Write helm/sluice/crds and docs/schema anew from the types (5 s; 1 min when nothing is compiled yet).
///
/// Files there that are no longer generated are removed.
#[derive(Args)]
pub(crate) struct Crds {
    /// Change nothing; fail when a file is not what would be written.
    #[arg(long)]
    check: bool,
}

impl Crds {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let stale = stale_files()?;
        if self.check {
            must_be_none(&stale)?;
        }
        for file in &stale {
            file.mend()?;
            println!("{file}");
        }
        if stale.is_empty() {
            println!("all generated files are up to date");
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(crate) fn check(tally: &mut Tally) -> Result<()> {
    must_be_none(&stale_files()?)?;
    tally.pass();
    Ok(())
}

fn must_be_none(stale: &[Stale]) -> Result<()> {
    if stale.is_empty() {
        return Ok(());
    }
    let lines: String = stale.iter().map(|file| format!("\n  {file}")).collect();
    bail!("generated files are stale; run cargo xtask crds, which does this:{lines}")
}

/// A file that is not as the types would have it, and how it should be.
struct Stale {
    path: PathBuf,
    wanted: Option<String>,
}

impl Stale {
    fn mend(&self) -> Result<()> {
        let Some(text) = &self.wanted else {
            return std::fs::remove_file(&self.path).with_context(|| format!("removing {}", self.path.display()));
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(&self.path, text).with_context(|| format!("writing {}", self.path.display()))
    }
}

impl std::fmt::Display for Stale {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = if self.wanted.is_some() { "write" } else { "remove" };
        write!(formatter, "{verb} {}", workspace::relative(&self.path))
    }
}

fn stale_files() -> Result<Vec<Stale>> {
    compare(&workspace::root(), &generated_files()?)
}

/// Path below the root → text, as the crate that knows the types prints them.
fn generated_files() -> Result<BTreeMap<String, String>> {
    let example = "generated-files";
    let built = cargo_build::executables(&["--example", example], "building the types", "build-crds")?;
    let printed = process::answer_of(Command::new(cargo_build::only(built, "example", example)?))?;
    serde_json::from_str(&printed).context("reading what the types' crate printed")
}

/// The folders of generated files hold nothing else.
fn compare(root: &Path, generated: &BTreeMap<String, String>) -> Result<Vec<Stale>> {
    let wanted: BTreeMap<PathBuf, &String> = generated.iter().map(|(path, text)| (root.join(path), text)).collect();
    let mut stale: Vec<Stale> = wanted
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(path).ok().as_ref() != Some(**text))
        .map(|(path, text)| Stale { path: path.clone(), wanted: Some((*text).clone()) })
        .collect();
    let folders: BTreeSet<&Path> = wanted.keys().filter_map(|path| path.parent()).collect();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_file() && !wanted.contains_key(&path) {
                stale.push(Stale { path, wanted: None });
            }
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_written_and_what_is_no_longer_generated_is_removed() {
        let root = std::env::temp_dir().join(format!("xtask-crds-{}", std::process::id()));
        let folder = root.join("helm/crds");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [("same.yaml", "1\n"), ("changed.yaml", "old\n"), ("dropped.yaml", "3\n")] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let generated: BTreeMap<String, String> =
            [("helm/crds/same.yaml", "1\n"), ("helm/crds/changed.yaml", "new\n"), ("docs/schema/added.json", "{}\n")]
                .into_iter()
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
                .collect();

        let stale = compare(&root, &generated).unwrap();
        let mut files: Vec<String> = stale.iter().map(ToString::to_string).collect();
        files.sort();
        assert_eq!(
            files,
            [
                format!("remove {}", folder.join("dropped.yaml").display()),
                format!("write {}", root.join("docs/schema/added.json").display()),
                format!("write {}", folder.join("changed.yaml").display()),
            ]
        );
        for file in &stale {
            file.mend().unwrap();
        }
        assert!(compare(&root, &generated).unwrap().is_empty());
        std::fs::remove_dir_all(root).unwrap();
    }
}
