//! Builds what `e2e/control-plane` holds in Go: the control plane, the oracle of template hashes, and kubectl
//! where none is installed. Built once into the cache, again only when a source changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::instance::Programs;
use crate::process::{self, Counted};
use crate::workspace;

const GO_NEEDED: (u32, u32) = (1, 26);
/// What renders the chart.
const HELM: &str = "helm.sh/helm/v3/cmd/helm";
const HELM_VERSION: &str = "v3.19.2";

/// The programs that tests against a real control plane need.
pub(crate) struct Tools {
    pub(crate) control_plane: PathBuf,
    pub(crate) template_oracle: PathBuf,
    pub(crate) kubectl: PathBuf,
}

impl Tools {
    /// Finds them, building what is missing.
    pub(crate) fn ready() -> Result<Self> {
        let module = Module::read()?;
        let shelf = cache::folder()?.join("control-plane");
        let control_plane = cache::keep(&shelf, &module.key, "building the control plane", |folder| {
            eprintln!(
                "  found missing: a control plane of these sources → building it from e2e/control-plane \
                 (4 to 12 minutes the first time, half a minute after a change)"
            );
            module.build(&["./", "./cmd/template-oracle"], folder, "building the control plane")
        })?;
        Ok(Self {
            template_oracle: control_plane.join("template-oracle"),
            control_plane: control_plane.join("control-plane"),
            kubectl: kubectl()?,
        })
    }

    /// What an instance consists of, with this kubelet model.
    pub(crate) fn beside(&self, kubelets: PathBuf) -> Programs {
        Programs { control_plane: self.control_plane.clone(), kubelets, kubectl: self.kubectl.clone() }
    }

    /// PATH with kubectl on it, for whatever calls it by name.
    pub(crate) fn path(&self) -> Result<std::ffi::OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folder = self.kubectl.parent().map(Path::to_path_buf).unwrap_or_default();
        std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).context("PATH")
    }
}

/// The installed kubectl, or one that is built where there is none.
pub(crate) fn kubectl() -> Result<PathBuf> {
    match process::on_path("kubectl") {
        Some(installed) => Ok(installed),
        None => Module::read()?.kubectl(),
    }
}

/// The installed helm, or one that is built where there is none.
pub(crate) fn helm() -> Result<PathBuf> {
    if let Some(installed) = process::on_path("helm") {
        return Ok(installed);
    }
    let shelf = cache::folder()?.join("helm");
    let kept = cache::keep(&shelf, HELM_VERSION, "building helm", |folder| {
        eprintln!("  found missing: helm → building {HELM_VERSION} (1 to 3 minutes)");
        require_go()?;
        let mut go = Command::new("go");
        let package = format!("{HELM}@{HELM_VERSION}");
        go.args(["install", "-v", "-trimpath", &package]).env("CGO_ENABLED", "0").env("GOBIN", folder);
        let mut packages_built = Counted::new("", "packages compiled");
        let ended = process::run(go, "building helm", &workspace::log_file("building-helm"), &mut packages_built)?;
        ended.must_succeed("building helm")
    })?;
    Ok(kept.join("helm"))
}

/// The Go module as it is now.
pub(crate) struct Module {
    folder: PathBuf,
    kubernetes: String,
    key: String,
    has_tests: bool,
}

impl Module {
    pub(crate) fn read() -> Result<Self> {
        let folder = workspace::root().join("e2e/control-plane");
        let mut sources = BTreeMap::new();
        collect_sources(&folder, &folder, &mut sources)
            .with_context(|| format!("reading {}", workspace::relative(&folder)))?;
        let go_mod = sources.get("go.mod").context("e2e/control-plane has no go.mod")?;
        let kubernetes = kubernetes_version(&String::from_utf8_lossy(go_mod))
            .context("e2e/control-plane/go.mod names no version of k8s.io/kubernetes")?;
        let has_tests = sources.keys().any(|name| name.ends_with("_test.go"));
        // What only tests read does not change the programs.
        sources.retain(|name, _| !name.ends_with("_test.go"));
        let key = format!("{kubernetes}-{}", cache::key_of(&sources));
        Ok(Self { folder, kubernetes, key, has_tests })
    }

    pub(crate) fn has_tests(&self) -> bool {
        self.has_tests
    }

    /// Go, called in the module, as the build calls it: so that all of them share compiled packages.
    pub(crate) fn go<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut go = Command::new("go");
        go.args(arguments).current_dir(&self.folder).env("CGO_ENABLED", "0");
        go
    }

    fn kubectl(&self) -> Result<PathBuf> {
        let shelf = cache::folder()?.join("kubectl");
        let kept = cache::keep(&shelf, &self.key, "building kubectl", |folder| {
            eprintln!("  found missing: kubectl → building it from e2e/control-plane (1 to 3 minutes)");
            self.build(&["./cmd/kubectl"], folder, "building kubectl")
        })?;
        Ok(kept.join("kubectl"))
    }

    fn build(&self, packages: &[&str], into: &Path, doing: &str) -> Result<()> {
        require_go()?;
        // A trailing slash makes go put each program under its own name into the folder.
        let output = format!("{}/", into.display());
        let flags = self.linker_flags();
        let mut go = self.go(["build", "-v", "-trimpath", "-ldflags", &flags, "-o", &output]);
        go.args(packages);
        let mut packages_built = Counted::new("", "packages compiled");
        let log = workspace::log_file(&doing.replace(' ', "-"));
        let ended = process::run(go, doing, &log, &mut packages_built)?;
        ended.must_succeed(doing)?;
        eprintln!("  {doing}: done in {}", process::human(ended.took));
        Ok(())
    }

    /// kubectl and clients read the server's version, and refuse one that they can't parse.
    fn linker_flags(&self) -> String {
        let variable = |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
        let mut numbers = self.kubernetes.trim_start_matches('v').split('.');
        [
            "-s -w".to_owned(),
            variable("gitVersion", &self.kubernetes),
            variable("gitMajor", numbers.next().unwrap_or_default()),
            variable("gitMinor", numbers.next().unwrap_or_default()),
            variable("gitTreeState", "clean"),
        ]
        .join(" ")
    }
}

fn require_go() -> Result<()> {
    let (major, minor) = GO_NEEDED;
    let mend = format!("install Go {major}.{minor} or newer: https://go.dev/doc/install");
    if process::on_path("go").is_none() {
        bail!("found missing: go, which builds the control plane; {mend}");
    }
    let mut go = Command::new("go");
    go.args(["env", "GOVERSION"]);
    let found = process::answer_of(go)?;
    match go_version(&found) {
        Some(version) if version >= GO_NEEDED => Ok(()),
        _ => bail!("found {found}, which is too old to build the control plane; {mend}"),
    }
}

fn collect_sources(top: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(top)?.to_string_lossy().into_owned();
        if path.is_dir() {
            collect_sources(top, &path, into)?;
        } else if name.ends_with(".go") || name == "go.mod" || name == "go.sum" {
            into.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(())
}

fn kubernetes_version(go_mod: &str) -> Option<String> {
    go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .and_then(|version| version.split_whitespace().next())
        .map(str::to_owned)
}

/// Reads `go1.26.8` and `go1.27rc1`.
fn go_version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.strip_prefix("go")?.split_once('.')?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..digits].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_by_number() {
        assert_eq!(go_version("go1.26.8"), Some((1, 26)));
        assert_eq!(go_version("go1.27rc1"), Some((1, 27)));
        assert_eq!(go_version("go1.9"), Some((1, 9)));
        assert_eq!(go_version("devel +abc"), None);
        assert!(go_version("go1.9").unwrap() < GO_NEEDED);
    }

    #[test]
    fn the_version_of_kubernetes_is_the_one_that_is_required() {
        let go_mod = "require (\n\tk8s.io/kubectl v0.36.2\n\tk8s.io/kubernetes v1.36.2 // pinned\n)\n";
        assert_eq!(kubernetes_version(go_mod).as_deref(), Some("v1.36.2"));
        assert_eq!(kubernetes_version("module x\n"), None);
    }
}
