//! `cargo xtask deny`: what may be in the tree of dependencies.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::cache;
use crate::process::{self, Counted, Silent};
use crate::workspace;

/// cargo-deny, which reads deny.toml. A newer one may judge differently, so the version is part of the rules.
const VERSION: &str = "0.20.2";

/// Advisories are a command of their own: their database may be out of reach.
const CHECKS: [&str; 3] = ["licenses", "bans", "sources"];

pub(crate) fn run() -> Result<ExitCode> {
    check_dependencies()?;
    eprintln!("licences, bans and sources are as deny.toml wants them");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn check_dependencies() -> Result<()> {
    check(&CHECKS)
}

/// Runs these checks of cargo-deny.
pub(crate) fn check(checks: &[&str]) -> Result<()> {
    let mut deny = Command::new(installed()?);
    deny.current_dir(workspace::root()).args(["--locked", "check", "--hide-inclusion-graph"]).args(checks);
    let doing = format!("checking {}", checks.join(", "));
    let ended = process::run(deny, &doing, &workspace::log_file("deny"), &mut Silent)?;
    ended.must_succeed(&doing)
}

fn installed() -> Result<PathBuf> {
    if let Some(found) = process::on_path("cargo-deny") {
        let mut version = Command::new(&found);
        version.arg("--version");
        if process::answer_of(version).is_ok_and(|answer| answer == format!("cargo-deny {VERSION}")) {
            return Ok(found);
        }
    }
    let shelf = cache::folder()?.join("cargo-deny");
    let doing = "installing cargo-deny";
    let kept = cache::keep(&shelf, VERSION, doing, |folder| {
        eprintln!("  found missing: cargo-deny {VERSION} → installing it into the cache (1 to 2 minutes)");
        let build = folder.join("build");
        // Not optimised: it checks our few hundred crates in seconds either way, and compiles in a quarter of the time.
        let mut install =
            workspace::cargo(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root"]);
        install.arg(folder).current_dir(folder).env("CARGO_TARGET_DIR", &build).env("CARGO_PROFILE_DEV_DEBUG", "0");
        let mut crates = Counted::new("Compiling ", "crates compiled");
        let ended = process::run(install, doing, &workspace::log_file("install-cargo-deny"), &mut crates)?;
        ended.must_succeed(doing)?;
        cache::remove(&build)?;
        eprintln!("  {doing}: done in {}", process::human(ended.took));
        Ok(())
    })?;
    Ok(kept.join("bin/cargo-deny"))
}
