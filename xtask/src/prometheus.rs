//! The Prometheus that the sandbox's metrics backend is compared with: the installed one, or the distribution's
//! package, unpacked into the cache. Nothing is installed, and nobody has to be root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::process::{self, Silent};
use crate::workspace;

const PACKAGE: &str = "prometheus";
const DOING: &str = "fetching Prometheus";

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
    let kept = cache::keep(&shelf, std::env::consts::ARCH, DOING, |folder| {
        eprintln!("  found missing: prometheus 2 → fetching the distribution's package (20 MB)");
        fetch(folder).context("install Prometheus 2 and put it on PATH: https://prometheus.io/download/")
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

fn fetch(folder: &Path) -> Result<()> {
    for needed in ["apt-get", "dpkg-deb"] {
        if process::on_path(needed).is_none() {
            bail!("found missing: {needed}, which fetches and unpacks the package");
        }
    }
    let apt = folder.join("apt");
    std::fs::create_dir_all(apt.join("lists/partial"))?;
    // Package lists of its own: those of the system may be missing, and only root could renew them.
    run(apt_get(&apt, &["update"]))?;
    run(apt_get(&apt, &["download", PACKAGE]))?;
    let package = std::fs::read_dir(&apt)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get download brought no package")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--extract").arg(&package).arg(folder);
    run(unpack)?;
    cache::remove(&apt)
}

fn apt_get(apt: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).current_dir(apt);
    for (option, path) in [
        ("Dir::State::Lists", apt.join("lists")),
        ("Dir::Cache::pkgcache", PathBuf::new()),
        ("Dir::Cache::srcpkgcache", PathBuf::new()),
        ("Dir::Cache::Archives", apt.to_path_buf()),
    ] {
        command.arg("-o").arg(format!("{option}={}", path.display()));
    }
    // Not to become a user who may not write here, where root runs this.
    command.args(["-o", "APT::Sandbox::User="]);
    command
}

fn run(command: Command) -> Result<()> {
    process::run(command, DOING, &workspace::log_file("fetch-prometheus"), &mut Silent)?.must_succeed(DOING)
}
