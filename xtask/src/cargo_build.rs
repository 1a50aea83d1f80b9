//! Builds programs of the workspace and says where they are.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{self, Watcher};
use crate::workspace;

pub(crate) struct Executable {
    pub(crate) name: String,
    /// `bin`, `test` or `example`.
    pub(crate) kind: String,
    /// The folder of its crate in the workspace, such as `e2e`.
    pub(crate) folder: String,
    pub(crate) path: PathBuf,
}

/// Runs `cargo build --workspace` with these targets and features. The features of the whole workspace are what
/// all other builds use too: dependencies are the same ones and not compiled a second time.
pub(crate) fn executables(targets: &[&str], doing: &str, log: &str) -> Result<Vec<Executable>> {
    let mut cargo = workspace::cargo(["build", "--workspace", "--locked", "--message-format=json-render-diagnostics"]);
    cargo.args(targets);
    let mut messages = Messages::default();
    process::run(cargo, doing, &workspace::log_file(log), &mut messages)?.must_succeed(doing)?;
    Ok(messages.executables)
}

/// The one with this name and kind.
pub(crate) fn only(built: Vec<Executable>, kind: &str, name: &str) -> Result<PathBuf> {
    built
        .into_iter()
        .find(|executable| executable.kind == kind && executable.name == name)
        .map(|executable| executable.path)
        .with_context(|| format!("cargo built no {kind} {name}"))
}

/// Collects what cargo says it built, one JSON object a line.
#[derive(Default)]
struct Messages {
    executables: Vec<Executable>,
    artifacts: usize,
}

impl Watcher for Messages {
    fn shows(&mut self, line: &str) -> Option<String> {
        let message = serde_json::from_str::<Value>(line).ok()?;
        if message["reason"] == "compiler-artifact" {
            self.artifacts += 1;
            self.executables.extend(executable(&message));
        }
        None
    }

    fn keeps(&self, line: &str) -> bool {
        !line.starts_with("{\"reason\"")
    }

    fn so_far(&self) -> String {
        format!("{} crates compiled", self.artifacts)
    }
}

fn executable(message: &Value) -> Option<Executable> {
    let path = PathBuf::from(message["executable"].as_str()?);
    let manifest = message["manifest_path"].as_str()?;
    Some(Executable {
        name: message["target"]["name"].as_str()?.to_owned(),
        kind: message["target"]["kind"].as_array()?.first()?.as_str()?.to_owned(),
        folder: manifest.rsplit('/').nth(1)?.to_owned(),
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_told_apart_by_crate_and_kind() {
        let mut messages = Messages::default();
        for line in [
            r#"{"reason":"compiler-artifact","manifest_path":"/src/e2e/Cargo.toml","target":{"kind":["test"],"name":"crds"},"executable":"/t/crds-1"}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/src/e2e/Cargo.toml","target":{"kind":["lib"],"name":"sluice_e2e"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/src/crds/Cargo.toml","target":{"kind":["example"],"name":"crds"},"executable":"/t/crds"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "   Compiling a v0.1.0",
        ] {
            assert_eq!(messages.shows(line), None);
        }
        assert!(messages.keeps("error[E0433]: cannot find type `Reason` in this scope"));
        assert!(!messages.keeps(r#"{"reason":"build-finished","success":false}"#));
        assert_eq!(messages.so_far(), "3 crates compiled");
        let found: Vec<_> = messages
            .executables
            .iter()
            .map(|found| [&found.folder, &found.kind, &found.name].map(String::as_str))
            .collect();
        assert_eq!(found, [["e2e", "test", "crds"], ["crds", "example", "crds"]]);
        assert_eq!(only(messages.executables, "example", "crds").unwrap(), PathBuf::from("/t/crds"));
    }
}
