//! Conformance: the same requests go to the sandbox and to a real control plane, and the answers are
//! compared after everything that must differ (uids, times, revisions) has been given one name.
//!
//! Cases are written in `e2e/conformance/*.yaml`; more are generated from a seed ([`generate`]).

mod case;
mod compare;
pub mod generate;
mod listed;
mod normalise;
pub mod sandbox;
mod send;
pub mod suite;

pub use case::{Case, Step};
pub use compare::{Difference, compare};
pub use listed::{Listed, unexplained};
pub use send::{Answer, run};

use anyhow::Context as _;

/// All cases written by hand, by file.
///
/// # Errors
/// When a file can't be read or is no list of cases.
pub fn written_cases(folder: &std::path::Path) -> anyhow::Result<Vec<Case>> {
    let mut files: Vec<std::path::PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let read: Vec<Case> =
            serde_saphyr::from_str(&text).with_context(|| format!("reading the cases in {}", file.display()))?;
        cases.extend(read);
    }
    Ok(cases)
}
