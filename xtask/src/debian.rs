//! Packages of the distribution, unpacked into the cache. Nothing is installed, and nobody has to be root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::process::{self, Silent};
use crate::workspace;

/// Unpacks a package into this folder.
pub(crate) fn unpack(package: &str, folder: &Path) -> Result<()> {
    for needed in ["apt-get", "dpkg-deb"] {
        if process::on_path(needed).is_none() {
            bail!("found missing: {needed}, which fetches and unpacks the package");
        }
    }
    let apt = folder.join("apt");
    std::fs::create_dir_all(apt.join("lists/partial"))?;
    // Package lists of its own: those of the system may be missing, and only root could renew them.
    run(apt_get(&apt, &["update"]), package)?;
    run(apt_get(&apt, &["download", package]), package)?;
    let file = std::fs::read_dir(&apt)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get download brought no package")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--extract").arg(&file).arg(folder);
    run(unpack, package)?;
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

fn run(command: Command, package: &str) -> Result<()> {
    let doing = format!("fetching the package {package}");
    let log = workspace::log_file(&format!("fetch-{package}"));
    process::run(command, &doing, &log, &mut Silent)?.must_succeed(&doing)
}
