//! The Prometheus that the sandbox's metrics backend is compared with: the installed one, or the distribution's
//! package.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::{cache, debian};

const PACKAGE: &str = "prometheus";

/// Answers of version 3 differ at the edges of ranges; what people run is compared with what most of them run.
const MAJOR: &str = "prometheus, version 2.";

/// Finds the program, fetching it where it is missing.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(installed) = process::on_path(PACKAGE)
        && is_wanted(&installed)?
    {
        return Ok(installed);
    }
    let shelf = cache::folder()?.join(PACKAGE);
    let kept = cache::keep(&shelf, std::env::consts::ARCH, "fetching Prometheus", |folder| {
        eprintln!("  found missing: prometheus 2 → fetching the distribution's package (20 MB)");
        debian::unpack(PACKAGE, folder)
            .context("install Prometheus 2 and put it on PATH: https://prometheus.io/download/")
    })?;
    let program = kept.join("usr/bin/prometheus");
    if !is_wanted(&program)? {
        bail!("the distribution's package is no Prometheus 2; put one on PATH: https://prometheus.io/download/");
    }
    Ok(program)
}

fn is_wanted(program: &Path) -> Result<bool> {
    let mut version = Command::new(program);
    version.arg("--version");
    Ok(process::answer_of(version)?.starts_with(MAJOR))
}
